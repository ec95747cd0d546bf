// Reads a configuration from a host in HTCondor's order (files, directories, the user's file,
// the environment), and returns the finished Config.
import { CodedError, messageOf, systemCode } from '../../base/errors/errors.ts';
import { addressKnobs, hostNames } from '../facts/host-facts.ts';
import { evaluateCondition } from '../macros/conditions.ts';
import { compareBytes, splitList, trimEnd, trimStart } from '../macros/text.ts';
import { parseBoolean } from '../macros/values.ts';
import type { Config, ConfigWarning, Origin } from '../table/config.ts';
import { createConfig, createTable, type Table } from '../table/table.ts';
import { runCommand, textOf, type IncludePlace } from './include.ts';
import {
  type CommandResult,
  type ReadOptions,
  type Reading,
  createReading,
  expandContext,
  tolerantly,
} from './reader-state.ts';
import { readSource, readTemplate } from './statement-reader.ts';

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

/** Returns the position of a source that has no statement of its own. */
function includePlaceOf(origin: Origin | undefined): IncludePlace {
  const file = origin?.kind === 'file' ? origin.file : (origin?.kind ?? 'default');
  const line = origin?.kind === 'file' ? origin.line : 0;
  return {
    source: { file, asker: origin?.kind === 'file' ? origin.file : '', text: '', depth: 0 },
    line,
  };
}

/**
 * Reads one file, or the output of `command |`, which must succeed.
 * @throws CodedError `CONFIG_READ` if it is `required` and missing, or a command fails
 */
function readFileSource(reading: Reading, name: string, required: boolean, origin?: Origin): void {
  tolerantly(reading, () => readOneSource(reading, name, required, origin));
}

function readOneSource(reading: Reading, name: string, required: boolean, origin?: Origin): void {
  const place = includePlaceOf(origin);
  const piped = name.includes('|');
  const result = piped ? outputOf(reading, name, place) : undefined;
  const bytes = piped ? result?.output : bytesOf(reading, name);
  if (bytes === undefined) {
    if (!required) return;
    throw new CodedError(
      'CONFIG_READ',
      `${name}: the configuration file does not exist or cannot be read`,
      {
        file: name,
      },
    );
  }
  const asker = piped ? place.source.asker : name;
  readSource(reading, { file: name, asker, text: textOf(bytes, reading, name), depth: 0 });
  if (result && result.status !== 0)
    throw failedCommand(name, `exited with status ${result.status}`);
}

function bytesOf(reading: Reading, name: string): Uint8Array | undefined {
  try {
    return reading.host.readFile(name);
  } catch (error) {
    throw new CodedError(
      'CONFIG_READ',
      `${name}: ${systemCode(error) ?? messageOf(error)}`,
      { file: name },
      error,
    );
  }
}

function outputOf(
  reading: Reading,
  name: string,
  place: IncludePlace,
): CommandResult & { readonly kind: 'done' } {
  const command = trimEnd(name);
  if (!command.endsWith('|'))
    throw failedCommand(name, 'not a valid command: | must be at the end');
  const result = runCommand(command.replace(/[| ]+$/, ''), reading, place, place.source.asker);
  if (result.kind !== 'done') throw failedCommand(name, `not a valid command: ${result.reason}`);
  return result;
}

function failedCommand(name: string, reason: string): CodedError {
  return new CodedError('CONFIG_READ', `${name}: ${reason}`, { file: name });
}

/**
 * Reads the files of every directory in `list`, in the byte order of their paths, without
 * excluded names.
 */
function readDirectories(reading: Reading, list: string): void {
  const excluded = exclusion(reading);
  for (const directory of splitList(list)) {
    const names = reading.host.listFiles(directory) ?? [];
    const paths = names
      .filter((name) => !excluded(name))
      .map((name) => `${directory.replace(/\/+$/, '')}/${name}`);
    // A name with | is a command, for which the writers of the directory are responsible.
    const origin: Origin = { kind: 'file', file: directory, line: 0 };
    for (const path of paths.sort(compareBytes)) readFileSource(reading, path, false, origin);
  }
}

function exclusion(reading: Reading): (name: string) => boolean {
  const pattern = reading.expand(
    reading.table.lookup('LOCAL_CONFIG_DIR_EXCLUDE_REGEXP')?.raw ?? '',
  );
  if (pattern === '') return () => false;
  try {
    const regex = new RegExp(pattern);
    return (name) => regex.test(name);
  } catch (error) {
    const message =
      'LOCAL_CONFIG_DIR_EXCLUDE_REGEXP is not a regular expression ' +
      `(${messageOf(error)}); nothing is excluded`;
    reading.warnings.push({ message });
    return () => false;
  }
}

/**
 * Reads LOCAL_CONFIG_FILE. A file that changes the list replaces the remaining part of
 * it; no file is read twice.
 */
function readLocalFiles(reading: Reading): void {
  const done = new Set<string>();
  let value = knob(reading, 'LOCAL_CONFIG_FILE');
  let queue = sourceList(value);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    done.add(next);
    const origin = reading.table.lookup('LOCAL_CONFIG_FILE')?.origin;
    readFileSource(reading, next, localFilesRequired(reading), origin);
    const changed = knob(reading, 'LOCAL_CONFIG_FILE');
    if (changed === value) continue;
    value = changed;
    queue = sourceList(value).filter((name) => !done.has(name));
  }
}

/** A list with `|` is one command with its arguments. */
function sourceList(value: string): string[] {
  return value.includes('|') ? [trimStart(trimEnd(value))] : splitList(value);
}

/** The first letter decides, if it is `t` or `f`. */
function localFilesRequired(reading: Reading): boolean {
  const value = knob(reading, 'REQUIRE_LOCAL_CONFIG_FILE');
  if (/^t/i.test(value) || value === '') return true;
  if (/^f/i.test(value)) return false;
  const required = parseBoolean(value, reading.expansion().context.evaluate);
  if (required !== undefined) return required;
  const message = `REQUIRE_LOCAL_CONFIG_FILE is not a boolean ("${value}"); true is assumed`;
  reading.warnings.push({ message });
  return true;
}

/** Returns the expanded value of a knob; empty if it is not set. */
function knob(reading: Reading, name: string): string {
  const raw = reading.table.lookup(name)?.raw;
  return raw === undefined ? '' : reading.expand(raw);
}

/**
 * Sets the knob of every `_CONDOR_NAME` variable; ignores empty names and names with
 * blanks. A reference to the knob itself is expanded only if a file has set the knob.
 */
function readEnvironment(
  reading: Reading,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const origin: Origin = { kind: 'environment' };
  for (const [variable, value] of Object.entries(env)) {
    const name = /^_condor_(\S+)$/i.exec(variable)?.[1];
    if (name === undefined || value === undefined) continue;
    const raw = trimStart(value);
    if (reading.table.exact(name)) reading.assign(name, raw, origin);
    else reading.table.set(name, raw, origin);
  }
}
