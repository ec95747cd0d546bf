// The order of sources: files, directories, the user's file, the environment.
import { CodedError, messageOf, systemCode } from '../../base/errors/errors.ts';
import type { Origin } from '../table/config.ts';
import { runCommand, textOf, type IncludePlace } from './include.ts';
import { tolerantly, type CommandResult, type Reading } from './reader-state.ts';
import { readSource } from './statement-reader.ts';
import { parseBoolean } from '../macros/values.ts';
import { compareBytes, splitList, trimEnd, trimStart } from '../macros/text.ts';

/** Returns the position of a source that has no statement of its own. */
function placeOf(origin: Origin | undefined): IncludePlace {
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
export function readFileSource(
  reading: Reading,
  name: string,
  required: boolean,
  origin?: Origin,
): void {
  tolerantly(reading, () => readOneSource(reading, name, required, origin));
}

function readOneSource(reading: Reading, name: string, required: boolean, origin?: Origin): void {
  const place = placeOf(origin);
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
export function readDirectories(reading: Reading, list: string): void {
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
export function readLocalFiles(reading: Reading): void {
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
export function knob(reading: Reading, name: string): string {
  const raw = reading.table.lookup(name)?.raw;
  return raw === undefined ? '' : reading.expand(raw);
}

/**
 * Sets the knob of every `_CONDOR_NAME` variable; ignores empty names and names with
 * blanks. A reference to the knob itself is expanded only if a file has set the knob.
 */
export function readEnvironment(
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
