// Directories that are opened and made without following links, and the names in the path of
// one, with links and their targets, without opening anything.
import { CodedError, systemCode } from '../errors/errors.ts';
import {
  type Stats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The kernel follows this many links in one path. */
const MOST_LINKS = 40;

/**
 * Linux's O_PATH, missing in Node: such a descriptor needs no read permission.
 * @see open(2)
 */
const O_PATH = 0o10000000;
const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** An open directory. Paths below `path` stay valid if the directory is renamed. */
export interface OpenDirectory {
  readonly path: string;
  stat(): Stats;
  close(): void;
}

/**
 * Opens the directory at `directory`. A link on the path is followed only if no user but
 * root and this process can have created it.
 * @throws CodedError `CRED_FILE_IO` for a link that others could have made; the system's
 * error (`ENOENT`, `ENOTDIR`, `EACCES`)
 * @see open(2), proc(5)
 */
export function openDirectory(directory: string): OpenDirectory {
  return opened(
    openWithoutLinks(directory) ?? walk(directory, (path) => openSync(path, DIRECTORY)),
  );
}

/**
 * Opens the directory `name` in the directory at `parent`, like {@link openDirectory} and
 * {@link openSubdirectory} one after the other, in one call where no link is in the way.
 * @throws CodedError `CRED_FILE_IO`, or the system's error: `ENOTDIR` for a link or a file
 */
export function openBelow(parent: string, name: string): OpenDirectory {
  const descriptor = openWithoutLinks(`${parent}/${name}`);
  if (descriptor !== undefined) return opened(descriptor);
  return inDirectory(parent, (path) => openSubdirectory(path, name));
}

/**
 * Opens a directory at once, and accepts it only if its real path is the path asked for:
 * then no name in it was a link. Undefined otherwise, also after an error; {@link walk}
 * then decides.
 */
function openWithoutLinks(path: string): number | undefined {
  if (!path.startsWith('/')) return undefined;
  let descriptor: number;
  try {
    descriptor = openSync(path, DIRECTORY);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
  try {
    if (readlinkSync(`/proc/self/fd/${descriptor}`) === path) return descriptor;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
  closeSync(descriptor);
  return undefined;
}

/**
 * Opens the directory `name` in the directory at `parent`, whose own path is trusted.
 * Never follows a link.
 * @throws the system's error: `ENOENT`, or `ENOTDIR` for a link or a file
 */
export function openSubdirectory(parent: string, name: string): OpenDirectory {
  return opened(openSync(`${parent}/${name}`, DIRECTORY));
}

function opened(descriptor: number): OpenDirectory {
  return {
    path: `/proc/self/fd/${descriptor}`,
    stat: () => fstatSync(descriptor),
    close: () => closeSync(descriptor),
  };
}

/** Runs `act` with the path of the directory opened by {@link openDirectory}. */
export function inDirectory<T>(directory: string, act: (path: string) => T): T {
  return during(openDirectory(directory), act);
}

/** Runs `act` with the path of the directory opened by {@link openSubdirectory}. */
export function inSubdirectory<T>(parent: string, name: string, act: (path: string) => T): T {
  return during(openSubdirectory(parent, name), act);
}

function during<T>(directory: OpenDirectory, act: (path: string) => T): T {
  try {
    return act(directory.path);
  } finally {
    directory.close();
  }
}

/**
 * Opens the file at `path` for reading. Links are followed as in {@link openDirectory},
 * also as the last name. The file may have any type: a FIFO does not block.
 * @throws CodedError `CRED_FILE_IO` for a link that others could have made; the system's
 * error
 */
export function openFileSafely(path: string): number {
  const at = path.lastIndexOf('/');
  const parent = openWithoutLinks(path.slice(0, at));
  if (parent === undefined) return walk(path, openForReading);
  try {
    return openForReading(`/proc/self/fd/${parent}/${path.slice(at + 1)}`);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return walk(path, openForReading);
  } finally {
    closeSync(parent);
  }
}

const openForReading = (path: string): number =>
  openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);

/**
 * Returns a descriptor of the last name in the path, opened by `openLast`, which does not
 * follow links.
 */
function walk(whole: string, openLast: (path: string) => number): number {
  let names = splitPath(whole);
  let here = openSync('/', DIRECTORY);
  let links = 0;
  try {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      // Not joined: `..` must be resolved by the kernel.
      const path = `/proc/self/fd/${here}/${name}`;
      const next = openUnlessLink(
        path,
        names.length === 0 ? openLast : (step) => openSync(step, DIRECTORY),
      );
      if (next === undefined) {
        links += 1;
        if (links > MOST_LINKS)
          throw Object.assign(new Error('ELOOP: too many links'), { code: 'ELOOP' });
        if (!isOurLink(here, path)) throw untrusted(whole, name);
        const target = readlinkSync(path);
        names = [...target.split('/').filter(Boolean), ...names];
        if (target.startsWith('/')) here = replace(here, openSync('/', DIRECTORY));
      } else {
        here = replace(here, next);
      }
    }
  } catch (error) {
    closeSync(here);
    throw error;
  }
  return here;
}

/** `..` is kept: the kernel resolves it. */
function splitPath(path: string): string[] {
  return (path.startsWith('/') ? path : `${resolve('.')}/${path}`).split('/').filter(Boolean);
}

function openUnlessLink(path: string, open: (path: string) => number): number | undefined {
  try {
    return open(path);
  } catch (error) {
    const code = systemCode(error);
    if ((code === 'ENOTDIR' || code === 'ELOOP') && isLink(path)) return undefined;
    throw error;
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function replace(old: number, next: number): number {
  closeSync(old);
  return next;
}

/**
 * True if only root and this process can have created the link: others cannot write to
 * its directory, or the directory is sticky and the link is ours with one name. Volumes
 * of container orchestrators are like that.
 * @see proc_sys_fs(5), protected_symlinks
 */
function isOurLink(directory: number, path: string): boolean {
  const place = fstatSync(directory);
  if (!isOurs(place)) return false;
  if ((place.mode & 0o022) === 0) return true;
  const link = lstatSync(path);
  return (place.mode & 0o1000) !== 0 && isOurs(link) && link.nlink === 1;
}

const isOurs = ({ uid }: Stats): boolean => uid === 0 || uid === process.geteuid?.();

function untrusted(path: string, name: string): CodedError {
  return new CodedError(
    'CRED_FILE_IO',
    `${path}: ${name} is a symbolic link that another user could change; use the path of its target`,
    { path },
  );
}

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

/**
 * One name in the path from `/` to a directory and in the targets of its symbolic links,
 * in the order in which the system follows them.
 */
export interface PathStep {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly kind: 'directory' | 'link';
}

/** What is at the end of a path. */
type PathEnd =
  | { readonly kind: 'directory'; readonly step: PathStep }
  | { readonly kind: 'missing' }
  /** The path itself is a link; `exists` is false for a dangling one. */
  | { readonly kind: 'link'; readonly target: string; readonly exists: boolean }
  | { readonly kind: 'other' };

/**
 * The path of a directory: each step, the end, the path without links, and a dangling
 * link in it.
 */
export interface PathLook {
  readonly way: readonly PathStep[];
  readonly end: PathEnd;
  readonly real: string;
  readonly dangling?: { readonly path: string; readonly target: string };
}

/**
 * Follows `path`, which may be relative to the working directory. A link at its end is
 * not followed.
 * @throws the system's error: `EACCES`, `ENOTDIR`, `ELOOP`
 */
export function lookAlong(path: string): PathLook {
  let names = resolve(path).split('/').filter(Boolean);
  const way = [stepOf('/', lstatSync('/'))];
  let here = '/';
  let lastLink: PathLook['dangling'];
  let links = 0;
  let isDirectory = true;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    // `here` has no links, so `..` may be resolved textually.
    const next = join(here, name);
    const stats = lstatSync(next, { throwIfNoEntry: false });
    if (!stats) {
      const dangling = lastLink && !existsSync(lastLink.path) ? { dangling: lastLink } : {};
      return { way, end: { kind: 'missing' }, real: join(next, ...names), ...dangling };
    }
    if (stats.isSymbolicLink()) {
      const target = readlinkSync(next);
      if (names.length === 0)
        return { way, end: { kind: 'link', target, exists: existsSync(next) }, real: next };
      links += 1;
      if (links > MOST_LINKS)
        throw Object.assign(new Error(`${path}: too many links`), { code: 'ELOOP' });
      lastLink = { path: next, target };
      names = [...target.split('/').filter(Boolean), ...names];
      if (target.startsWith('/')) here = '/';
    } else {
      here = next;
      isDirectory = stats.isDirectory();
    }
    way.push(stepOf(next, stats));
  }
  const step = way.pop();
  return {
    way,
    end: isDirectory && step ? { kind: 'directory', step } : { kind: 'other' },
    real: here,
  };
}

function stepOf(path: string, stats: Stats): PathStep {
  const { uid, gid, mode } = stats;
  return {
    path,
    uid,
    gid,
    mode: mode & 0o7777,
    kind: stats.isSymbolicLink() ? 'link' : 'directory',
  };
}
