// Runs a process so that it dies, or fails, at one chosen change of the file system; the
// other half is crash-point.mjs.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where to strike: before change number `at` (from 1) up to `until`; with `error` the
 * calls fail with it instead of the process dying.
 */
export interface CrashPoint {
  readonly at?: number;
  readonly until?: number;
  readonly error?: 'ENOSPC' | 'EIO' | 'EROFS' | 'EACCES';
}

/**
 * An environment that makes Node strike at `point`, counting changes below `directory`
 * and writing them down in `trace`.
 */
export function crashEnvironment(
  root: string,
  directory: string,
  trace: string,
  point: CrashPoint,
): Record<string, string> {
  const preload = new URL(`file://${join(root, 'test-fixtures/src/processes/crash-point.mjs')}`);
  return {
    NODE_OPTIONS: `--import=${preload.href}`,
    CRASH_DIRECTORY: directory,
    CRASH_TRACE: trace,
    ...(point.at === undefined ? {} : { CRASH_AT: String(point.at) }),
    ...(point.until === undefined ? {} : { CRASH_UNTIL: String(point.until) }),
    ...(point.error === undefined ? {} : { CRASH_ERROR: point.error }),
  };
}

/**
 * The changes that were made, one `operation path` each, without process numbers in the
 * names of temporary files.
 */
export function readTrace(trace: string): string[] {
  if (!existsSync(trace)) return [];
  const lines = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => line.replace(/\.d?\d+\.\d+\.credmon-tmp$/, '.tmp'));
}
