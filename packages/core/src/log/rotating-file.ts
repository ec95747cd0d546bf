// The destinations of log lines: an open descriptor, or a file that is rotated. Nothing
// here throws, because a log must not stop renewals or logins.
import { CodedError, messageOf, systemCode } from '../base/errors/errors.ts';
import { shellWord } from '../base/text/printable.ts';
import { type Finding, ok, wrong } from '../base/text/findings.ts';
import { type LineStyle, type LocalTime, formatLine, formatTime } from './line-format.ts';
import { type LogOptions } from './settings.ts';
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Appends to a file and rotates it when it is full, with the same three log lines as
 * HTCondor's own daemons.
 */
export class RotatingFile implements Sink {
  readonly #path: string;
  readonly #options: LogOptions;
  /** `undefined` once closed: the number may then belong to another file. */
  #descriptor: number | undefined;
  /**
   * The start of this file, or the last failed rotation, and the length that triggers a
   * rotation.
   */
  #since: number = Date.now();
  #full: number;
  /** Current problems that were reported on standard error. */
  readonly #reported = new Set<string>();

  /** @throws CodedError `LOG_UNWRITABLE` */
  constructor(path: string, options: LogOptions) {
    this.#path = path;
    this.#options = options;
    this.#full = options.maxBytes;
    this.#descriptor = openAppending(path, options);
  }

  write(level: string, text: string): boolean {
    if (this.#descriptor === undefined) return false;
    return this.#append(level, text, this.#rotateIfFull(this.#descriptor));
  }

  moved(): boolean {
    if (this.#descriptor === undefined) return true;
    try {
      const [ours, named] = [fstatSync(this.#descriptor), statSync(this.#path)];
      return ours.ino !== named.ino || ours.dev !== named.dev;
    } catch {
      // The name is missing or stat fails: opening it gives the reason.
      return true;
    }
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    this.#close(this.#descriptor);
    this.#descriptor = undefined;
  }

  #append(level: string, text: string, descriptor: number): boolean {
    const error = writeAll(descriptor, lineOf(this.#options.style, level, text));
    this.#report('cannot be written; lines are lost', error);
    return error === undefined;
  }

  /** Reports a problem on standard error, once until it is resolved. */
  #report(what: string, error: unknown): void {
    if (error === undefined) return void this.#reported.delete(what);
    if (this.#reported.has(what)) return;
    this.#reported.add(what);
    writeAll(
      2,
      lineOf(this.#options.style, 'error', `The log file ${this.#path} ${what} (${why(error)})`),
    );
  }

  #close(descriptor: number): void {
    try {
      closeSync(descriptor);
    } catch (error) {
      this.#report('could not be closed', error);
    }
  }

  /**
   * Returns the descriptor to write to: that of a new file, or the same one if it is not
   * full or cannot be rotated.
   */
  #rotateIfFull(descriptor: number): number {
    const length = this.#lengthIfFull(descriptor);
    if (length === undefined) return descriptor;
    const { maxBytes, maxSaved, mode } = this.#options;
    const saved = maxSaved > 1 ? savedName(this.#path, localTime()) : `${this.#path}.old`;
    this.#append('info', `MaxLog = ${maxBytes} bytes, length = ${length}`, descriptor);
    this.#append('info', `Saving log file to "${saved}"`, descriptor);
    this.#since = Date.now();
    let fresh: number;
    try {
      fresh = rotate(this.#path, saved, mode);
    } catch (error) {
      // Tried again after as many bytes as a full log has.
      this.#full = length + maxBytes;
      this.#append(
        'warn',
        `Cannot save log file to "${saved}" (${why(error)}); still writing to the old file`,
        descriptor,
      );
      return descriptor;
    }
    this.#descriptor = fresh;
    this.#full = maxBytes;
    this.#close(descriptor);
    this.#append('info', `Now in new log file ${this.#path}`, fresh);
    removeOldest(this.#path, maxSaved, (name, error) =>
      this.#append('warn', `Cannot remove old log files: ${name} (${why(error)})`, fresh),
    );
    return fresh;
  }

  #lengthIfFull(descriptor: number): number | undefined {
    const { maxBytes, maxSeconds } = this.#options;
    if (maxBytes <= 0 && maxSeconds <= 0) return undefined;
    let length = 0;
    try {
      length = fstatSync(descriptor).size;
    } catch (error) {
      this.#report('cannot be checked for its length', error);
    }
    const tooLong = maxBytes > 0 && length >= this.#full;
    const tooOld = maxSeconds > 0 && (Date.now() - this.#since) / 1000 >= maxSeconds;
    return tooLong || tooOld ? length : undefined;
  }
}

const why = (error: unknown): string => systemCode(error) ?? messageOf(error);

function openAppending(path: string, { mode, truncate }: LogOptions): number {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'a', mode);
    if (truncate && fstatSync(descriptor).isFile()) ftruncateSync(descriptor, 0);
    return descriptor;
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw new CodedError(
      'LOG_UNWRITABLE',
      `the log file ${path} cannot be opened (${why(error)})`,
      { path, system: why(error) },
      error,
    );
  }
}

// Rotation of a full log. A failure at any step leaves the log at its path.

/**
 * Renames `path` to `saved`, puts an empty file in its place and returns the descriptor
 * of that one. The empty file is created first: a full disk is noticed before anything is
 * renamed, and the previously saved log is kept.
 * @throws Error of the system; `path` is then unchanged
 */
function rotate(path: string, saved: string, mode: number): number {
  const empty = `${path}.new`;
  rmSync(empty, { force: true });
  const descriptor = openSync(empty, 'ax', mode);
  let done = false;
  try {
    const moved = move(path, saved);
    try {
      renameSync(empty, path);
    } catch (error) {
      if (moved) renameSync(saved, path);
      throw error;
    }
    done = true;
    return descriptor;
  } finally {
    if (!done) {
      closeSync(descriptor);
      rmSync(empty, { force: true });
    }
  }
}

/** False if another process has moved the log away: a new one can then be created. */
function move(path: string, saved: string): boolean {
  try {
    renameSync(path, saved);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Removes all but the `keep` newest saved logs; calls `trouble` for each that cannot be
 * removed. Ignores directories.
 */
function removeOldest(
  path: string,
  keep: number,
  trouble: (name: string, error: unknown) => void,
): void {
  if (keep <= 1) return;
  const directory = dirname(path);
  for (const name of savedLogs(path, trouble).slice(0, -keep)) {
    try {
      unlinkSync(join(directory, name));
    } catch (error) {
      trouble(join(directory, name), error);
    }
  }
}

/** Returns the names of saved logs, the oldest first. */
function savedLogs(path: string, trouble: (name: string, error: unknown) => void): string[] {
  try {
    return readdirSync(dirname(path), { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`${basename(path)}.`) && /\.\d{8}T\d{6}$/.test(name))
      .sort();
  } catch (error) {
    trouble(dirname(path), error);
    return [];
  }
}

/**
 * Checks whether the log file `path` can be opened or created. `consequence` is a clause:
 * what happens otherwise.
 */
export function checkLogFile(path: string, consequence: string): Finding {
  const what = 'log';
  const directory = dirname(path);
  const failure = accessFailure(directory, constants.W_OK | constants.X_OK);
  if (failure === 'ENOENT')
    return wrong(
      what,
      `its directory ${directory} is missing, and ${consequence}; fix: install -d ` +
        `-o condor -g condor -m 755 ${shellWord(directory)}`,
    );
  const file = accessFailure(path, constants.W_OK);
  if (file === undefined)
    return statSync(path).isDirectory()
      ? wrong(what, `${path} is a directory, and ${consequence}`)
      : ok(what, `goes to ${path}`);
  if (file === 'ENOENT' && failure === undefined) return ok(what, `will go to ${path}`);
  return wrong(what, `this process cannot write ${path} (${file}), and ${consequence}`);
}

function accessFailure(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** Takes lines until it is closed, and drops later ones. No method throws. */
export interface Sink {
  /** Returns whether the whole line was written. */
  write(level: string, text: string): boolean;
  /**
   * True if the file was moved away from its path, so that the path must be opened again.
   */
  moved(): boolean;
  close(): void;
}

/** A sink for a descriptor owned by other code, such as standard error. */
export function descriptorSink(descriptor: number, style: LineStyle): Sink {
  return {
    write: (level, text) => writeAll(descriptor, lineOf(style, level, text)) === undefined,
    moved: () => false,
    close: () => undefined,
  };
}

/** Returns a line with the current time and this process. */
export function lineOf(style: LineStyle, level: string, text: string): string {
  return formatLine(style, localTime(), process.pid, level, text);
}

/**
 * Writes all bytes and returns the error, if any: the line is lost, and the next one
 * tries again.
 */
export function writeAll(descriptor: number, line: string): unknown {
  const bytes = Buffer.from(line);
  try {
    for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Returns the current local time. */
export function localTime(): LocalTime {
  const now = new Date();
  return {
    epoch: now.getTime() / 1000,
    year: now.getFullYear(),
    month: now.getMonth() + 1,
    day: now.getDate(),
    hour: now.getHours(),
    minute: now.getMinutes(),
    second: now.getSeconds(),
  };
}

/** Returns the name of a saved log if several are kept: `<log>.YYYYMMDDTHHMMSS`. */
export function savedName(path: string, time: LocalTime): string {
  return `${path}.${formatTime('%Y%m%dT%H%M%S', time)}`;
}
