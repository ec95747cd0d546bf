// The knobs that are set, their built-in defaults, and the order of prefixes; and the
// finished configuration: cached lookups in this table.
import { CodedError, isCoded } from '../../base/errors/errors.ts';
import { expandText, startExpansion } from '../macros/expand.ts';
import type { ExpandContext } from '../macros/expansion.ts';
import {
  type Config,
  type ConfigWarning,
  type Defaults,
  type Entry,
  type Origin,
  originText,
} from './config.ts';

/** The knobs of one configuration. Names are case-insensitive. */
export interface Table {
  /**
   * Sets a knob. A value equal to the built-in default of an unset knob is not stored; for
   * a name with a prefix, it is stored as the default of the knob is written.
   */
  set(name: string, raw: string, origin: Origin): void;
  /**
   * Calls `read` when the knob is looked up, and sets the knob to the result. If the
   * result is empty, the knob keeps its value, also one that was detected before and not
   * looked up yet.
   */
  detect(name: string, read: () => string): void;
  /** Returns the knob with exactly this name if it is set; no default, no prefix. */
  exact(name: string): Entry | undefined;
  /** Looks up `LOCALNAME.X`, `SUBSYS.X` and `X`, each followed by its default. */
  lookup(name: string): Entry | undefined;
  /** Returns the built-in default of this name. */
  defaultOf(name: string): Entry | undefined;
  /** True if an assignment to `name` sets the knob that a lookup of `reference` finds. */
  isSelf(name: string, reference: string): boolean;
  /**
   * Returns all knobs that are set, except {@link detect}ed ones that were not looked up.
   */
  entries(): IterableIterator<Entry>;
  /** Returns the names of all knobs that are set. */
  names(): readonly string[];
  /** Returns those of {@link names} that a file or the environment sets. */
  givenNames(): readonly string[];
  /**
   * Returns all built-in defaults that a lookup may find; those for other subsystems, such
   * as `MASTER.IsMaster`, are left out.
   */
  defaults(): IterableIterator<Entry>;
  /**
   * Returns the names in lower case, of knobs that are set and of defaults, that begin with
   * `prefix`, sorted.
   */
  beginningWith(prefix: string): readonly string[];
}

const DETECTED: Origin = { kind: 'detected' };
const BOOLEAN = /^(?:true|false)$/i;

/** Creates an empty table for a process of this subsystem and local name. */
export function createTable(
  defaults: Defaults,
  subsystem: string,
  localName: string | undefined,
): Table {
  const set = new Map<string, Entry>();
  const facts = new Map<string, { readonly name: string; readonly read: () => string }>();
  const put = (key: string, name: string, raw: string, origin: Origin): void => {
    const old = find(key);
    const exact = defaults.get(key);
    const standard = exact ?? defaults.get(key.slice(key.indexOf('.') + 1));
    const same = !old && standard && sameAsDefault(raw, standard.raw);
    if (same && exact) return;
    set.set(key, { name: old?.name ?? name, raw: same ? standard.raw : raw, origin });
  };
  const find = (key: string): Entry | undefined => {
    const fact = facts.get(key);
    if (fact) {
      facts.delete(key);
      const value = fact.read();
      if (value !== '') put(key, fact.name, value, DETECTED);
    }
    return set.get(key);
  };
  const prefixes = [localName ?? '', subsystem]
    .filter((prefix) => prefix !== '')
    .map((p) => `${p.toLowerCase()}.`);
  const lookups = [...prefixes, ''];
  const lookup = (name: string): Entry | undefined => {
    const key = name.toLowerCase();
    for (const prefix of lookups) {
      const found = find(prefix + key) ?? defaults.get(prefix + key);
      if (found) return found;
    }
    return undefined;
  };
  return {
    set: (name, raw, origin) => put(name.toLowerCase(), name, raw, origin),
    detect: (name, read) => {
      const key = name.toLowerCase();
      const before = facts.get(key)?.read;
      facts.set(key, { name, read: before ? () => read() || before() : read });
    },
    exact: (name) => find(name.toLowerCase()),
    lookup,
    defaultOf: (name) => defaults.get(name.toLowerCase()),
    isSelf: (name, reference) => {
      const [target, wanted] = [name.toLowerCase(), reference.toLowerCase()];
      return target === wanted || prefixes.some((prefix) => target === prefix + wanted);
    },
    entries: () => set.values(),
    names: () => {
      for (const key of facts.keys()) find(key);
      return [...set.values()].map(({ name }) => name);
    },
    givenNames: () =>
      [...set]
        .filter(([key, { origin }]) => origin.kind !== 'detected' && !facts.has(key))
        .map(([, { name }]) => name),
    defaults: function* () {
      for (const key of defaults.keys()) {
        if (prefixes.some((prefix) => defaults.has(prefix + key))) continue;
        if (key.includes('.') && !prefixes.some((prefix) => key.startsWith(prefix))) continue;
        const entry = defaults.get(key);
        if (entry) yield entry;
      }
    },
    beginningWith: (prefix) => {
      const begins = (key: string): boolean => key.startsWith(prefix);
      return [
        ...new Set([
          ...defaults.beginningWith(prefix),
          ...[...set.keys(), ...facts.keys()].filter(begins),
        ]),
      ].sort();
    },
  };
}

function sameAsDefault(raw: string, standard: string): boolean {
  return (
    raw === standard || (BOOLEAN.test(standard) && raw.toLowerCase() === standard.toLowerCase())
  );
}

/** The parts of a Config. */
export interface ConfigParts {
  readonly subsystem: string;
  readonly localName: string | undefined;
  readonly table: Table;
  readonly context: ExpandContext;
  readonly warnings: readonly ConfigWarning[];
  readonly sources: readonly string[];
}

/**
 * Returns a Config over these knobs, which must not change any more. Random values are
 * computed at each call.
 */
export function createConfig(parts: ConfigParts): Config {
  const { table, context } = parts;
  const kept = new Map<string, string>();
  const valueOf = (name: string): string | undefined => {
    const key = name.toLowerCase();
    const old = kept.get(key);
    if (old !== undefined) return old;
    const entry = table.lookup(name);
    if (entry === undefined) return undefined;
    const expansion = startExpansion(context);
    const value = named(name, entry.origin, () => expandText(entry.raw, expansion));
    if (!expansion.chance) kept.set(key, value);
    return value;
  };
  return {
    subsystem: parts.subsystem,
    localName: parts.localName,
    warnings: parts.warnings,
    sources: parts.sources,
    get: (name) => valueOf(name) || undefined,
    raw: (name) => table.lookup(name)?.raw,
    foundName: (name) => table.lookup(name)?.name,
    origin: (name) => table.lookup(name)?.origin,
    expand: (text) => expandText(text, startExpansion(context)),
    names: () => allNames(table),
    setNames: () =>
      table
        .givenNames()
        .map((name) => ({ key: name.toLowerCase(), name }))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .map(({ name }) => name),
  };
}

/** Adds the knob and its place to an error of its expansion. */
function named<T>(name: string, origin: Origin, expand: () => T): T {
  try {
    return expand();
  } catch (error) {
    if (!isCoded(error, 'CONFIG_LIMIT')) throw error;
    const { reason } = error.fields;
    const place = originText(origin);
    throw new CodedError(
      'CONFIG_LIMIT',
      `${place}: ${name} cannot be expanded: ${String(reason)}`,
      { reason, knob: name, place },
      error,
    );
  }
}

function allNames(table: Table): readonly string[] {
  const names = new Map<string, string>();
  for (const { name } of table.defaults()) names.set(name.toLowerCase(), name);
  for (const name of table.names()) names.set(name.toLowerCase(), name);
  return [...names.entries()]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, name]) => name);
}
