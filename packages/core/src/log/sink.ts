// The destination of log lines: an open descriptor, written to at once. Nothing here
// throws, because a log must not stop renewals or logins.
import { writeSync } from 'node:fs';
import { formatLine, type LineStyle, type LocalTime } from './format.ts';

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
