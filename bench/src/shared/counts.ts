// Counts of system calls, from `strace -c`.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Calls by group. */
export interface Counts {
  readonly open: number;
  readonly stat: number;
  readonly read: number;
  readonly write: number;
  readonly fsync: number;
  readonly rename: number;
}

const GROUPS: Readonly<Record<keyof Counts, RegExp>> = {
  open: /^open/,
  stat: /^(?:l|f|newf)?stat(?:x|at|64)?$/,
  read: /^(?:read|pread64|readv|getdents64)$/,
  write: /^(?:write|pwrite64|writev)$/,
  fsync: /^f(?:data)?sync$/,
  rename: /^rename/,
};

/** Parses the table of `strace -c`. */
export function parseCounts(table: string): Counts {
  const calls = table.split('\n').flatMap((line) => {
    // "% time, seconds, usecs/call, calls, errors (may be empty), name"
    const [, count, name] = /^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$/.exec(line) ?? [];
    return count === undefined || name === undefined || name === 'total'
      ? []
      : [{ name, count: Number(count) }];
  });
  const sum = (pattern: RegExp): number =>
    calls.reduce((total, { name, count }) => total + (pattern.test(name) ? count : 0), 0);
  return mapCounts((group) => sum(GROUPS[group]));
}

/** Counts made of what `of` returns for each group. */
export function mapCounts(of: (group: keyof Counts) => number): Counts {
  return {
    open: of('open'),
    stat: of('stat'),
    read: of('read'),
    write: of('write'),
    fsync: of('fsync'),
    rename: of('rename'),
  };
}

/** The calls of a command. */
export function countCommand(
  words: readonly string[],
  file: string,
  environment: Readonly<Record<string, string>>,
): Counts {
  execFileSync('strace', ['-f', '-c', '-o', file, ...words], { env: environment, stdio: 'ignore' });
  return parseCounts(readFileSync(file, 'utf8'));
}
