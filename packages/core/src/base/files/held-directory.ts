// Keeps directories open for a second (to open one safely takes some calls for each name
// in its path, and the credential directory is used for every token), and enters
// directories, so that the names of their files need no path: the kernel resolves a name
// in the working directory in a third of the time of a path below /proc/self/fd.
import { systemCode } from '../errors/errors.ts';
import { type OpenDirectory, openDirectory } from './safe-directory.ts';
import { closeSync, constants, openSync, statSync } from 'node:fs';

/** How long a directory is held open, in milliseconds; it cannot be unmounted then. */
const HELD = 1000;

interface Held {
  readonly open: OpenDirectory;
  readonly dev: number;
  readonly ino: number;
}

const held = new Map<string, Held>();

/**
 * Runs `act`, which must not wait, with the path of the directory opened by {@link
 * openDirectory}. A directory that is held open is used again if its path still leads to
 * it, and closed a second after it was opened.
 * @throws as {@link openDirectory}
 */
export function inHeldDirectory<T>(directory: string, act: (path: string) => T): T {
  return act((current(directory) ?? hold(directory)).open.path);
}

function current(directory: string): Held | undefined {
  const known = held.get(directory);
  if (!known) return undefined;
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found?.dev === known.dev && found.ino === known.ino) return known;
  drop(directory, known);
  return undefined;
}

function hold(directory: string): Held {
  const open = openDirectory(directory);
  let one: Held;
  try {
    // The descriptor itself, not the link in /proc.
    const { dev, ino } = statSync(`${open.path}/.`);
    one = { open, dev, ino };
  } catch (error) {
    open.close();
    throw error;
  }
  held.set(directory, one);
  setTimeout(() => drop(directory, one), HELD).unref();
  return one;
}

function drop(directory: string, one: Held): void {
  if (held.get(directory) !== one) return;
  held.delete(directory);
  one.open.close();
}

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
