// The finished configuration: cached lookups in the table of knobs.
import { CodedError, isCoded } from '../../base/errors/errors.ts';
import { originText, type Config, type ConfigWarning, type Origin } from './config.ts';
import { expandText, startExpansion } from '../macros/expand.ts';
import type { ExpandContext } from '../macros/expansion.ts';
import type { Table } from './table.ts';

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
  for (const { name } of table.entries()) names.set(name.toLowerCase(), name);
  return [...names.entries()]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, name]) => name);
}
