// Standard output and standard error of a command: written at once, so that nothing is
// lost when the process ends.
import { writeSync } from 'node:fs';
import { systemCode } from '../errors/errors.ts';

/** The two descriptors. */
export const STDOUT = 1;
export const STDERR = 2;

/** How long to wait, in milliseconds, when a reader is slower than we are. */
const READER_PAUSE = 5;

/**
 * Writes a text to standard output or standard error, all of it before it returns. When
 * the reader is gone (`| head`), the text is dropped: that is not an error, and the
 * command ends with its own exit code.
 * @throws the system's error for everything else, for instance `ENOSPC`
 */
export function writeOutput(descriptor: typeof STDOUT | typeof STDERR, text: string): void {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw error;
      // Somebody has made the pipe non-blocking, and it is full.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, READER_PAUSE);
    }
  }
}
