// Finds and ends the processes of a test run that outlived it, whatever their parents and
// process groups are. @see proc(5)
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { RUN_MARKER } from '../../test-fixtures/src/processes/processes.ts';

/** How long the last children of a worker have to end by themselves, in seconds. */
const GRACE = 10;

/**
 * Kills every process of the run that is still there after `grace` seconds; answers with
 * one line for each, its number and command. The test runner and its workers, which are
 * its children, do not count.
 */
export async function endLeftovers(
  run: string,
  directory: string,
  grace: number = GRACE,
): Promise<string[]> {
  const deadline = performance.now() + grace * 1000;
  for (;;) {
    const left = leftovers(run, directory);
    if (left.length === 0) return [];
    if (performance.now() > deadline) {
      for (const { pid } of left) kill(pid);
      return left.map(({ pid, command }) => `  ${pid} ${command}`);
    }
    await setTimeout(100);
  }
}

interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes whose environment carries the marker, or that work in, run from, or hold a
 * file of the run's directory.
 */
function leftovers(run: string, directory: string): Leftover[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).flatMap((pid) => {
    const ours = pid === process.pid || parentOf(pid) === process.pid;
    if (ours || !belongs(pid, run, directory)) return [];
    return [{ pid, command: textOf(pid, 'cmdline').replaceAll('\0', ' ').trim() }];
  });
}

function belongs(pid: number, run: string, directory: string): boolean {
  if (stateOf(pid) === 'Z') return false;
  const inside = (path: string): boolean => path === directory || path.startsWith(`${directory}/`);
  // A program such as nginx writes its title over its environment; what it has open still
  // tells.
  return (
    textOf(pid, 'environ').split('\0').includes(`${RUN_MARKER}=${run}`) ||
    textOf(pid, 'cmdline').includes(`${directory}/`) ||
    ['cwd', 'exe', 'root', ...descriptorsOf(pid)].some((name) => inside(linkOf(pid, name)))
  );
}

/** Fields of /proc/PID/stat after the command, which may hold blanks and parentheses. */
const fieldsOf = (pid: number): string[] =>
  textOf(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
const stateOf = (pid: number): string | undefined => fieldsOf(pid)[0];
const parentOf = (pid: number): number => Number(fieldsOf(pid)[1]);

/**
 * A file of the process; empty when the process has ended or belongs to somebody else.
 */
const textOf = (pid: number, name: string): string =>
  attempt(() => readFileSync(`/proc/${pid}/${name}`, 'utf8')) ?? '';
const linkOf = (pid: number, name: string): string =>
  attempt(() => readlinkSync(`/proc/${pid}/${name}`)) ?? '';
const descriptorsOf = (pid: number): string[] =>
  (attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []).map((name) => `fd/${name}`);

function kill(pid: number): void {
  attempt(() => process.kill(pid, 'SIGKILL'));
}

/**
 * What a look at a process that may end at any moment gives; `undefined` when it failed.
 */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
