// The table of knobs as code sees it: docs/knobs.md is made from it, and check tells by
// it which knobs nobody reads.
import table from './knobs.json' with { type: 'json' };

/** A knob that credmon reads; `name` may hold places to fill in, such as `<PROVIDER>`. */
export interface KnobFacts {
  readonly name: string;
  readonly meaning: string;
}

/** Every knob that credmon reads. */
export const KNOBS: readonly KnobFacts[] = table;
