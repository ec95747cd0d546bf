// Looks at every name on the way to a directory, links and their targets too, without
// opening anything.
import { existsSync, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PathStep } from './directory-trust.ts';

/** As many links as the kernel follows in one path. */
const MOST_LINKS = 40;

/** What is at the end of a path. */
export type PathEnd =
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
