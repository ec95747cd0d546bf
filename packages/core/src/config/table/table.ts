// The knobs that are set, the built-in defaults behind them, and the order in which
// prefixes are tried.
import type { Origin } from './config.ts';

/**
 * One knob that is set: the spelling first used, the text as stored, and where it was
 * set.
 */
export interface Entry {
  readonly name: string;
  readonly raw: string;
  readonly origin: Origin;
}

/** The knobs of one configuration. Names compare without case. */
export interface Table {
  /**
   * Sets a knob; a value that only repeats the built-in default of a knob not yet set is
   * not kept.
   */
  set(name: string, raw: string, origin: Origin): void;
  /** A knob of exactly this name that is set; no default, no prefix. */
  exact(name: string): Entry | undefined;
  /** `LOCALNAME.X`, `SUBSYS.X`, `X`, and then the default of X. */
  lookup(name: string): Entry | undefined;
  /** The built-in default of this name. */
  defaultOf(name: string): Entry | undefined;
  /** True when assigning `name` sets what a look-up of `reference` finds. */
  isSelf(name: string, reference: string): boolean;
  /** Every knob that is set. */
  entries(): IterableIterator<Entry>;
  /** Every built-in default. */
  defaults(): IterableIterator<Entry>;
}

const BOOLEAN = /^(?:true|false)$/i;

/** Indexes a table of defaults once, so that many tables share it. */
export function indexDefaults(
  defaults: Readonly<Record<string, string>>,
): ReadonlyMap<string, Entry> {
  const origin: Origin = { kind: 'default' };
  return new Map(
    Object.entries(defaults).map(([name, raw]) => [name.toLowerCase(), { name, raw, origin }]),
  );
}

/** An empty table for a process of this subsystem and local name. */
export function createTable(
  defaults: ReadonlyMap<string, Entry>,
  subsystem: string,
  localName: string | undefined,
): Table {
  const set = new Map<string, Entry>();
  const prefixes = [localName ?? '', subsystem]
    .filter((prefix) => prefix !== '')
    .map((p) => `${p.toLowerCase()}.`);
  const lookup = (name: string): Entry | undefined => {
    const key = name.toLowerCase();
    for (const prefix of prefixes) {
      const found = set.get(prefix + key);
      if (found) return found;
    }
    return set.get(key) ?? defaults.get(key);
  };
  return {
    set: (name, raw, origin) => {
      const key = name.toLowerCase();
      const old = set.get(key);
      const standard = defaults.get(key);
      if (!old && standard && sameAsDefault(raw, standard.raw)) return;
      set.set(key, { name: old?.name ?? name, raw, origin });
    },
    exact: (name) => set.get(name.toLowerCase()),
    lookup,
    defaultOf: (name) => defaults.get(name.toLowerCase()),
    isSelf: (name, reference) => {
      const [target, wanted] = [name.toLowerCase(), reference.toLowerCase()];
      return target === wanted || prefixes.some((prefix) => target === prefix + wanted);
    },
    entries: () => set.values(),
    defaults: () => defaults.values(),
  };
}

function sameAsDefault(raw: string, standard: string): boolean {
  return (
    raw === standard || (BOOLEAN.test(standard) && raw.toLowerCase() === standard.toLowerCase())
  );
}
