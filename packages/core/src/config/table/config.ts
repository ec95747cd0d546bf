// A configuration that has been read, and how it is printed.
import defaults from './defaults.json' with { type: 'json' };
import { declarationOf, defaultText } from '../typed/declarations.ts';

/**
 * The origin of a knob's value. `line` counts from 1; `template` is
 * `CATEGORY:NAME+offset` if a `use` statement set it.
 */
export type Origin =
  | {
      readonly kind: 'file';
      readonly file: string;
      readonly line: number;
      readonly template?: string;
    }
  | { readonly kind: 'environment' }
  | { readonly kind: 'default' }
  | { readonly kind: 'detected' };

/** A knob that is set: the spelling first used, the stored text, and its origin. */
export interface Entry {
  readonly name: string;
  readonly raw: string;
  readonly origin: Origin;
}

/** A message about a configuration source that did not end the reading. */
export interface ConfigWarning {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
}

/**
 * A configuration. Knob names are case-insensitive. A lookup tries `LOCALNAME.X`,
 * `SUBSYS.X` and `X`, each followed by its default.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/introduction-to-configuration.html
 */
export interface Config {
  readonly subsystem: string;
  readonly localName: string | undefined;
  readonly warnings: readonly ConfigWarning[];
  /** The files that were read, in order. */
  readonly sources: readonly string[];
  /**
   * Returns the expanded value; `undefined` if the knob is not set or expands to an empty
   * text.
   * @throws CodedError `CONFIG_LIMIT` on endless expansion
   */
  get(name: string): string | undefined;
  /** Returns the value as written, unexpanded; `undefined` if it is not set. */
  raw(name: string): string | undefined;
  /**
   * Returns the name under which a lookup finds the knob, with its prefix and in the
   * spelling first used; `undefined` if it is not set.
   */
  foundName(name: string): string | undefined;
  /** Returns the origin of the value of {@link get}; `undefined` if it is not set. */
  origin(name: string): Origin | undefined;
  /** Expands macros in any text as if it were a value. */
  expand(text: string): string;
  /**
   * Returns all knobs with a value or default, in the spelling first used, sorted
   * case-insensitively.
   */
  names(): readonly string[];
  /**
   * Returns those of {@link names} that a file or the environment sets, without
   * defaults and facts about the machine.
   */
  setNames(): readonly string[];
}

/** Built-in defaults by their names in lower case. */
export interface Defaults extends Pick<ReadonlyMap<string, Entry>, 'get' | 'has' | 'keys'> {
  /** Returns the names in lower case that begin with `prefix`, in lower case. */
  beginningWith(prefix: string): readonly string[];
}

/**
 * Indexes a table of defaults once, to share it between tables. Most programs read few
 * defaults: an entry is made when its default is looked up, and names in capitals are not
 * indexed.
 */
export function indexDefaults(defaults: Readonly<Record<string, string>>): Defaults {
  const origin: Origin = { kind: 'default' };
  const names = Object.keys(defaults);
  const mixed = new Map<string, string>();
  for (const name of names) if (name !== name.toUpperCase()) mixed.set(name.toLowerCase(), name);
  const spelling = (key: string): string | undefined => {
    const capitals = key.toUpperCase();
    return Object.hasOwn(defaults, capitals) ? capitals : mixed.get(key);
  };
  return {
    has: (key) => spelling(key) !== undefined,
    keys: () => names.map((name) => name.toLowerCase()).values(),
    beginningWith: (prefix) => {
      const capitals = prefix.toUpperCase();
      return [
        ...names.filter((name) => name.startsWith(capitals)).map((name) => name.toLowerCase()),
        ...[...mixed.keys()].filter((key) => key.startsWith(prefix)),
      ];
    },
    get: (key) => {
      const name = spelling(key);
      return name === undefined ? undefined : { name, raw: defaults[name] ?? '', origin };
    },
  };
}

let standard: Defaults | undefined;

/** Returns HTCondor's built-in defaults. */
export function standardDefaults(): Defaults {
  return (standard ??= indexDefaults(defaults));
}

/**
 * Returns an origin in the format of `condor_config_val -v`: `file, line N`,
 * `<Environment>`, `<Default>` or `<Detected>`.
 */
export function originText(origin: Origin | undefined): string {
  switch (origin?.kind) {
    case 'file':
      return `${origin.file}, line ${origin.line}${origin.template === undefined ? '' : `, use ${origin.template}`}`;
    case 'environment':
      return '<Environment>';
    case 'default':
      return '<Default>';
    case 'detected':
      return '<Detected>';
    case undefined:
      return '<not set>';
  }
}

/** Returns a warning with its position, if known: `file, line N: message`. */
export function warningText({ message, file, line }: ConfigWarning): string {
  return file === undefined || line === undefined ? message : `${file}, line ${line}: ${message}`;
}

/**
 * Returns the value and raw text of a knob as condor_config_val does: the name under
 * which the knob is set is looked up once more, with prefixes, for the value only.
 * References inside values are looked up once.
 */
export function queryKnob(
  config: Config,
  name: string,
): { value: string | undefined; raw: string | undefined } {
  return { value: config.get(config.foundName(name) ?? name), raw: config.raw(name) };
}

/** Formats `NAME = raw`, or a block for a value of several lines. */
export function assignmentText(name: string, raw: string): string {
  if (!raw.includes('\n')) return `${name} = ${raw}`;
  return [`${name} @=end`, ...raw.split('\n').map((line) => `   ${line}`), '@end'].join('\n');
}

/**
 * What `condor_config_val -v NAME` prints, and the default of one of credmon's own knobs;
 * `undefined` for a knob that is not defined.
 */
export function verboseText(config: Config, name: string): string | undefined {
  const { value, raw } = queryKnob(config, name);
  if (value === undefined) return undefined;
  const found = config.foundName(name) ?? name;
  const declaration = declarationOf(name);
  const base =
    standardDefaults().get(name.toLowerCase())?.raw ?? (declaration && defaultText(declaration));
  return [
    `${found} = ${value}`,
    ` # at: ${originText(config.origin(name))}`,
    ` # raw: ${found} = ${raw ?? ''}`,
    ...(base === undefined || base === raw ? [] : [` # default: ${base}`]),
  ].join('\n');
}

/**
 * Options of a dump: names by a pattern (anywhere in the name, case-insensitive), and
 * values instead of raw texts.
 */
export interface DumpOptions {
  readonly pattern?: RegExp;
  readonly expanded?: boolean;
}

/**
 * Returns the output of `condor_config_val -dump`: a heading, all knobs sorted by name,
 * and the files that were read. A raw text has the name under which the knob is set.
 */
export function dumpText(config: Config, options: DumpOptions = {}): string {
  const { pattern, expanded = false } = options;
  const lines = [`# Configuration from machine: ${config.get('FULL_HOSTNAME') ?? ''}`, ''];
  for (const name of config.names()) {
    if (pattern && !pattern.test(name)) continue;
    if (expanded) lines.push(assignmentText(name, config.get(name) ?? ''));
    else lines.push(assignmentText(config.foundName(name) ?? name, config.raw(name) ?? ''));
  }
  const files = config.sources.map((file) => `#\t${file}`);
  return [...lines, '# Contributing configuration file(s):', ...files, ''].join('\n');
}

/**
 * Returns the output of `condor_config_val -macro TEXT`: macros expanded, `$(DOLLAR)`
 * unchanged.
 */
export function expandMacroText(config: Config, text: string): string {
  return text
    .split(/(\$\(dollar\))/i)
    .map((part) => (/^\$\(dollar\)$/i.test(part) ? part : config.expand(part)))
    .join('');
}
