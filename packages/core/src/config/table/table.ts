// The knobs that are set, their built-in defaults, and the order of prefixes.
import type { Origin } from './config.ts';

/** A knob that is set: the spelling first used, the stored text, and its origin. */
export interface Entry {
  readonly name: string;
  readonly raw: string;
  readonly origin: Origin;
}

/** The knobs of one configuration. Names are case-insensitive. */
export interface Table {
  /**
   * Sets a knob. A value equal to the built-in default of an unset knob is not stored; for
   * a name with a prefix, it is stored as the default of the knob is written.
   */
  set(name: string, raw: string, origin: Origin): void;
  /** Returns the knob with exactly this name if it is set; no default, no prefix. */
  exact(name: string): Entry | undefined;
  /** Looks up `LOCALNAME.X`, `SUBSYS.X` and `X`, each followed by its default. */
  lookup(name: string): Entry | undefined;
  /** Returns the built-in default of this name. */
  defaultOf(name: string): Entry | undefined;
  /** True if an assignment to `name` sets the knob that a lookup of `reference` finds. */
  isSelf(name: string, reference: string): boolean;
  /** Returns all knobs that are set. */
  entries(): IterableIterator<Entry>;
  /**
   * Returns all built-in defaults that a lookup may find; those for other subsystems, such
   * as `MASTER.IsMaster`, are left out.
   */
  defaults(): IterableIterator<Entry>;
}

const BOOLEAN = /^(?:true|false)$/i;

/** Indexes a table of defaults once, to share it between tables. */
export function indexDefaults(
  defaults: Readonly<Record<string, string>>,
): ReadonlyMap<string, Entry> {
  const origin: Origin = { kind: 'default' };
  return new Map(
    Object.entries(defaults).map(([name, raw]) => [name.toLowerCase(), { name, raw, origin }]),
  );
}

/** Creates an empty table for a process of this subsystem and local name. */
export function createTable(
  defaults: ReadonlyMap<string, Entry>,
  subsystem: string,
  localName: string | undefined,
): Table {
  const set = new Map<string, Entry>();
  const prefixes = [localName ?? '', subsystem]
    .filter((prefix) => prefix !== '')
    .map((p) => `${p.toLowerCase()}.`);
  const lookups = [...prefixes, ''];
  const lookup = (name: string): Entry | undefined => {
    const key = name.toLowerCase();
    for (const prefix of lookups) {
      const found = set.get(prefix + key) ?? defaults.get(prefix + key);
      if (found) return found;
    }
    return undefined;
  };
  return {
    set: (name, raw, origin) => {
      const key = name.toLowerCase();
      const old = set.get(key);
      const exact = defaults.get(key);
      const standard = exact ?? defaults.get(key.slice(key.indexOf('.') + 1));
      const same = !old && standard && sameAsDefault(raw, standard.raw);
      if (same && exact) return;
      set.set(key, { name: old?.name ?? name, raw: same ? standard.raw : raw, origin });
    },
    exact: (name) => set.get(name.toLowerCase()),
    lookup,
    defaultOf: (name) => defaults.get(name.toLowerCase()),
    isSelf: (name, reference) => {
      const [target, wanted] = [name.toLowerCase(), reference.toLowerCase()];
      return target === wanted || prefixes.some((prefix) => target === prefix + wanted);
    },
    entries: () => set.values(),
    defaults: function* () {
      for (const [key, entry] of defaults) {
        if (prefixes.some((prefix) => defaults.has(prefix + key))) continue;
        if (!key.includes('.') || prefixes.some((prefix) => key.startsWith(prefix))) yield entry;
      }
    },
  };
}

function sameAsDefault(raw: string, standard: string): boolean {
  return (
    raw === standard || (BOOLEAN.test(standard) && raw.toLowerCase() === standard.toLowerCase())
  );
}
