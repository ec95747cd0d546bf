// The log for what keeps a program from starting: its path is read as far as a broken
// configuration allows.
import { isCoded } from '../base/errors/errors.ts';
import type { Config } from '../config/table/config.ts';
import { createKnobReader } from '../config/typed/knob-reader.ts';
import { openLog, type Logger } from './logger.ts';
import { logSettings, type LogHabits, type LogOverrides } from './settings.ts';

/**
 * Opens the log of a program that cannot start, whatever is wrong with other knobs;
 * nothing where no path can be read or the file cannot be opened. The log is neither
 * emptied nor rotated.
 */
export function openStartLog(
  config: Config,
  subsystem: string,
  overrides: LogOverrides,
  habits: LogHabits,
): Logger | undefined {
  try {
    const options = logSettings(createKnobReader(config), subsystem, overrides, habits);
    if (options.path === undefined) return undefined;
    return openLog({ ...options, stderr: false, truncate: false, maxBytes: 0, maxSeconds: 0 });
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
