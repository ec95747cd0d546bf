// Lists a directory in slices: a directory with 100,000 names must not block the event
// loop.
import { lstatSync, opendirSync, readdirSync, statSync, type Dirent, type Stats } from 'node:fs';
import { join } from 'node:path';
import { CodedError, isCoded, messageOf, systemCode } from '../base/errors/errors.ts';
import { shellWord } from '../base/text/printable.ts';
import { inHeldDirectory } from '../base/files/held-directory.ts';
import {
  inSubdirectory,
  openBelow,
  openDirectory,
  type OpenDirectory,
} from '../base/files/safe-directory.ts';

/**
 * Bytes. A directory of at most this size is read at once: that is faster, and it has at
 * most a few hundred names.
 */
const SMALL = 4096;

/** Names in one slice: well under a millisecond of work. */
const SLICE = 256;

/**
 * Bytes. A directory of at most this size has some ten thousand names, which are read at once
 * in some ten milliseconds; in slices they take several times as long.
 */
const MEDIUM = 262_144;

/**
 * Yields the entries of a directory in slices. `stats` of the directory itself, if known,
 * tell whether one slice is enough. Entries created, renamed or removed between two slices
 * may be missing.
 * @throws the system's error when the directory cannot be read
 */
export function* entriesIn(
  path: string,
  stats?: Pick<Stats, 'size' | 'blocks'>,
): Generator<readonly Dirent[]> {
  // Some file systems count entries instead of bytes: then the blocks tell.
  const size = stats ? Math.max(stats.size, stats.blocks * 512) : 0;
  if (size > 0 && size <= MEDIUM) {
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
 * Opens the credential directory to list it.
 * @throws CodedError `CRED_DIR_INVALID` when it cannot be listed
 */
export function openRoot(root: string): OpenDirectory {
  return listing(root, () => openDirectory(root));
}

/**
 * Yields the entries of the open credential directory in slices, see {@link entriesIn}.
 * @throws CodedError `CRED_DIR_INVALID` when it cannot be listed
 */
export function* rootSlices(root: string, here: OpenDirectory): Generator<readonly Dirent[]> {
  const slices = entriesIn(here.path, here.stat());
  try {
    for (;;) {
      const slice = listing(root, () => slices.next());
      if (slice.done === true) return;
      yield slice.value;
    }
  } finally {
    slices.return(undefined);
  }
}

function listing<T>(root: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined && !isCoded(error)) throw error;
    const text = `failed to list the credential directory ${root} (${code ?? messageOf(error)})`;
    throw new CodedError('CRED_DIR_INVALID', text, { path: root, system: code }, error);
  }
}

/** Like {@link entriesIn}, with the names only. */
export function* namesIn(path: string): Generator<readonly string[]> {
  for (const slice of entriesIn(path)) yield slice.map(({ name }) => name);
}

/**
 * Returns all names in a directory of `size` bytes (its own size from stat), if that can
 * be only a few; otherwise `undefined`.
 * @throws the system's error when the directory cannot be read
 */
export function fewNames(path: string, size: number): readonly string[] | undefined {
  return size > 0 && size <= SMALL ? readdirSync(path) : undefined;
}

/**
 * Logged once when a known directory was replaced by a link. Other links in the root do
 * not belong to users.
 */
export function linkText(root: string, user: string): string {
  const path = join(root, user);
  return (
    `${path} was replaced by a symbolic link: it is not followed and its tokens ` +
    `are not renewed; fix: rm ${shellWord(path)}`
  );
}

// User directories are opened by descriptor, so that a link that replaces one has no
// effect.

/**
 * Runs `act` with a path of the directory of `user` in the credential directory `root`, a
 * path without links. An empty name means the credential directory itself. The path stays
 * valid if the directory is renamed.
 * @throws CodedError `CRED_FILE_IO` for a link in the path of `root`; the system's error:
 * `ENOENT`, or `ENOTDIR` for a link instead of the user's directory
 */
export function inUserDirectory<T>(root: string, user: string, act: (path: string) => T): T {
  return inHeldDirectory(root, (path) =>
    user === '' ? act(path) : inSubdirectory(path, user, act),
  );
}

/**
 * Opens the directory of `user` for {@link inUserDirectory}; the caller closes it.
 * @throws CodedError, or the system's error, see {@link inUserDirectory}
 */
export function openUserDirectory(root: string, user: string): OpenDirectory {
  if (user === '') return openDirectory(root);
  return openBelow(root, user);
}

/**
 * True while the path of the directory of `user` leads to the directory that was opened by
 * {@link openUserDirectory}.
 * @throws the system's error
 */
export function isInPlace(root: string, user: string, opened: OpenDirectory): boolean {
  const options = { throwIfNoEntry: false } as const;
  // The credential directory itself may be behind a trusted link.
  const found = user === '' ? statSync(root, options) : lstatSync(join(root, user), options);
  const { dev, ino } = opened.stat();
  return found?.dev === dev && found.ino === ino;
}
