// Enters directories, so that the names of their files need no path: the kernel resolves
// a name in the working directory in a third of the time of a path below /proc/self/fd.
import { closeSync, constants, openSync } from 'node:fs';
import { systemCode } from '../errors/errors.ts';
import type { OpenDirectory } from './safe-directory.ts';

/**
 * Linux's O_PATH, missing in Node.
 * @see open(2)
 */
const O_PATH = 0o10000000;

/** Where names of files are looked up. */
export interface Inside {
  /**
   * Enters a directory that was opened safely and returns what to put before the name of a
   * file in it: nothing, or the path of the directory if it cannot be entered.
   */
  enter(directory: Pick<OpenDirectory, 'path'>): string;
  /**
   * Returns to the former working directory. Call it before other code runs: the working
   * directory belongs to the whole process.
   */
  leave(): void;
  /** Ends the use; `leave` first. */
  close(): void;
}

/** Remembers the working directory. Entering fails in a worker thread, which has none. */
export function rememberPlace(): Inside {
  const home = openHome();
  let present: Pick<OpenDirectory, 'path'> | undefined;
  return {
    enter: (directory) => {
      const { path } = directory;
      if (directory === present) return '';
      if (home === undefined || !tryEnter(path)) return `${path}/`;
      present = directory;
      return '';
    },
    leave: () => {
      if (!present || home === undefined) return;
      present = undefined;
      if (!tryEnter(`/proc/self/fd/${home}`)) process.chdir('/');
    },
    close: () => {
      if (home !== undefined) closeSync(home);
    },
  };
}

/** The working directory may have been removed, or be closed to this user. */
function openHome(): number | undefined {
  try {
    const home = openSync('.', O_PATH | constants.O_DIRECTORY);
    if (tryEnter(`/proc/self/fd/${home}`)) return home;
    closeSync(home);
    return undefined;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

function tryEnter(path: string): boolean {
  try {
    process.chdir(path);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
