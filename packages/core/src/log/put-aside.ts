// Puts a full log aside so that a failure at any step leaves the log where it was.
import { closeSync, openSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../base/errors/errors.ts';

/**
 * Renames `path` to `saved`, puts an empty file in its place and gives that one's
 * descriptor. The empty file is made first: a full directory is noticed before anything
 * has moved, and the log saved last time is still there.
 * @throws Error of the system; `path` is then what it was
 */
export function putAside(path: string, saved: string, mode: number): number {
  const empty = `${path}.new`;
  rmSync(empty, { force: true });
  const descriptor = openSync(empty, 'ax', mode);
  let done = false;
  try {
    const moved = move(path, saved);
    try {
      renameSync(empty, path);
    } catch (error) {
      if (moved) renameSync(saved, path);
      throw error;
    }
    done = true;
    return descriptor;
  } finally {
    if (!done) {
      closeSync(descriptor);
      rmSync(empty, { force: true });
    }
  }
}

/**
 * False when somebody else has moved the log away: then nothing is in the way of a new
 * one.
 */
function move(path: string, saved: string): boolean {
  try {
    renameSync(path, saved);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Removes all but the `keep` newest saved logs; `trouble` hears of each that stays.
 * Directories are nobody's saved logs.
 */
export function removeOldest(
  path: string,
  keep: number,
  trouble: (name: string, error: unknown) => void,
): void {
  if (keep <= 1) return;
  const directory = dirname(path);
  for (const name of savedLogs(path, trouble).slice(0, -keep)) {
    try {
      unlinkSync(join(directory, name));
    } catch (error) {
      trouble(join(directory, name), error);
    }
  }
}

/** The names of saved logs, the oldest first. */
function savedLogs(path: string, trouble: (name: string, error: unknown) => void): string[] {
  try {
    return readdirSync(dirname(path), { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`${basename(path)}.`) && /\.\d{8}T\d{6}$/.test(name))
      .sort();
  } catch (error) {
    trouble(dirname(path), error);
    return [];
  }
}
