// What an expansion knows and spends; the functions and the expander share it.
import { CodedError } from '../../base/errors/errors.ts';
import type { EvaluateExpression } from './evaluate.ts';

/**
 * What expansion needs to know. `random` returns a whole number from 0 up to, not
 * including, its argument.
 */
export interface ExpandContext {
  /**
   * The text of a knob as stored, in the scope of the reader; `undefined` when it is not
   * set.
   */
  lookup(name: string): string | undefined;
  environment(name: string): string | undefined;
  readonly evaluate: EvaluateExpression;
  readonly random: (below: number) => number;
  /**
   * Receives what is wrong with a function macro; the expansion continues, as HTCondor's
   * does.
   */
  problem(message: string): void;
}

/** One expansion's running account; nested expansions share it. */
export interface Expansion {
  readonly context: ExpandContext;
  /** Expands a value that a function macro asks for; `$(DOLLAR)` stays in it. */
  nested(text: string): string;
  steps: number;
  work: number;
  depth: number;
  /** True once the result depends on chance, so that nobody keeps it. */
  chance: boolean;
}

/** The error for a bound that was passed. */
export function limitError(reason: string): CodedError {
  return new CodedError('CONFIG_LIMIT', `the expansion was given up: ${reason}`, { reason });
}

// Bounds that keep any configuration from hanging a daemon or filling its memory.

/** Bounds of reading and expanding; each one passed raises `CONFIG_LIMIT`. */
export const LIMITS = {
  /** Substitutions in one expansion. */
  steps: 20_000,
  /** Characters that one expansion may copy or search. */
  work: 1_000_000_000,
  /** Characters of one value. */
  valueLength: 4_194_304,
  /** Knobs expanded inside each other through function macros. */
  depth: 32,
  /** Files and templates that include each other. */
  includeDepth: 20,
  /** `if` inside `if`. */
  ifDepth: 63,
  /** Bytes of one source. */
  sourceBytes: 67_108_864,
  /** Sources read in one configuration. */
  sources: 10_000,
} as const;
