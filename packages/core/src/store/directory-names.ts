// The names in a directory, in slices: a directory of 100,000 names must not hold up the
// event loop.
import { opendirSync, readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { shellWord } from '../base/process/shell-word.ts';
import { inDirectory, inSubdirectory } from '../base/files/safe-directory.ts';

/**
 * A directory whose own size is at most this many bytes is read at once: that is faster,
 * and it has a few hundred names at most.
 */
const SMALL = 4096;

/** Names in one slice: well under a millisecond of work. */
const SLICE = 256;

/**
 * Yields the entries of a directory in slices. `size` is the directory's own size in
 * bytes, as stat gives it (0 when not known). What is created, renamed or removed between
 * two slices may be missing.
 * @throws the system's error when the directory cannot be read
 */
export function* namesIn(path: string, size: number): Generator<readonly Dirent[]> {
  if (size > 0 && size <= SMALL) {
    yield readdirSync(path, { withFileTypes: true });
    return;
  }
  const directory = opendirSync(path, { bufferSize: SLICE });
  try {
    let slice: Dirent[] = [];
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
      slice.push(entry);
      if (slice.length < SLICE) continue;
      yield slice;
      slice = [];
    }
    yield slice;
  } finally {
    directory.closeSync();
  }
}

/**
 * Logged once, when a link has taken the place of a directory that was there: no other link
 * in the root is a user's.
 */
export function linkText(root: string, user: string): string {
  const path = join(root, user);
  return `${path} is a symbolic link and no longer a directory: it is not followed, and its tokens are not renewed; fix: rm ${shellWord(path)}`;
}

// The way into a user's directory: opened by descriptor, so that a link put in its place
// leads nowhere.

/**
 * Runs `act` with a path of the directory of `user` (the credential directory itself for
 * the empty name) in the credential directory `root`, a path without links. The path
 * leads there whatever becomes of its name meanwhile.
 * @throws CodedError `CRED_FILE_IO` for a link on the way to `root`; the system's error:
 * `ENOENT`, or `ENOTDIR` for a link in the user's place
 */
export function inUserDirectory<T>(root: string, user: string, act: (path: string) => T): T {
  return inDirectory(root, (path) => (user === '' ? act(path) : inSubdirectory(path, user, act)));
}
