// Keeps directories open for a second: to open one safely takes some calls for each name
// in its path, and the credential directory is used for every token.
import { statSync } from 'node:fs';
import { openDirectory, type OpenDirectory } from './safe-directory.ts';

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
