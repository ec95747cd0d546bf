// Assembles a configuration from a host in HTCondor's order, and returns the finished
// Config.
import { CodedError } from '../../base/errors/errors.ts';
import { type HostAddress, addressKnobs, hostNames } from '../facts/host-facts.ts';
import { evaluateCondition, type EvaluateExpression } from '../macros/conditions.ts';
import type { Config, ConfigWarning, Defaults, Origin } from '../table/config.ts';
import { createConfig, createTable, type Table } from '../table/table.ts';
import { expandSelf, expandText, startExpansion } from '../macros/expand.ts';
import { type ExpandContext, LIMITS } from '../macros/expansion.ts';
import { tolerantly, type Reading, type SourceHost } from './reader-state.ts';
import {
  knob,
  readDirectories,
  readEnvironment,
  readFileSource,
  readLocalFiles,
} from './sources.ts';
import { readTemplate } from './statement-reader.ts';
import type { Template, Templates } from './templates.ts';

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

const FORBIDDEN = 'YOU_MUST_CHANGE_THIS_INVALID_CONDOR_CONFIGURATION_VALUE';
const DETECTED: Origin = { kind: 'detected' };

/**
 * Reads a configuration: root file, local directories and files, the user's file,
 * environment; then the knobs set by the process itself, and the templates of AUTO_USE
 * knobs.
 * @throws CodedError `CONFIG_READ`, `CONFIG_SYNTAX` or `CONFIG_LIMIT`, with file and line
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/introduction-to-configuration.html
 */
export function readConfiguration(options: ReadOptions): Config {
  const { subsystem, localName, facts } = options;
  const table = createTable(options.defaults, subsystem, localName);
  const warnings: ConfigWarning[] = [];
  const context = expandContext(table, options, warnings);
  const reading = createReading(table, context, options, warnings);
  const detect = (name: string, value: string): void => {
    if (value !== '') table.set(name, value, DETECTED);
  };
  const specials = (): void => {
    detect('TILDE', facts.tilde);
    detect('SUBSYSTEM', subsystem);
    detect('LOCALNAME', localName ?? subsystem);
  };
  specials();
  const read = (name: string): string => knob(reading, name);
  const detectAll = (knobs: Readonly<Record<string, string | (() => string)>>): void => {
    for (const [name, value] of Object.entries(knobs))
      if (typeof value === 'string') detect(name, value);
      else table.detect(name, value);
  };
  detectAll(facts.early);
  const detectNames = (): void => detectAll(hostNames(read, facts, options.evaluate));
  tolerantly(reading, () => readFiles(reading, options, detectNames));
  readEnvironment(reading, options.env);
  specials();
  detectNames();
  const knobs = addressKnobs(read, facts.addresses, options.evaluate, (problem) =>
    warnings.push({ message: problem.message, ...placeOf(table, problem.knob) }),
  );
  detectAll({ ...facts.late, ...knobs });
  tolerantly(reading, () => readAutomaticTemplates(reading));
  tolerantly(reading, () => refuseForbidden(table));
  return createConfig({ subsystem, localName, table, context, warnings, sources: reading.sources });
}

/** Returns file and line of a knob's value, if a file sets it. */
function placeOf(table: Table, name: string): { file?: string; line?: number } {
  const origin = table.lookup(name)?.origin;
  return origin?.kind === 'file' ? { file: origin.file, line: origin.line } : {};
}

function readFiles(reading: Reading, options: ReadOptions, detectHost: () => void): void {
  if (options.files) {
    detectHost();
    for (const file of options.files) readFileSource(reading, file, true);
    return;
  }
  const root = options.env['CONDOR_CONFIG'];
  if (root?.toUpperCase() === 'ONLY_ENV') return detectHost();
  readRoot(reading, root, options);
  detectHost();
  const directories = knob(reading, 'LOCAL_CONFIG_DIR');
  readDirectories(reading, directories);
  readLocalFiles(reading);
  const changed = knob(reading, 'LOCAL_CONFIG_DIR');
  if (changed !== directories) readDirectories(reading, changed);
  if (options.facts.uid !== 0) readUserFile(reading, options.facts.home);
}

function readRoot(reading: Reading, root: string | undefined, { facts }: ReadOptions): void {
  if (root !== undefined && root !== '') {
    if (reading.host.isDirectory(root)) {
      throw new CodedError('CONFIG_READ', `${root}: CONDOR_CONFIG names a directory, not a file`, {
        file: root,
      });
    }
    reading.table.set('CONFIG_ROOT', directoryOf(root), DETECTED);
    return readFileSource(reading, root, true, { kind: 'environment' });
  }
  const places = ['/etc/condor/condor_config', '/usr/local/etc/condor_config'];
  if (facts.tilde !== '') places.push(`${facts.tilde}/condor_config`);
  for (const place of places) {
    if (reading.host.readFile(place) === undefined) continue;
    reading.table.set('CONFIG_ROOT', directoryOf(place), DETECTED);
    return readFileSource(reading, place, true);
  }
  const message = `no configuration: set CONDOR_CONFIG to a file or to ONLY_ENV, or write one of ${places.join(', ')}`;
  throw new CodedError('CONFIG_READ', message);
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, Math.max(1, slash));
}

function readUserFile(reading: Reading, home: string): void {
  const name = knob(reading, 'USER_CONFIG_FILE');
  if (name === '') return;
  if (name.startsWith('/')) return readFileSource(reading, name, false);
  if (home !== '') readFileSource(reading, `${home}/.condor/${name}`, false);
}

function readAutomaticTemplates(reading: Reading): void {
  const { table } = reading;
  for (const name of table.beginningWith('auto_use_')) {
    const entry = table.lookup(name);
    const match = /^AUTO_USE_([^_]+)_(.+)$/i.exec(entry?.name ?? '');
    if (!entry) continue;
    const verdict = evaluateCondition(entry.raw, reading.conditions);
    if (!match || !('value' in verdict) || !verdict.value) continue;
    const file = entry.origin.kind === 'file' ? entry.origin.file : entry.origin.kind;
    const line = entry.origin.kind === 'file' ? entry.origin.line : 0;
    const use = { name: match[2] ?? '', arguments: undefined };
    readTemplate(reading, { file, asker: file, text: '', depth: 0 }, line, match[1] ?? '', use);
  }
}

function refuseForbidden(table: Table): void {
  for (const { name, raw, origin } of table.entries()) {
    if (raw !== FORBIDDEN) continue;
    const where = origin.kind === 'file' ? `${origin.file}:${origin.line}` : origin.kind;
    throw new CodedError(
      'CONFIG_SYNTAX',
      `${where}: ${name} still has the value that must be changed`,
      {
        name,
      },
    );
  }
}

function expandContext(
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

function createReading(
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
