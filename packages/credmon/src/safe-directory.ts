// Opens a directory so that nobody but root could have led us there: a user who owns a directory on the way may not bend it with a link.
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs';
import { CodedError } from '@credmon/core';

/** As many links as the kernel follows in one path. */
const MOST_LINKS = 40;

/**
 * Runs `act` with a path of the directory that lies at the absolute path `directory`; that path leads there whatever becomes of the names on
 * the way. A link on the way is followed only where root or this process alone can have made it.
 * @throws CodedError `CRED_FILE_IO` for a link that others could have made; the system's error (`ENOENT`, `ENOTDIR`, `EACCES`)
 * @see open(2), proc(5)
 */
export function inDirectory<T>(directory: string, act: (path: string) => T): T {
  const descriptor = walk(directory);
  try {
    return act(`/proc/self/fd/${descriptor}`);
  } finally {
    closeSync(descriptor);
  }
}

/** A descriptor of the directory. */
function walk(directory: string): number {
  const names = directory.split('/').filter(Boolean);
  let here = open('/');
  let links = 0;
  try {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      // Not joined: `..` must be that of the directory itself.
      const path = `/proc/self/fd/${here}/${name}`;
      if (lstatSync(path).isSymbolicLink()) {
        links += 1;
        if (links > MOST_LINKS || isOpenToOthers(here)) throw untrusted(directory, name);
        const target = readlinkSync(path);
        names.unshift(...target.split('/').filter(Boolean));
        if (target.startsWith('/')) here = replace(here, '/');
      } else {
        here = replace(here, path);
      }
    }
  } catch (error) {
    closeSync(here);
    throw error;
  }
  return here;
}

function open(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

function replace(old: number, path: string): number {
  const next = open(path);
  closeSync(old);
  return next;
}

/** True when somebody but root and this process may make a link in it. */
function isOpenToOthers(descriptor: number): boolean {
  const { uid, mode } = fstatSync(descriptor);
  return (uid !== 0 && uid !== process.geteuid?.()) || (mode & 0o022) !== 0;
}

function untrusted(directory: string, name: string): CodedError {
  return new CodedError(
    'CRED_FILE_IO',
    `${name} on the way to ${directory} is a link that another user could change; name the directory that it leads to`,
    { path: directory },
  );
}
