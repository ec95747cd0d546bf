// The environment of the commands: the interface, and the real one; tests have their own.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readdirSync,
} from 'node:fs';
import {
  CodedError,
  STDERR,
  STDOUT,
  createSend,
  messageOf,
  systemClock,
  systemCode,
  systemRandom,
  writeFileAtomically,
  writeOutput,
  type Random,
  type Send,
} from '@credmon/core/base';

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
    out: (text) => writeOutput(STDOUT, text),
    error: (text) => writeOutput(STDERR, text),
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
