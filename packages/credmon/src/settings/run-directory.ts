// The directory of the users' own view, CREDMON_RUN_DIR: status files and requests.
import { isAbsolute } from 'node:path';
import type { KnobReader } from '@credmon/core/config';

/** Switches the users' own view off. */
const OFF = 'none';

/**
 * Returns the configured directory; `undefined` if it is switched off. Mistakes are added
 * to `read`. It must not be in the credential directory, which users cannot enter: there,
 * the default is off.
 */
export function readRunDirectory(read: KnobReader, credDir: string): string | undefined {
  const knob = 'CREDMON_RUN_DIR';
  const text = read.string(knob);
  if (text.toLowerCase() === OFF) return undefined;
  const path = text.replace(/(?<=.)\/+$/, '');
  if (!isAbsolute(path))
    read.mistake(knob, `is ${JSON.stringify(text)}: it must be an absolute path, or ${OFF}`);
  else if (!isBelow(path, credDir)) return path;
  else if (read.place(knob) !== 'default')
    read.mistake(knob, `= ${text} is in the credential directory, which users cannot enter`);
  return undefined;
}

function isBelow(path: string, directory: string): boolean {
  return directory !== '' && `${path}/`.startsWith(`${directory.replace(/\/+$/, '')}/`);
}
