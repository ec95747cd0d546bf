// Standard output and standard error of a command, written synchronously so that nothing
// is lost when the process ends.
import { writeSync } from 'node:fs';
import { systemCode } from '../errors/errors.ts';

/** File descriptors. */
export const STDOUT = 1;
export const STDERR = 2;

/** Milliseconds to wait for a slow reader. */
const READER_PAUSE = 5;

/**
 * Writes a text to standard output or standard error, completely before it returns. If
 * the reader is gone (`| head`), the text is dropped without an error, so that the
 * command keeps its exit code.
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
      // Another process made the pipe non-blocking, and it is full.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, READER_PAUSE);
    }
  }
}
