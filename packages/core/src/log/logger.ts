// The log file: winston in front, behind it a synchronous writer that rotates by HTCondor's knobs and loses no line.
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import winston from 'winston';
import Transport from 'winston-transport';
import { CodedError, systemCode } from '../base/errors.ts';
import { formatLine, savedName, type LineStyle, type LocalTime } from './format.ts';
import type { Log } from './log.ts';

/** Where and how to log. `maxBytes` and `maxSeconds` of 0 mean never; `maxSaved` 1 means one `.old`; `mode` is that of a new file. */
export interface LogOptions {
  readonly path: string | undefined;
  readonly stderr: boolean;
  readonly debug: boolean;
  readonly maxBytes: number;
  readonly maxSeconds: number;
  readonly maxSaved: number;
  readonly truncate: boolean;
  readonly mode: number;
  readonly style: LineStyle;
}

/** A log that can be reopened with other options and closed. */
export interface Logger extends Log {
  /** Without `options`, the same log anew. @throws CodedError `LOG_UNWRITABLE`; it then goes on where it was */
  reopen(options?: LogOptions): void;
  close(): void;
}

/**
 * Opens the log.
 * @throws CodedError `LOG_UNWRITABLE` when the file cannot be opened
 * @see https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#daemon-logging-configuration-file-entries
 */
export function openLog(options: LogOptions): Logger {
  let current = options;
  const logger = winston.createLogger({ level: levelOf(options), transports: transportsOf(options) });
  return {
    error: (text) => void logger.error(text),
    warn: (text) => void logger.warn(text),
    info: (text) => void logger.info(text),
    debug: (text) => void logger.debug(text),
    reopen: (next = current) => {
      const fresh = transportsOf({ ...next, truncate: false });
      logger.clear();
      for (const transport of fresh) logger.add(transport);
      logger.level = levelOf(next);
      current = next;
    },
    close: () => void logger.close(),
  };
}

const levelOf = ({ debug }: LogOptions): string => (debug ? 'debug' : 'info');

function transportsOf(options: LogOptions): Transport[] {
  const transports: Transport[] = [];
  if (options.path !== undefined) transports.push(new RotatingFile(options.path, options));
  if (options.stderr) transports.push(new Descriptor(2, options.style));
  return transports;
}

/** What winston hands to a transport. */
interface Entry {
  readonly level: string;
  readonly message: unknown;
}

function localTime(): LocalTime {
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

const lineOf = (style: LineStyle, { level, message }: Entry): string =>
  formatLine(style, localTime(), process.pid, level, String(message));

/** Writes to an open descriptor, such as standard error. */
class Descriptor extends Transport {
  readonly #descriptor: number;
  readonly #style: LineStyle;

  constructor(descriptor: number, style: LineStyle) {
    super();
    this.#descriptor = descriptor;
    this.#style = style;
  }

  override log(entry: Entry, next: () => void): void {
    writeAll(this.#descriptor, lineOf(this.#style, entry));
    next();
  }
}

/** Appends to a file and saves it when it is full, with the three notes that HTCondor's own daemons leave. */
class RotatingFile extends Transport {
  readonly #path: string;
  readonly #options: LogOptions;
  #descriptor: number;
  #opened: number;
  #full: number;

  constructor(path: string, options: LogOptions) {
    super();
    this.#path = path;
    this.#options = options;
    this.#full = options.maxBytes;
    this.#descriptor = openAppending(path, options.mode);
    this.#opened = Date.now();
    if (options.truncate) ftruncateSync(this.#descriptor, 0);
  }

  override log(entry: Entry, next: () => void): void {
    const { style } = this.#options;
    this.#rotateIfFull();
    writeAll(this.#descriptor, lineOf(style, entry));
    next();
  }

  override close(): void {
    closeSync(this.#descriptor);
  }

  #rotateIfFull(): void {
    const { maxBytes, maxSeconds, style } = this.#options;
    const length = fstatSync(this.#descriptor).size;
    const age = (Date.now() - this.#opened) / 1000;
    if (!(maxBytes > 0 && length >= this.#full) && !(maxSeconds > 0 && age >= maxSeconds)) return;
    const note = (text: string): void =>
      writeAll(this.#descriptor, lineOf(style, { level: 'info', message: text }));
    const saved = this.#options.maxSaved > 1 ? savedName(this.#path, localTime()) : `${this.#path}.old`;
    note(`MaxLog = ${maxBytes} bytes, length = ${length}`);
    note(`Saving log file to "${saved}"`);
    try {
      renameSync(this.#path, saved);
    } catch (error) {
      // The log goes on where it is: too long is better than silent. Tried again after as many bytes as make a full log.
      this.#full += maxBytes;
      note(`Cannot save log file to "${saved}" (${systemCode(error) ?? 'unknown'})`);
      return;
    }
    this.#full = maxBytes;
    closeSync(this.#descriptor);
    this.#descriptor = openAppending(this.#path, this.#options.mode);
    this.#opened = Date.now();
    note(`Now in new log file ${this.#path}`);
    removeOldest(this.#path, this.#options.maxSaved);
  }
}

function openAppending(path: string, mode: number): number {
  try {
    return openSync(path, 'a', mode);
  } catch (error) {
    const why = systemCode(error) ?? 'unknown';
    throw new CodedError(
      'LOG_UNWRITABLE',
      `the log file ${path} cannot be opened (${why})`,
      { path, system: why },
      error,
    );
  }
}

/** A full disk must not stop renewals or logins: a line that cannot be written is lost, and the next one tries again. */
function writeAll(descriptor: number, line: string): void {
  const bytes = Buffer.from(line);
  try {
    for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

function removeOldest(path: string, keep: number): void {
  if (keep <= 1) return;
  const saved = readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${basename(path)}.`) && /\.\d{8}T\d{6}$/.test(name))
    .sort();
  for (const name of saved.slice(0, Math.max(0, saved.length - keep))) unlinkSync(join(dirname(path), name));
}
