// The state of reading one configuration: its inputs, the knobs so far, the host, warnings
// and sources.
import { CodedError, isCoded } from '../../base/errors/errors.ts';
import type { HostAddress } from '../facts/host-facts.ts';
import type { ConditionContext, EvaluateExpression } from '../macros/conditions.ts';
import { expandSelf, expandText, startExpansion } from '../macros/expand.ts';
import { type ExpandContext, type Expansion, LIMITS } from '../macros/expansion.ts';
import type { ConfigWarning, Defaults, Origin } from '../table/config.ts';
import type { Table } from '../table/table.ts';
import type { Template, Templates } from './templates.ts';

/** The result of a program: `missing` if it cannot be started. */
export type CommandResult =
  | { readonly kind: 'done'; readonly output: Uint8Array; readonly status: number }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'stopped'; readonly reason: string };

/** The host from which configurations are read. Every call is synchronous and bounded. */
export interface SourceHost {
  /**
   * Returns a file's bytes; none for a directory; `undefined` if there is no such file.
   * @throws the system's error
   */
  readFile(path: string): Uint8Array | undefined;
  isDirectory(path: string): boolean;
  /**
   * Returns the names of the regular files in a directory; `undefined` if it cannot be
   * read.
   */
  listFiles(path: string): readonly string[] | undefined;
  /** Runs a program without a shell and waits for it. */
  run(command: readonly string[]): CommandResult;
  /**
   * Returns the text of the template `CATEGORY:NAME` in the installed HTCondor;
   * `undefined` if HTCondor is not installed, does not answer in time, or does not know
   * the name.
   */
  templateText(label: string): string | undefined;
  /**
   * Writes the cached output of a command.
   * @throws the system's error
   */
  writeFile(path: string, bytes: Uint8Array): void;
  /**
   * Returns why users other than root and the process's own user can change this file or
   * a parent directory; `undefined` if they cannot.
   */
  writableByOthers(path: string): string | undefined;
}

/** Facts about the machine and process; the texts become knobs. */
export interface HostFacts {
  /**
   * Returns the machine's name, with its domain if known; called only if NETWORK_HOSTNAME
   * is not set and names are looked up (NO_DNS).
   */
  readonly fullHostname: () => string;
  /** The home directory of the user condor; empty if there is none. */
  readonly tilde: string;
  /** The home directory of the process's user in the password database. */
  readonly home: string;
  readonly uid: number;
  /**
   * Knobs that are set before any file is read: OPSYS, ARCH, DETECTED_CPUS... A function is
   * called when its knob is looked up.
   */
  readonly early: Readonly<Record<string, string | (() => string)>>;
  /** Knobs that are set after all files: USERNAME, PID... */
  readonly late: Readonly<Record<string, string>>;
  /** Returns the addresses of the interfaces that are up, in the system's order. */
  readonly addresses: () => readonly HostAddress[];
}

/** The inputs of a reading. */
export interface ReadOptions {
  readonly subsystem: string;
  readonly localName: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly facts: HostFacts;
  readonly host: SourceHost;
  readonly defaults: Defaults;
  readonly templates: Templates;
  readonly evaluate: EvaluateExpression;
  readonly random: (below: number) => number;
  readonly commandsAllowed: boolean;
  /** Read instead of the root file and the files that it names. */
  readonly files?: readonly string[] | undefined;
  /** The version for conditions. */
  readonly version: readonly [number, number, number];
  /** Like {@link Reading.tolerate}. */
  readonly tolerate?: ((error: CodedError) => void) | undefined;
}

/** One reading of a configuration. */
export interface Reading {
  readonly table: Table;
  readonly host: SourceHost;
  readonly templates: Templates;
  /**
   * Returns a template of the table, or else of the installed HTCondor; `undefined` for
   * an unknown one.
   */
  findTemplate(category: string, name: string): Template | undefined;
  readonly conditions: ConditionContext;
  readonly commandsAllowed: boolean;
  readonly warnings: ConfigWarning[];
  readonly sources: string[];
  expansion(): Expansion;
  expand(text: string): string;
  /** Stores a value after expanding references to the knob itself. */
  assign(name: string, value: string, origin: Origin): void;
  /**
   * Called with each error; the statement or source is then skipped. Without it the first
   * error ends the reading.
   */
  readonly tolerate?: ((error: CodedError) => void) | undefined;
}

/**
 * Runs `action`. If the reading tolerates errors, an error does not end the reading.
 * @throws CodedError thrown by `action`
 */
export function tolerantly({ tolerate }: Pick<Reading, 'tolerate'>, action: () => void): void {
  if (!tolerate) return action();
  try {
    action();
  } catch (error) {
    if (!isCoded(error)) throw error;
    tolerate(error);
  }
}

/** Returns what expands macros with the knobs of `table`. */
export function expandContext(
  table: Table,
  options: ReadOptions,
  warnings: ConfigWarning[],
): ExpandContext {
  return {
    lookup: (name) => table.lookup(name)?.raw,
    environment: (name) => options.env[name],
    evaluate: options.evaluate,
    random: options.random,
    problem: (message) => {
      if (!warnings.some((warning) => warning.message === message)) warnings.push({ message });
    },
  };
}

/** Creates a reading into `table`; nothing is read yet. */
export function createReading(
  table: Table,
  context: ExpandContext,
  options: ReadOptions,
  warnings: ConfigWarning[],
): Reading {
  const expand = (text: string): string =>
    text.includes('$') ? expandText(text, startExpansion(context)) : text;
  const { templates } = options;
  const findTemplate = templateFinder(options);
  return {
    table,
    host: options.host,
    templates,
    findTemplate,
    commandsAllowed: options.commandsAllowed,
    warnings,
    tolerate: options.tolerate,
    sources: [],
    expansion: () => startExpansion(context),
    expand,
    conditions: {
      expand,
      isDefined: (name) => (table.lookup(name)?.raw ?? '') !== '',
      hasTemplate: (category, name) =>
        name === undefined
          ? templates.hasCategory(category)
          : (findTemplate(category, name)?.lines ?? null) !== null,
      version: options.version,
    },
    assign: (name, value, origin) => {
      const isSelf = (reference: string): boolean => table.isSelf(name, reference);
      const raw = value.includes('$') ? expandSelf(value, isSelf, startExpansion(context)) : value;
      if (raw.length > LIMITS.valueLength) {
        throw new CodedError('CONFIG_LIMIT', `value of ${name} too long`, { name });
      }
      table.set(name, raw, origin);
    },
  };
}

/**
 * Finds templates in the table, else in the installed HTCondor, which is asked once per
 * name. A reading that allows no commands does not ask.
 */
function templateFinder({
  templates,
  host,
  commandsAllowed,
}: ReadOptions): Reading['findTemplate'] {
  const asked = new Map<string, Template | undefined>();
  const ask = (label: string): Template | undefined => {
    if (!commandsAllowed || !/^\w+:\w+$/.test(label)) return undefined;
    const lines = host.templateText(label)?.split('\n');
    return lines && { label, lines };
  };
  return (category, name) => {
    const known = templates.find(category, name);
    if (known) return known;
    const label = `${category}:${name}`;
    const key = label.toLowerCase();
    if (!asked.has(key)) asked.set(key, ask(label));
    return asked.get(key);
  };
}
