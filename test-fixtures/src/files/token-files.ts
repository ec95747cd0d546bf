// Looks at the files of a token as a job's sandbox, a user or an administrator would.
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The JSON object in a file. @throws Error when it is not there or not an object */
export function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

/** Names and modes of what is in a directory, sorted: `mytok.use 400`. */
export function listing(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .map((name) => `${name} ${(lstatSync(join(directory, name)).mode & 0o7777).toString(8)}`);
}

/**
 * The seconds that the token in a `.use` is still good for, at `now` in epoch seconds.
 */
export function secondsLeft(usePath: string, now: number): number {
  return Number(readJson(usePath)['expires_at']) - now;
}
