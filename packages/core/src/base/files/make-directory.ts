// Creates a directory and its missing parents.
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../errors/errors.ts';

/**
 * Creates `path` and its missing parents, each with `mode` less the umask. Existing
 * directories are not changed. Not `recursive`: Node's recursive mkdir never returns on a
 * file system that returns ENOENT below an existing directory, as /proc does.
 * @throws the system's error of mkdir(2).
 */
export function makeDirectory(path: string, mode: number): void {
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) makeDirectory(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have created it in the meantime.
    if (systemCode(error) !== 'EEXIST' || !existsSync(`${path}/.`)) throw error;
  }
}
