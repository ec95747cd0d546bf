// Chooses among the system calls of a trace those at which a test kills the daemon: all that
// touch files of a token, and a sample of the rest; and what is in the files afterwards.
import { readFileSync } from 'node:fs';
import { tokenId } from '@credmon/test-fixtures/servers/issuer';
import type { SystemCall } from '@credmon/test-fixtures/processes/strace';

/** Calls that change what is on the disk. */
const CHANGES =
  /^(fsync|fdatasync|rename\w*|fchmod\w*|fchown\w*|unlink\w*|link\w*|ftruncate|utimensat|mkdir\w*)$/;

/**
 * Names the place of a call: its name and the last file name in it, without process and
 * serial numbers, e.g. `write .mytok.top.tmp`; the call's name alone when it names no
 * file.
 */
export function placeOf({ name, text }: SystemCall): string {
  const paths = [...text.replaceAll(/AT_FDCWD<[^>]*>/g, '').matchAll(/["<](\/[^">]*)[">]/g)];
  const named = (name.startsWith('rename') ? paths.at(-1) : paths[0])?.[1];
  const file = named
    ?.split('/')
    .at(-1)
    ?.replace(/\.d?\d+\.\d+\.credmon-tmp$/, '.tmp');
  return file === undefined || file === '' ? name : `${name} ${file}`;
}

/**
 * True for a call that changes a file, or that opens or fills a temporary one: each of
 * these must be struck.
 */
export function isChange(call: SystemCall): boolean {
  if (CHANGES.test(call.name)) return true;
  return /^(openat2?|p?write(v|64)?)$/.test(call.name) && call.text.includes('.credmon-tmp');
}

/**
 * True for calls about memory and threads: they come in any number between two that the
 * disk or an issuer sees.
 */
export function isInternal({ name }: SystemCall): boolean {
  return /^(futex|mmap|munmap|mprotect|madvise|brk|sched_\w+|rt_\w+|clock_\w+)$/.test(name);
}

/**
 * The number to try next for the place of `call`, after a run with number `tried` whose
 * calls are `calls`: the number that the place had in this run if it was reached, else a
 * higher one.
 */
export function nextNumber(call: SystemCall, calls: readonly SystemCall[], tried: number): number {
  const seen = calls.find((other) => other.returned && placeOf(other) === placeOf(call));
  return seen === undefined || seen.number === tried ? tried + 1 : seen.number;
}

/** A repeatable row of numbers in [0, 1). @see mulberry32 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The seed of this run: CREDMON_TEST_SEED, else a new one; it is printed, so that a
 * failure can be repeated.
 */
export function chooseSeed(what: string): number {
  const seed = Number(process.env['CREDMON_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${what}: CREDMON_TEST_SEED=${seed}`);
  return seed;
}

/** True when CREDMON_TEST_EVERY_CALL asks for every call in place of a sample. */
export const everyCall: boolean = process.env['CREDMON_TEST_EVERY_CALL'] !== undefined;

/** `count` of `all` in their order, by chance. */
export function sample<T>(all: readonly T[], count: number, random: () => number): readonly T[] {
  const chosen = all.map((value, at) => ({ value, at, lot: random() }));
  return chosen
    .sort((a, b) => a.lot - b.lot)
    .slice(0, count)
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

/** True when the file has the refresh token that the issuer's log calls `id`. */
export function holds(path: string, id: string): boolean {
  const token = /"refresh_token": *"([^"]+)"/.exec(readFileSync(path, 'utf8'))?.[1];
  return token !== undefined && tokenId(token) === id;
}

/** From the lock to the end of the pass. */
export function ofTheRenewal(calls: readonly SystemCall[]): readonly SystemCall[] {
  const first = calls.findIndex(({ text }) => text.includes('/.condor_credmon.lock"'));
  const last = calls.findIndex(
    ({ name, text }) => /^(utimensat|rename)/.test(name) && text.includes('CREDMON_COMPLETE'),
  );
  return calls.slice(first, last + 1);
}
