// Processor time and memory of processes and their children, and their end.
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as rest } from 'node:timers/promises';

/** What a process and its children have used so far. */
export interface Usage {
  /** Seconds, user and system. */
  readonly cpu: number;
  /** Peak resident memory in MiB, the sum over the processes. */
  readonly peak: number;
  /** Resident memory now in MiB. */
  readonly resident: number;
}

/** Ticks a second in /proc/PID/stat: USER_HZ is 100 on every Linux that Node.js supports. */
const TICKS = 100;

/** CPU seconds of a process, of its children that live and of those that have ended. */
export function cpuOf(pid: number): number {
  return sum(treeOf(pid), (one) => {
    const fields = fieldsOf(one);
    const [user, system, ...ended] = fields.slice(11, 15).map(Number);
    // Nanoseconds of the threads that live are more exact than ticks.
    const threads = sum(list(`/proc/${one}/task`), (thread) =>
      Number(text(`/proc/${one}/task/${thread}/schedstat`).split(' ')[0]),
    );
    const own = Math.max(threads / 1e9, ((user ?? 0) + (system ?? 0)) / TICKS);
    return own + sum(ended, (ticks) => ticks) / TICKS;
  });
}

/** CPU seconds and memory of a process and its living children. */
export function usageOf(pid: number): Usage {
  const mebibytes = (name: string): number =>
    sum(treeOf(pid), (one) => {
      const [, kibibytes] =
        new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text(`/proc/${one}/status`)) ?? [];
      return Number(kibibytes ?? 0) / 1024;
    });
  return { cpu: cpuOf(pid), peak: mebibytes('VmHWM'), resident: mebibytes('VmRSS') };
}

/** CPU seconds of the children of this process that have ended, as system ticks count. */
export function endedChildrenCpu(): number {
  const [user = 0, system = 0] = fieldsOf(process.pid).slice(13, 15).map(Number);
  return (user + system) / TICKS;
}

/** Bytes that a process has read and written with system calls. */
export function bytesOf(pid: number): { readonly read: number; readonly written: number } {
  const field = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text(`/proc/${pid}/io`))?.[1] ?? 0);
  return { read: field('rchar'), written: field('wchar') };
}

/**
 * Waits until a process and its children do nothing: no thread wants to run, and no CPU
 * time is used, three times in a row.
 * @throws Error after `limit` seconds
 */
export async function settled(pid: number, limit = 1800): Promise<void> {
  const until = performance.now() + limit * 1000;
  let before = cpuOf(pid);
  for (let quiet = 0; quiet < 3;) {
    await rest(100);
    if (performance.now() > until) throw new Error(`process ${pid} did not come to rest`);
    const now = cpuOf(pid);
    quiet = now - before < 0.003 && !wantsToRun(pid) ? quiet + 1 : 0;
    before = now;
  }
}

/** What a child of this program printed, as JSON, and its CPU time. */
export async function finished(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`a child ended with ${code}: ${output}`);
  return output;
}

/**
 * Starts a program in a process group of its own; standard error is kept for errors.
 */
export function start(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): ChildProcess {
  const child = spawn(command, args, {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}

const running = new Set<ChildProcess>();
// Nothing outlives the benchmark, also when it fails.
process.once('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL');
});

/** Ends a process: SIGTERM, and SIGKILL to its group if it does not end within 20 s. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const over = new AbortController();
  const late = rest(20_000, 'late', { signal: over.signal }).catch(() => 'over');
  if ((await Promise.race([exited.then(() => 'ended'), late])) === 'late')
    signalGroup(child, 'SIGKILL');
  await exited;
  over.abort();
  signalGroup(child, 'SIGKILL');
}

/** Sends a signal to a process and all of its group, if they have not ended. */
export function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, name);
  } catch {
    // The group has ended.
  }
}

/** Whether a thread is running, waits for a processor, or waits for a disk. */
function wantsToRun(pid: number): boolean {
  return treeOf(pid).some((one) =>
    list(`/proc/${one}/task`).some((thread) =>
      /\) [RD] /.test(text(`/proc/${one}/task/${thread}/stat`)),
    ),
  );
}

/** The process and its descendants. */
function treeOf(pid: number): readonly number[] {
  const children = list(`/proc/${pid}/task`).flatMap((thread) =>
    text(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(treeOf)];
}

/** Fields of /proc/PID/stat after the name, which may hold blanks and parentheses. */
const fieldsOf = (pid: number): string[] =>
  text(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + (of(item) || 0), 0);

/** A file of /proc; empty when the process has ended. */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
