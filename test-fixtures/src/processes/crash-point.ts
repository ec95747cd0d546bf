// Runs a process so that it dies, or fails, at a chosen change of the file system. The
// other half is crash-point.mjs.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where to strike: before the changes `at` (from 1) to `until`. With `error`, the calls
 * fail with it instead of killing the process.
 */
export interface CrashPoint {
  readonly at?: number;
  readonly until?: number;
  readonly error?: 'ENOSPC' | 'EIO' | 'EROFS' | 'EACCES';
}

/**
 * Returns an environment in which Node strikes at `point`, and writes the changes below
 * `directory` to `trace`.
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
 * Returns the changes in the trace as `operation path`, without process numbers in the
 * names of temporary files.
 */
export function readTrace(trace: string): string[] {
  if (!existsSync(trace)) return [];
  const lines = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => line.replace(/\.d?\d+\.\d+\.credmon-tmp$/, '.tmp'));
}
