// Looks at every name on the way to a directory, links and their targets too, without
// opening anything.
import { existsSync, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';

/** As many links as the kernel follows in one path. */
const MOST_LINKS = 40;

/** What is at the end of a path. */
type PathEnd =
  | { readonly kind: 'directory'; readonly step: PathStep }
  | { readonly kind: 'missing' }
  /** The path itself is a link; `exists` says whether it leads anywhere. */
  | { readonly kind: 'link'; readonly target: string; readonly exists: boolean }
  | { readonly kind: 'other' };

/**
 * The way to a directory: each step to it, the end, the path without links on the way,
 * and a link on the way that leads nowhere.
 */
export interface PathLook {
  readonly way: readonly PathStep[];
  readonly end: PathEnd;
  readonly real: string;
  readonly dangling?: { readonly path: string; readonly target: string };
}

/**
 * Looks along `path`, which may be relative to the working directory. A link at its end
 * is not followed.
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
    // `here` has no links, so that `..` may be taken by the text.
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

// Whether the place of the credential directory can be trusted: a judgement over what
// lstat shows of each name on the way. Pure.

/**
 * One name on the way from `/` to a directory, and of each symbolic link's target, in the
 * order in which the system follows them.
 */
export interface PathStep {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly kind: 'directory' | 'link';
}

/** Whom a directory with credentials may belong to. */
export interface Trust {
  readonly user: (uid: number) => boolean;
  readonly group: (gid: number) => boolean;
}

/** Why a step cannot be trusted: its owner, or who may write there. */
export interface Weakness {
  readonly why: 'owner' | 'group' | 'others';
  readonly step: PathStep;
}

const STICKY = 0o1000;
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;

/**
 * The first step that somebody could use who is not trusted, from `/` on: `way` leads to
 * `directory`, where that is there. The owner of a directory may rename what is in it,
 * and so may its group and others who may write there, unless it is sticky. In the
 * credential directory new names count too: there sticky does not help.
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
  // The mode of a link means nothing.
  if (step.kind === 'link' || ((step.mode & STICKY) !== 0 && !last)) return undefined;
  if ((step.mode & OTHERS_WRITE) !== 0) return 'others';
  return (step.mode & GROUP_WRITE) !== 0 && !trust.group(step.gid) ? 'group' : undefined;
}
