// Reads the files of a token like a job, a user or an administrator.
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Reads the JSON object in a file.
 * @throws Error if it does not exist or is not an object
 */
export function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

/**
 * Returns the text of a file that another process may remove at any time, or undefined if
 * there is none.
 */
export function textIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Returns the names and modes in a directory, sorted: `mytok.use 400`. */
export function listing(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .map((name) => `${name} ${(lstatSync(join(directory, name)).mode & 0o7777).toString(8)}`);
}

/**
 * Returns the remaining lifetime of the token in a `.use`, in seconds, at `now` in epoch
 * seconds.
 */
export function secondsLeft(usePath: string, now: number): number {
  return Number(readJson(usePath)['expires_at']) - now;
}
