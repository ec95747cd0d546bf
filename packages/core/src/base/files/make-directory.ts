// Makes a directory with the parents that it lacks.
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../errors/errors.ts';

/**
 * Makes `path` and the parents that it lacks, each with `mode` less the umask; a
 * directory that is there stays as it is. Each step is made alone: Node's recursive mkdir
 * never returns on a file system that answers ENOENT below a directory that exists, as
 * /proc does.
 * @throws the system's error of mkdir(2).
 */
export function makeDirectory(path: string, mode: number): void {
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) makeDirectory(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have made it in the meantime.
    if (systemCode(error) !== 'EEXIST' || !existsSync(`${path}/.`)) throw error;
  }
}
