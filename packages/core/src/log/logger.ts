// The log: winston in front, behind it one transport that stays while the places it
// writes to change.
import { isDeepStrictEqual } from 'node:util';
import winston from 'winston';
import Transport from 'winston-transport';
import type { Log } from './log.ts';
import type { LogOptions } from './options.ts';
import { RotatingFile } from './rotating-file.ts';
import { descriptorSink, type Sink } from './sink.ts';

/** A log that can be reopened with other options and closed. */
export interface Logger extends Log {
  /**
   * Without `options`, the same log: a file that was moved away is made again. A log that
   * is open with these options stays open, so that its time-based rotation counts on.
   * @throws CodedError `LOG_UNWRITABLE`; it then continues where it was
   */
  reopen(options?: LogOptions): void;
  close(): void;
}

/**
 * Opens the log. What it writes to may fail later without any of its methods throwing.
 * @throws CodedError `LOG_UNWRITABLE` when the file cannot be opened
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#daemon-logging-configuration-file-entries
 */
export function openLog(options: LogOptions): Logger {
  let current = options;
  const lines = new Lines(sinksOf(options));
  const logger = winston.createLogger({ level: levelOf(options), transports: [lines] });
  return {
    error: (text) => void logger.error(text),
    warn: (text) => void logger.warn(text),
    info: (text) => void logger.info(text),
    debug: (text) => void logger.debug(text),
    reopen: (next = current) => {
      if (isDeepStrictEqual(next, current) && !lines.moved()) return;
      lines.turnTo(sinksOf({ ...next, truncate: false }));
      logger.level = levelOf(next);
      current = next;
    },
    close: () => void logger.close(),
  };
}

const levelOf = ({ debug }: LogOptions): string => (debug ? 'debug' : 'info');

function sinksOf(options: LogOptions): Sink[] {
  const sinks: Sink[] = [];
  if (options.path !== undefined) sinks.push(new RotatingFile(options.path, options));
  if (options.stderr) sinks.push(descriptorSink(2, options.style));
  return sinks;
}

/** What winston hands to a transport. */
interface Entry {
  readonly level: string;
  readonly message: unknown;
}

/** Winston waits for ever for a transport that has thrown: sinks never do. */
class Lines extends Transport {
  #sinks: readonly Sink[];

  constructor(sinks: readonly Sink[]) {
    super();
    this.#sinks = sinks;
  }

  moved(): boolean {
    return this.#sinks.some((sink) => sink.moved());
  }

  turnTo(sinks: readonly Sink[]): void {
    const before = this.#sinks;
    this.#sinks = sinks;
    for (const sink of before) sink.close();
  }

  override log({ level, message }: Entry, next: () => void): void {
    for (const sink of this.#sinks) sink.write(level, String(message));
    next();
  }

  override close(): void {
    this.turnTo([]);
  }
}
