// The log of a program: opened, reopened with other options, closed.
import { isDeepStrictEqual } from 'node:util';
import type { Logger as WinstonLogger } from 'winston';
import { type LogOptions, logSettings, type LogHabits, type LogOverrides } from './settings.ts';
import { type AuditEntry, type AuditLog, createAuditLog } from './audit-log.ts';
import { RotatingFile, descriptorSink, type Sink } from './rotating-file.ts';
import { isCoded, messageOf } from '../base/errors/errors.ts';
import type { Config } from '../config/table/config.ts';
import { createKnobReader } from '../config/typed/knob-reader.ts';

/** A log that can be reopened with other options and closed. */
export interface Logger extends Log {
  /**
   * Without `options`, reopens the same log: a file that was moved away is created again.
   * A log that is open with these options stays open, so that its time-based rotation is
   * not restarted.
   * @throws CodedError `LOG_UNWRITABLE`; the log then continues with the old file
   */
  reopen(options?: LogOptions): void;
  /**
   * Writes `Audit: ` and the text. Returns false if the log file (without one: standard
   * error) did not take the line: then what the line is about must not happen.
   */
  audit(text: string): boolean;
  record(entry: AuditEntry): void;
  close(): void;
}

/**
 * Opens the log. A later failure of its destination does not make any method throw.
 * @throws CodedError `LOG_UNWRITABLE` when the file cannot be opened
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html
 */
export async function openLog(options: LogOptions): Promise<Logger> {
  let current = options;
  const lines = new Lines(sinksOf(options));
  const logger = await createWinston(lines, levelOf(options));
  const openAudit = ({ audit: to }: LogOptions): AuditLog | undefined =>
    to && createAuditLog(to, (text) => void logger.error(text));
  let audit = openAudit(options);
  return {
    error: (text) => void logger.error(text),
    warn: (text) => void logger.warn(text),
    info: (text) => void logger.info(text),
    // Winston would pass the line through its streams before it drops it.
    debug: (text) => void (current.debug && logger.debug(text)),
    reopen: (next = current) => {
      if (isDeepStrictEqual(next, current) && !lines.moved()) return;
      lines.replaceSinks(sinksOf({ ...next, truncate: false }));
      logger.level = levelOf(next);
      if (!isDeepStrictEqual(next.audit, current.audit)) {
        audit?.close();
        audit = openAudit(next);
      }
      current = next;
    },
    audit: (text) => lines.put('warn', `Audit: ${text}`),
    record: (entry) => audit?.record(entry),
    close: () => {
      audit?.close();
      logger.close();
    },
  };
}

/** Reopens the same log; a failure is a line in the log, which continues with the old file. */
export function reopenLog(log: Logger): void {
  try {
    log.reopen();
  } catch (error) {
    log.error(`Cannot reopen the log; still writing to the old file: ${messageOf(error)}`);
  }
}

const levelOf = ({ debug }: LogOptions): string => (debug ? 'debug' : 'info');

function sinksOf(options: LogOptions): Sink[] {
  const sinks: Sink[] = [];
  if (options.path !== undefined) sinks.push(new RotatingFile(options.path, options));
  if (options.stderr) sinks.push(descriptorSink(2, options.style));
  return sinks;
}

/** The destinations of a log. Sinks never throw: winston would wait for ever. */
class Lines {
  #sinks: readonly Sink[];

  constructor(sinks: readonly Sink[]) {
    this.#sinks = sinks;
  }

  moved(): boolean {
    return this.#sinks.some((sink) => sink.moved());
  }

  replaceSinks(sinks: readonly Sink[]): void {
    const before = this.#sinks;
    this.#sinks = sinks;
    for (const sink of before) sink.close();
  }

  /** Writes a line; returns whether the first destination, the file if any, took it. */
  put(level: string, text: string): boolean {
    const [first] = this.#sinks.map((sink) => sink.write(level, text));
    return first === true;
  }
}

/** The input of a transport of winston. */
interface Entry {
  readonly level: string;
  readonly message: unknown;
}

/**
 * Creates a logger of winston with one transport, which stays while its destinations
 * change.
 */
async function createWinston(lines: Lines, level: string): Promise<WinstonLogger> {
  // Commands that write no log start faster without winston.
  const { default: winston } = await import('winston');
  const { default: Transport } = await import('winston-transport');
  const transport = new Transport({
    log: ({ level: its, message }: Entry, next: () => void) => {
      lines.put(its, String(message));
      next();
    },
    close: () => lines.replaceSinks([]),
  });
  // Winston makes JSON of each line without a format, which no sink uses.
  const asItIs = winston.format((entry) => entry);
  return winston.createLogger({ level, format: asItIs(), transports: [transport] });
}

// The interface of a log: four levels, one line each.

/** A log. Lines contain no secret; `debug` lines appear with D_FULLDEBUG or `--debug`. */
export interface Log {
  error(text: string): void;
  warn(text: string): void;
  info(text: string): void;
  debug(text: string): void;
  /** Writes an entry into the audit log, if there is one. */
  record?(entry: AuditEntry): void;
}

// The log for errors at start: its path is read even if other parts of the configuration
// are invalid.

/**
 * Opens the log of a program that cannot start, even if other knobs are invalid. Returns
 * `undefined` if no path can be read or the file cannot be opened. The log is neither
 * truncated nor rotated.
 */
export async function openStartLog(
  config: Config,
  subsystem: string,
  overrides: LogOverrides,
  defaults: LogHabits,
): Promise<Logger | undefined> {
  try {
    const options = logSettings(createKnobReader(config), subsystem, overrides, defaults);
    if (options.path === undefined) return undefined;
    const fixed = { stderr: false, truncate: false, maxBytes: 0, maxSeconds: 0 };
    return await openLog({ ...options, ...fixed });
  } catch (error) {
    if (!isCoded(error)) throw error;
    return undefined;
  }
}

/** Returns the lines for an error at start: one for each error of a configuration. */
export function startErrorLines(error: Error, others: readonly Error[]): readonly string[] {
  const [first = '', ...more] = error.message.split(/\n(?! )/);
  return [...new Set([first, ...more, ...others.map(({ message }) => message)])];
}
