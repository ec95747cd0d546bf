// Runs a process under strace, which kills it or fails a call at a chosen system call of
// its main thread.
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
 * thread.
 */
export interface TraceOptions {
  readonly trace: string;
  readonly inject?: Injection;
  readonly everyThread?: boolean;
}

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
 * Returns the calls in a trace file of one thread, when the tracer has finished writing
 * it.
 */
export async function readCalls(trace: string): Promise<readonly SystemCall[]> {
  const text = await waitUntil(
    () =>
      existsSync(trace) && /^\+\+\+ .*\n?$/m.test(lastLine(trace)) && readFileSync(trace, 'utf8'),
    { what: `the end of ${trace}` },
  );
  return parseCalls(text);
}

/** Parses the calls in the text of a trace of one thread. */
export function parseCalls(text: string): readonly SystemCall[] {
  const counts = new Map<string, number>();
  return text.split('\n').flatMap((line) => {
    const name = /^(\w+)\(/.exec(line)?.[1];
    if (name === undefined) return [];
    const number = (counts.get(name) ?? 0) + 1;
    counts.set(name, number);
    return [
      {
        name,
        number,
        text: line,
        returned: !line.endsWith('= ?'),
        injected: line.includes('(INJECTED)'),
      },
    ];
  });
}

function lastLine(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? '';
}
