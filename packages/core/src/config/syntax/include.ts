// The include statement: another file, or the output of a command.
import { CodedError, isCoded, messageOf, systemCode } from '../../base/errors/errors.ts';
import { LIMITS } from '../macros/expansion.ts';
import type { Reading } from './reader-state.ts';
import type { Statement } from './statements.ts';
import { decodeText, trim } from '../macros/text.ts';
import type { Origin } from '../table/config.ts';

/** The position of an include statement. */
export interface IncludePlace {
  readonly source: Source;
  readonly line: number;
}

type ReadSource = (reading: Reading, source: Source) => void;

interface IncludeOptions {
  readonly optional: boolean;
  readonly command: boolean;
  readonly cache: string | undefined;
}

/**
 * Executes `include [ifexist] [command [into FILE]] : SOURCE`. A source that ends in `|`
 * is a command, too. With `ifexist` a source that is empty, missing or cannot be cached is
 * passed over.
 * @throws CodedError `CONFIG_READ` if the source cannot be read or run, `CONFIG_SYNTAX`
 * for unknown words
 */
export function readInclude(
  statement: Statement & { kind: 'include' },
  reading: Reading,
  place: IncludePlace,
  readSource: ReadSource,
): void {
  const options = parseOptions(statement.options, reading, place);
  const target = trim(reading.expand(statement.source));
  const depth = place.source.depth + 1;
  if (depth >= LIMITS.includeDepth)
    throw syntaxError(place.source, place.line, 'includes nested too deep');
  const { cache } = options;
  const kept =
    cache === undefined ? undefined : guarded(cache, place, () => reading.host.readFile(cache));
  const command = options.command || target.includes('|');
  const name = command ? target.replace(/[| ]+$/, '') : target;
  const bytes = kept ?? freshBytes(target, name, { ...options, command }, reading, place);
  if (bytes === undefined) return;
  const asker = command ? place.source.asker : name;
  readSource(reading, { file: name, asker, text: textOf(bytes, reading, name, place), depth });
}

/** Returns the bytes of a source, `undefined` if it may be passed over. */
function freshBytes(
  target: string,
  name: string,
  options: IncludeOptions,
  reading: Reading,
  place: IncludePlace,
): Uint8Array | undefined {
  const passed = (error: () => CodedError): undefined => {
    if (!options.optional) throw error();
    return undefined;
  };
  if (name === '')
    return passed(() => syntaxError(place.source, place.line, 'include without a source'));
  if (!options.command) return fileBytes(name, options, reading, place);
  if (target.includes('|') && !target.endsWith('|') && options.cache === undefined)
    return passed(() => readError(place, `${target}: not a valid command: | must be at the end`));
  return commandOutput(name, options, reading, place);
}

/**
 * Parses the words after `include`. Macros are expanded in the name of the file only;
 * further words after `command` are ignored.
 */
function parseOptions(text: string, reading: Reading, place: IncludePlace): IncludeOptions {
  const wrong = (message: string): never => {
    throw syntaxError(place.source, place.line, message);
  };
  const words = text.split(/[ \t]+/).filter((word) => word !== '');
  const optional = words[0] === 'ifexist' || words[0] === 'ifexists';
  const [action, into, file] = optional ? words.slice(1) : words;
  const command = action === 'command' || action === 'output';
  if (action !== undefined && !command) wrong(`unexpected keyword(s) '${text}' after include`);
  if (into !== 'into') return { optional, command, cache: undefined };
  if (file === undefined) return wrong("expected filename after keyword 'into'");
  const cache = reading.expand(file);
  if (cache === '') wrong("destination for 'include into' expanded to ''");
  if (file.endsWith('|')) wrong("destination for 'include into' may not be a script");
  return { optional, command, cache };
}

function fileBytes(
  name: string,
  options: IncludeOptions,
  reading: Reading,
  place: IncludePlace,
): Uint8Array | undefined {
  const bytes = guarded(name, place, () => reading.host.readFile(name));
  if (bytes === undefined && !options.optional)
    throw readError(place, `can't open file ${name}: no such file`);
  return bytes;
}

function commandOutput(
  command: string,
  { cache, optional }: IncludeOptions,
  reading: Reading,
  place: IncludePlace,
): Uint8Array | undefined {
  const result = runCommand(command, reading, place, place.source.asker);
  if (result.kind === 'missing' && optional) return undefined;
  if (result.kind !== 'done')
    throw readError(place, `${command}: not a valid command: ${result.reason}`);
  if (cache === undefined) return result.output;
  try {
    if (result.status !== 0)
      throw readError(place, `${command}: exited with status ${result.status}`);
    guarded(cache, place, () => reading.host.writeFile(cache, result.output));
  } catch (error) {
    if (optional && isCoded(error, 'CONFIG_READ')) return undefined;
    throw error;
  }
  return result.output;
}

/**
 * Runs a command requested by the file `asker`.
 * @throws CodedError `CONFIG_READ` if commands are not allowed, or other users could have
 * written `asker`
 */
export function runCommand(
  command: string,
  reading: Reading,
  place: IncludePlace,
  asker: string,
): ReturnType<Reading['host']['run']> {
  if (!reading.commandsAllowed) throw readError(place, 'commands are not allowed here');
  const reason = asker === '' ? undefined : reading.host.writableByOthers(asker);
  if (reason !== undefined) throw readError(place, `${command} is not run: ${reason}`);
  const words = commandWords(command);
  if (!words) return { kind: 'missing', reason: 'the quotes around it are not closed' };
  return reading.host.run(words);
}

/**
 * Splits a command at blanks. In a command that begins with a double quote, single quotes
 * group words, and a doubled quote stands for itself; `undefined` if a quote is missing.
 * @see https://htcondor.readthedocs.io/en/latest/man-pages/condor_submit.html#arguments
 */
function commandWords(command: string): string[] | undefined {
  if (!command.startsWith('"'))
    return command.split(/[ \t\n\v\f\r]+/).filter((word) => word !== '');
  const inner = command.slice(1, -1).replaceAll('""', '');
  if (command.length < 2 || !command.endsWith('"') || inner.includes('"')) return undefined;
  const quoted = command.slice(1, -1).replaceAll('""', '"');
  // With pairs of single quotes the expressions below match at once: they cannot backtrack.
  if ((quoted.split("'").length - 1) % 2 !== 0) return undefined;
  return (quoted.match(/(?:[^'\s]+|'(?:[^']+|'')*')+/g) ?? []).map((word) =>
    word.replace(/'((?:[^']+|'')*)'/g, (_all, text: string) => text.replaceAll("''", "'")),
  );
}

/**
 * Registers a source as read, and decodes it.
 * @throws CodedError `CONFIG_LIMIT` if it is too large
 */
export function textOf(
  bytes: Uint8Array,
  reading: Reading,
  name: string,
  place?: IncludePlace,
): string {
  reading.sources.push(name);
  const where = place ? `${place.source.file}:${place.line}: ` : '';
  if (bytes.length > LIMITS.sourceBytes || reading.sources.length > LIMITS.sources) {
    throw new CodedError(
      'CONFIG_LIMIT',
      `${where}${name} is too large, or there are too many sources`,
      {
        file: name,
      },
    );
  }
  return decodeText(bytes);
}

function guarded<Result>(name: string, place: IncludePlace, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw readError(place, `${name}: ${systemCode(error) ?? messageOf(error)}`, error);
  }
}

/** Creates the error for a source that cannot be read, with the line of the statement. */
function readError({ source, line }: IncludePlace, message: string, cause?: unknown): CodedError {
  return new CodedError(
    'CONFIG_READ',
    `${source.file}:${line}: ${message}`,
    { file: source.file, line },
    cause,
  );
}

// A source of statements, its origin, and the format of its errors.

/** A text with statements. `file` is its name in messages and origins. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** The nesting of files and templates; 0 for a file that is not included. */
  readonly depth: number;
  /**
   * Set for the text of a template: `CATEGORY:NAME`, and the line of the `use` statement.
   */
  readonly template?: { readonly label: string; readonly line: number };
  /**
   * The file whose owner is responsible for commands in this source; differs from `file`
   * for the output of a command.
   */
  readonly asker: string;
}

/** Creates the error in a source: `file:line: message`. */
export function syntaxError(source: Source, line: number, message: string): CodedError {
  const where = source.template
    ? `${source.file}:${source.template.line}: in use ${source.template.label}, line ${line}`
    : `${source.file}:${line}`;
  return new CodedError('CONFIG_SYNTAX', `${where}: ${message}`, {
    file: source.file,
    line: source.template?.line ?? line,
  });
}

/** Returns the origin of a knob set by this line of this source. */
export function originOf(source: Source, line: number): Origin {
  const { file, template } = source;
  if (!template) return { kind: 'file', file, line };
  return { kind: 'file', file, line: template.line, template: `${template.label}+${line}` };
}
