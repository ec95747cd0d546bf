// What all commands share: the environment (the interface and the real one), the exit
// codes, and the format of values on a terminal.
import type { KeyRecord, RotationStep } from '../keys/rotation.ts';
import {
  CodedError,
  type Random,
  STDERR,
  STDOUT,
  type Send,
  createSend,
  isCoded,
  messageOf,
  printableLine,
  systemClock,
  systemCode,
  systemRandom,
  tableText,
  writeFileAtomically,
  writeOutput,
} from '@credmon/core/base';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readdirSync,
} from 'node:fs';

/** The environment of a command. */
export interface Io {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly userId: number;
  /** Epoch seconds. */
  readonly now: () => number;
  readonly random: Random;
  readonly send: Send;
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** True if standard input is a pipe or a file, which may contain a token. */
  readonly isPiped: () => boolean;
  readonly readInput: () => string;
  /** @throws CodedError `TOKEN_UNREADABLE` */
  readonly readFile: (path: string) => string;
  /**
   * Like `readFile`, but returns `undefined` for a missing file; with `mustBeOwn`,
   * rejects another user's file and what is not a regular file, and never blocks.
   */
  readonly readIfThere: (path: string, mustBeOwn: boolean) => string | undefined;
  /**
   * Returns the names in a directory; none if it does not exist.
   * @throws CodedError `TOKEN_UNREADABLE`
   */
  readonly listDirectory: (path: string) => readonly string[];
  readonly exists: (path: string) => boolean;
  readonly writeFile: (path: string, text: string, mode: number) => void;
}

const MAX_FILE_BYTES = 1024 * 1024;

/** The real environment, and `close`, which ends its connections. */
export function systemIo(): Io & { readonly close: () => Promise<void> } {
  const { send, close } = createSend();
  return {
    environment: process.env,
    userId: process.geteuid?.() ?? 0,
    now: () => systemClock.now(),
    random: systemRandom,
    send,
    close,
    // Nothing is returned: what a command returns is its exit code.
    out: (text) => void writeOutput(STDOUT, text),
    error: (text) => void writeOutput(STDERR, text),
    isPiped: () => {
      const facts = fstatSync(0);
      return facts.isFIFO() || facts.isFile() || facts.isSocket();
    },
    readInput: () => readFileSync(0, 'utf8'),
    readFile: (path) => readFile(path, false) ?? unreadable(path, 'does not exist'),
    readIfThere: readFile,
    listDirectory,
    exists: existsSync,
    writeFile: (path, text, mode) => writeFileAtomically(path, text, { mode, durable: true }),
  };
}

function unreadable(path: string, problem: string, cause?: unknown): never {
  throw new CodedError('TOKEN_UNREADABLE', `${path} ${problem}`, { path, problem }, cause);
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    return unreadable(path, `cannot be read: ${messageOf(error)}`, error);
  }
}

function readFile(path: string, mustBeOwn: boolean): string | undefined {
  let descriptor: number;
  try {
    // Opening a FIFO under a predictable name must not wait for a writer.
    descriptor = openSync(path, constants.O_RDONLY | (mustBeOwn ? constants.O_NONBLOCK : 0));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    return unreadable(path, `cannot be read: ${messageOf(error)}`, error);
  }
  try {
    const facts = fstatSync(descriptor);
    if (facts.isDirectory() || facts.size > MAX_FILE_BYTES)
      return unreadable(path, 'is a directory or too large');
    if (mustBeOwn && !facts.isFile()) return unreadable(path, 'is not a regular file');
    const isForeign = facts.uid !== 0 && facts.uid !== process.geteuid?.();
    if (mustBeOwn && isForeign) return unreadable(path, 'is owned by another user');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Creates the error for wrong usage. Masks texts that look like a token, because parsers
 * quote arguments.
 */
export function misuse(problem: string): CodedError {
  const masked = problem.replace(/[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, 'TOKEN');
  return new CodedError('USAGE', masked, { problem: masked });
}

/** A command. Without an exit code it is 0. */
export type Work = () => Promise<number | void> | number | void;

/**
 * Runs a command. Converts an error to an exit code and one line on standard error, and
 * with `json` also to an object on standard output.
 */
export async function runCommand(name: string, io: Io, json: boolean, work: Work): Promise<number> {
  try {
    return (await work()) ?? 0;
  } catch (error) {
    if (isCoded(error, 'USAGE')) {
      io.error(`${name}: ${error.message}\nTry '${name} --help'.\n`);
      return 2;
    }
    const code = isCoded(error) ? error.code : undefined;
    if (json) io.out(`${JSON.stringify({ accepted: false, code, reason: messageOf(error) })}\n`);
    io.error(`${name}: ${messageOf(error)}${code === undefined ? '' : ` [${code}]`}\n`);
    return 1;
  }
}

/** Formats epoch seconds as local time with its offset: `2026-11-23 13:05:00 +0100`. */
export function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds} (invalid date)`;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${day} ${time} ${zone}`;
}

/** Returns a value of a token on one line, without characters that control a terminal. */
export function shownValue(value: unknown): string {
  return printableLine(typeof value === 'string' ? value : JSON.stringify(value));
}

// The format of keys and rotation steps.

const DATES = ['created', 'published', 'activated', 'retiring', 'retired'] as const;

/**
 * Formats one step of a rotation: `activate 3f2a`, or the reason of a wait and its end
 * (local time).
 */
export function stepText(step: RotationStep): string {
  if (step.step !== 'wait') return `${step.step}${'kid' in step ? ` ${step.kid}` : ''}`;
  return `${step.reason}${step.until === undefined ? '' : ` until ${localTime(step.until)}`}`;
}

/**
 * Formats the keys of a directory in columns, with their states and local dates; 80
 * columns with key ids of up to five letters. Ends in a newline.
 */
export function keyTable(keys: readonly KeyRecord[]): string {
  const dateOf = (seconds: number | undefined): string =>
    seconds === undefined ? '-' : localTime(seconds).slice(0, 10);
  return `${tableText([
    ['KID', 'ALG', 'STATE', ...DATES.map((name) => name.toUpperCase())],
    ...keys.map((key) => [
      key.kid,
      key.algorithm,
      key.state,
      ...DATES.map((name) => dateOf(key[name])),
    ]),
  ])}\n`;
}
