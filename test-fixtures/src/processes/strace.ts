// Runs a process under strace, which kills it or fails a call at a chosen system call of
// its main thread, or at an fsync of another thread.
import { existsSync, readFileSync } from 'node:fs';
import { startProcess, type Child } from './processes.ts';
import { waitUntil } from '../clocks/wait-until.ts';

/**
 * One system call of a trace: `number` counts the calls with this name from 1; `text` is
 * the line of strace, with paths of descriptors.
 */
export interface SystemCall {
  readonly name: string;
  readonly number: number;
  readonly text: string;
  /** False if the process died in this call. */
  readonly returned: boolean;
  /** True if strace injected an error. */
  readonly injected: boolean;
}

/**
 * What strace injects: a signal on entry, an error, or `delay` (microseconds) after the
 * call.
 */
export interface Injection {
  readonly call: string;
  /** The `when` of strace: `3`, `3+`, `2..5`; every call by default. */
  readonly when?: number | string;
  readonly signal?: 'SIGKILL';
  readonly error?: string;
  readonly delay?: number;
}

/**
 * Options of a trace. `everyThread` follows threads and children, and counts calls per
 * thread: with {@link ONE_POOL_THREAD} an fsync has one number.
 */
export interface TraceOptions {
  readonly trace: string;
  readonly inject?: Injection;
  readonly everyThread?: boolean;
}

/** The environment in which Node makes all its fsyncs off the event loop in one thread. */
export const ONE_POOL_THREAD: Readonly<Record<string, string>> = { UV_THREADPOOL_SIZE: '1' };

/**
 * Starts `command` under strace. The tracer is a grandchild, so signals and the exit
 * status are those of the command.
 */
export function startTraced(
  [command, ...args]: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
  options: TraceOptions,
): Child {
  return startProcess('strace', ['-D', ...straceArguments(options), command, ...args], environment);
}

/** Traces a running process; resolves when strace is attached. `stop` detaches it. */
export async function attachTrace(pid: number, options: TraceOptions): Promise<Child> {
  const tracer = startProcess('strace', [...straceArguments(options), '-p', String(pid)], {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  });
  await tracer.printed(/attached/);
  return tracer;
}

function straceArguments({ trace, inject, everyThread }: TraceOptions): string[] {
  return [
    ...(everyThread === true ? ['-f'] : []),
    '-y',
    '-s',
    '64',
    '-o',
    trace,
    ...(inject === undefined ? [] : ['-e', injectionText(inject)]),
  ];
}

function injectionText({ call, when, signal, error, delay }: Injection): string {
  const parts = [
    `inject=${call}`,
    ...(signal === undefined ? [] : [`signal=${signal}`]),
    ...(error === undefined ? [] : [`error=${error}`]),
    ...(delay === undefined ? [] : [`delay_exit=${delay}`]),
    ...(when === undefined ? [] : [`when=${when}`]),
  ];
  return parts.join(':');
}

/**
 * Returns the calls in a trace file, see {@link parseCalls}, when the tracer has finished
 * writing it.
 */
export async function readCalls(trace: string): Promise<readonly SystemCall[]> {
  const text = await waitUntil(
    () => existsSync(trace) && hasEnded(readFileSync(trace, 'utf8')) && readFileSync(trace, 'utf8'),
    { what: `the end of ${trace}` },
  );
  return parseCalls(text);
}

/** True if the last line for the first thread is its end. */
function hasEnded(text: string): boolean {
  const lines = text.trimEnd().split('\n');
  const thread = /^\d+ +/.exec(text)?.[0] ?? '';
  return lines.some((line) => line.startsWith(`${thread}+++ `));
}

/**
 * Parses the calls of the main thread in the text of a trace, and the fsyncs of the other
 * threads.
 */
export function parseCalls(text: string): readonly SystemCall[] {
  const counts = new Map<string, number>();
  const main = /^(\d+) +/.exec(text)?.[1] ?? '';
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    const [, thread = '', name] = /^(?:(\d+) +)?(\w+)\(/.exec(line) ?? [];
    if (name === undefined || (thread !== main && name !== 'fsync')) return [];
    const counted = `${thread} ${name}`;
    const number = (counts.get(counted) ?? 0) + 1;
    counts.set(counted, number);
    const rest = line.endsWith('<unfinished ...>')
      ? lines.slice(at + 1).find((later) => later.startsWith(`${thread} <... ${name} resumed>`))
      : line;
    return [
      {
        name,
        number,
        text: thread === '' ? line : line.slice(line.indexOf(name)),
        returned: rest !== undefined && !rest.endsWith('= ?'),
        injected: rest?.includes('(INJECTED)') === true,
      },
    ];
  });
}
