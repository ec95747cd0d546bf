// The log of a program: opened, reopened with other options, closed.
import { isDeepStrictEqual } from 'node:util';
import { type LogOptions, logSettings, type LogHabits, type LogOverrides } from './settings.ts';
import { RotatingFile } from './rotating-file.ts';
import { descriptorSink, type Sink } from './sink.ts';
import { isCoded } from '../base/errors/errors.ts';
import type { Config } from '../config/table/config.ts';
import { createKnobReader } from '../config/typed/knob-reader.ts';

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
export async function openLog(options: LogOptions): Promise<Logger> {
  let current = options;
  const sinks = sinksOf(options);
  // Commands that write no log start faster without winston.
  const { createWinston } = await import('./winston.ts');
  const { logger, lines } = createWinston(sinks, levelOf(options));
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

// What the parts of a program see of its log: four levels, one line each.

/** A log. Lines hold no secret; `debug` shows with D_FULLDEBUG or `--debug`. */
export interface Log {
  error(text: string): void;
  warn(text: string): void;
  info(text: string): void;
  debug(text: string): void;
}

// The log for what keeps a program from starting: its path is read as far as a broken
// configuration allows.

/**
 * Opens the log of a program that cannot start, whatever is wrong with other knobs;
 * nothing where no path can be read or the file cannot be opened. The log is neither
 * emptied nor rotated.
 */
export async function openStartLog(
  config: Config,
  subsystem: string,
  overrides: LogOverrides,
  habits: LogHabits,
): Promise<Logger | undefined> {
  try {
    const options = logSettings(createKnobReader(config), subsystem, overrides, habits);
    if (options.path === undefined) return undefined;
    const fixed = { stderr: false, truncate: false, maxBytes: 0, maxSeconds: 0 };
    return await openLog({ ...options, ...fixed });
  } catch (error) {
    if (!isCoded(error)) throw error;
    return undefined;
  }
}

/** The lines of an error at start: each mistake of a configuration for itself. */
export function startErrorLines(error: Error, others: readonly Error[]): readonly string[] {
  const [first = '', ...mistakes] = error.message.split(/\n(?! )/);
  return [...new Set([first, ...mistakes, ...others.map(({ message }) => message)])];
}
