// What depends on the running process: whether another is alive, its standard output and
// error, its memory, and random bytes.
import { systemCode } from '../errors/errors.ts';
import {
  type ChildProcess,
  type ExecFileException,
  type ExecFileOptionsWithStringEncoding,
  execFile,
  spawn,
} from 'node:child_process';
import { randomBytes, randomFillSync } from 'node:crypto';
import { fstatSync, statSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';

/**
 * True for a living process, also for one of another user, which may not be signalled.
 * @see kill(2)
 */
export function isAlive(pid: number): boolean {
  // A number below 1 names a group of processes, or all of them.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/**
 * True for a living process other than this one: a file that carries our own number, but
 * that we have not just made, is of a dead process that had the number before.
 */
export function isAliveElsewhere(pid: number): boolean {
  return pid !== process.pid && isAlive(pid);
}

/**
 * Runs a program like Node's `execFile`, but never throws: `ended` gets every error, later. The
 * system may lack memory for a process (ENOMEM), or the program is being replaced (ETXTBSY).
 */
export function runFile(
  program: string,
  args: readonly string[],
  options: ExecFileOptionsWithStringEncoding,
  ended: (error: ExecFileException | null, output: string) => void,
): ChildProcess | undefined {
  try {
    return execFile(program, [...args], options, ended);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    setImmediate(() => ended(error as ExecFileException, ''));
    return undefined;
  }
}

/** Missing in Node before 22.15. @see execve(2) */
interface WithExecve {
  execve?(file: string, args: readonly string[], env: Readonly<Record<string, string>>): never;
}

/**
 * Ends this process with `code`. `hanging`: a call of the system may hang in another thread,
 * for instance an fsync, and `process.exit` would wait for it. If this Node cannot end
 * without that, the process ends by SIGKILL after `patience` seconds.
 */
export function exitAtOnce(code: number, hanging: boolean, patience = 5): never {
  if (!hanging) return process.exit(code);
  try {
    (process as WithExecve).execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {});
    // Its input ends with this process, so that it never kills another one.
    const script = `timeout ${patience} cat || kill -KILL $PPID`;
    const killer = spawn('/bin/sh', ['-c', script], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    if (killer.pid !== undefined) return process.exit(code);
  } catch {
    // There is no memory for another process.
  }
  process.kill(process.pid, 'SIGKILL');
  return process.exit(code);
}

/** File descriptors. */
export const STDOUT = 1;
export const STDERR = 2;

/**
 * True if the descriptor is open on a terminal. node:tty, which loads the modules of the
 * network, is asked only about a device that is not /dev/null.
 */
export function isTerminal(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isCharacterDevice() || stats.rdev === statSync('/dev/null').rdev) return false;
    return isatty(descriptor);
  } catch {
    // The descriptor is closed.
    return false;
  }
}

/** Milliseconds to wait for a slow reader. */
const READER_PAUSE = 5;

/**
 * Writes a text to standard output or standard error, completely before it returns. If
 * the reader is gone (`| head`), the text is dropped without an error, so that the
 * command keeps its exit code; the result is then false.
 * @throws the system's error for everything else, for instance `ENOSPC`
 */
export function writeOutput(descriptor: typeof STDOUT | typeof STDERR, text: string): boolean {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') throw error;
      // Another process made the pipe non-blocking, and it is full.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, READER_PAUSE);
    }
  }
  return true;
}

/** Other versions of V8 ignore them. */
const SMALL_HEAP = ['--semi-space-growth-factor=1', '--heap-growing-percent=100'];
const EARLY_COLLECTION = '--heap-growing-percent=25';
const USUAL_HEAP = ['--semi-space-growth-factor=2', '--heap-growing-percent=0'];

/**
 * Makes V8 keep the heap small until the process ends. The space for new objects stays as
 * small as it is now: a pass over many tokens would make it 30 MB larger, for the same
 * processor time. Old objects are collected when they are twice, not four times, as many as
 * before. To be called after the start, because V8 rejects compiled code that was kept with
 * other flags; at the end, when compiled code is kept, the flags are the usual ones.
 */
export function keepHeapSmall(): void {
  for (const flag of SMALL_HEAP) setFlagsFromString(flag);
  process.prependOnceListener('exit', () => {
    for (const flag of USUAL_HEAP) setFlagsFromString(flag);
  });
}

/**
 * After {@link keepHeapSmall}: makes V8 collect old objects when they have become a quarter
 * more, because thousands of renewals leave much garbage. To be called when the heap has
 * reached its usual size: while it grows, this takes processor time.
 */
export function collectEarly(): void {
  setFlagsFromString(EARLY_COLLECTION);
}

/** Returns `bytes` unpredictable bytes. */
export type Random = (bytes: number) => Uint8Array;

/** The size of the store of random bytes; a call of the system costs as much as all of it. */
const STORE_BYTES = 4096;

const store = new Uint8Array(STORE_BYTES);
let used = STORE_BYTES;

/**
 * The machine's cryptographic random numbers. Bytes of small requests come from a store that
 * is filled by one call; bytes that were given out are erased in it.
 */
export const systemRandom: Random = (bytes) => {
  if (bytes > STORE_BYTES / 16) return randomBytes(bytes);
  if (used + bytes > STORE_BYTES) {
    randomFillSync(store);
    used = 0;
  }
  const given = store.slice(used, used + bytes);
  store.fill(0, used, used + bytes);
  used += bytes;
  return given;
};
