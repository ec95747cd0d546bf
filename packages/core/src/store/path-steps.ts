// Checks each name in the path of a directory, including links and their targets, without
// opening anything.
import { existsSync, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';

/** The kernel follows this many links in one path. */
const MOST_LINKS = 40;

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

// Whether the location of the credential directory can be trusted, from the lstat of each
// name in its path. Pure.

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

/** The trusted owners of a directory with credentials. */
export interface Trust {
  readonly user: (uid: number) => boolean;
  readonly group: (gid: number) => boolean;
}

/** Why a step is not trusted: its owner, or users with write permission. */
export interface Weakness {
  readonly why: 'owner' | 'group' | 'others';
  readonly step: PathStep;
}

const STICKY = 0o1000;
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;

/**
 * Returns the first step from `/` that an untrusted user could exploit: `way` leads to
 * `directory`, if it exists. The owner of a directory can rename its entries. So can its
 * group and others with write permission, unless it is sticky. In the credential
 * directory new names matter, too, so sticky is not sufficient there.
 */
export function weaknessOf(
  way: readonly PathStep[],
  directory: PathStep | undefined,
  trust: Trust,
): Weakness | undefined {
  for (const step of [...way, ...(directory ? [directory] : [])]) {
    const why = weaknessOfStep(step, step === directory, trust);
    if (why) return { why, step };
  }
  return undefined;
}

function weaknessOfStep(step: PathStep, last: boolean, trust: Trust): Weakness['why'] | undefined {
  if (!trust.user(step.uid)) return 'owner';
  // The mode of a link has no meaning.
  if (step.kind === 'link' || ((step.mode & STICKY) !== 0 && !last)) return undefined;
  if ((step.mode & OTHERS_WRITE) !== 0) return 'others';
  return (step.mode & GROUP_WRITE) !== 0 && !trust.group(step.gid) ? 'group' : undefined;
}
