// The loop: pass after pass, at the next due time, at the latest after a minute, and at
// once when somebody signals.
import { CodedError, messageOf, type Clock, largest } from '@credmon/core/base';
import type { ScanHabits } from '@credmon/core/store';
import type { Log } from '@credmon/core/log';
import {
  LATE_INTERVAL,
  LONGEST_SLEEP,
  REWRITE_INTERVAL,
  SHORTEST_SLEEP,
  SLEEP_AFTER_CALL,
} from '../settings/policy.ts';
import { hasTop, lossOf, rewrite } from './pending-writes.ts';
import { beginPass, type BegunPass, type ProviderLookup } from './pass.ts';
import type { PassMemory, PassContext } from './context.ts';
import type { Settings } from '../settings/read.ts';

/**
 * A bell: `notify` wakes who waits on `signal`; a ring while nobody waits wakes the next
 * one. Many rings are one.
 */
export interface WakeUp {
  notify(): void;
  readonly pending: boolean;
  /** Forgets rings so far and gives a signal that the next ring aborts. */
  reset(): AbortSignal;
}

/** A bell that nobody has pending. */
export function createWakeUp(): WakeUp {
  let controller = new AbortController();
  return {
    notify: () => controller.abort(),
    get pending() {
      return controller.signal.aborted;
    },
    reset: () => {
      controller = new AbortController();
      return controller.signal;
    },
  };
}

/**
 * A call does not cut a pass short in its first so many seconds: calls without end must
 * leave it time for known directories, too.
 */
const UNCUT = 0.005;

/** How long CREDMON_COMPLETE waits for an issuer that does not answer, in seconds. */
const PATIENCE = 20;

/**
 * What the loop needs beside a pass's world. `settings` may change between passes;
 * `complete` marks the end of one, and `rotateKeys` takes the steps of the signing keys
 * that are due then; `drainSeconds` is how long the end waits for renewals under way.
 */
export interface DaemonParts {
  readonly world: PassContext;
  readonly memory: PassMemory;
  readonly log: Log;
  readonly wake: WakeUp;
  readonly stop: AbortSignal;
  readonly ownership: () => ProviderLookup;
  readonly reload: () => void;
  readonly complete: () => void;
  readonly rotateKeys?: () => void;
  readonly drainSeconds: () => number;
  /**
   * Makes the reserved disk space again where it is missing; called while nothing waits
   * for space.
   */
  readonly keepReserve?: () => void;
}

/**
 * Runs passes until `stop`, then waits for the renewals under way, so that what an issuer
 * has answered is written; so, too, before an error leaves. True when every rotated
 * refresh token is written.
 * @throws CodedError `LOCK_LOST` when another process can hold the lock by now
 */
export async function runDaemon(parts: DaemonParts): Promise<boolean> {
  const { stop, wake, world } = parts;
  const end = (): void => {
    world.limiter.close();
    wake.notify();
  };
  stop.addEventListener('abort', end, { once: true });
  try {
    await makePasses(parts);
  } finally {
    await drain(parts);
  }
  refuseLostLock(parts);
  return ![...parts.memory.unwritten.values()].some(hasTop);
}

/** @throws CodedError `LOCK_LOST` when another process can hold the lock by now */
function refuseLostLock({ world }: DaemonParts): void {
  const state = world.lockState();
  if (state !== 'held') throw new CodedError('LOCK_LOST', LOST[state], { state });
}

const LOST = {
  'file-replaced':
    'stopped: the lock file .condor_credmon.lock was removed or replaced while this process held it, another daemon may be running; ' +
    'fix: never remove that file, and start condor_credmon again',
  'directory-replaced':
    'stopped: the credential directory was removed or replaced while this process was running; fix: start condor_credmon again',
} as const;

async function makePasses(parts: DaemonParts): Promise<void> {
  const { world, wake, stop, memory } = parts;
  while (!stop.aborted && world.lockState() === 'held') {
    const called = wake.pending;
    if (called) reload(parts);
    const woken = wake.reset();
    const began = world.clock.steady();
    if (memory.unwritten.size === 0) parts.keepReserve?.();
    const begun = await onePass(parts, {
      hurry: () => called || wake.pending,
      interrupted: () => wake.pending && world.clock.steady() - began >= UNCUT,
      stopped: () => stop.aborted,
    });
    const settledIn = begun && (await settle(begun, world.clock, woken));
    if (begun?.cut === false) touch(parts);
    rotateKeys(parts);
    const rewriteIn = memory.unwritten.size > 0 ? REWRITE_INTERVAL : LONGEST_SLEEP;
    const lateIn = memory.late.size > 0 ? LATE_INTERVAL : LONGEST_SLEEP;
    const passed = world.clock.steady() - began;
    const plannedIn = (begun?.plan.nextIn ?? LONGEST_SLEEP) - passed;
    const sleep = called ? SLEEP_AFTER_CALL : LONGEST_SLEEP;
    const nextIn = Math.min(plannedIn, settledIn ?? LONGEST_SLEEP, rewriteIn, lateIn, sleep);
    await world.clock.wait(Math.max(nextIn, SHORTEST_SLEEP), woken);
  }
}

/** The configuration that is in use serves as long as no other can be had. */
function reload(parts: DaemonParts): void {
  try {
    parts.reload();
  } catch (error) {
    parts.log.error(`The configuration cannot be read again and is unchanged: ${messageOf(error)}`);
  }
}

/**
 * Waits for the renewals of a pass and tells in how many seconds one of them is due
 * again. One that hangs keeps neither CREDMON_COMPLETE nor another token's renewal
 * waiting.
 */
async function settle(
  begun: BegunPass,
  clock: Clock,
  woken: AbortSignal,
): Promise<number | undefined> {
  if (begun.started === 0) return undefined;
  const patience = Math.min(PATIENCE, Math.max(begun.plan.nextIn, SHORTEST_SLEEP));
  return within(begun.settled, patience, clock, woken);
}

/**
 * A mark that cannot be set must not end a process that may hold the only copy of a
 * rotated refresh token.
 */
function touch({ complete, world }: DaemonParts): void {
  if (world.lockState() !== 'held') return;
  try {
    complete();
  } catch (error) {
    world.report({
      type: 'problem',
      text: `CREDMON_COMPLETE cannot be touched: ${messageOf(error)}`,
    });
  }
}

/** Keys are rotated by the calendar, whatever became of the pass and its mark. */
function rotateKeys({ rotateKeys: rotate, world }: DaemonParts): void {
  if (world.lockState() !== 'held') return;
  try {
    rotate?.();
  } catch (error) {
    world.report({
      type: 'problem',
      text: `The signing keys cannot be rotated: ${messageOf(error)}`,
    });
  }
}

/**
 * One pass with nothing after it (`--once`): ends when its renewals have, or at a signal
 * when those under way have. True when everything that was due has been tried, and
 * written.
 */
export async function runOnce(parts: DaemonParts): Promise<boolean> {
  const { world, stop, memory, log } = parts;
  const closed = new Promise<void>((resolve) => {
    const close = (): void => {
      world.limiter.close();
      resolve();
    };
    if (stop.aborted) close();
    else stop.addEventListener('abort', close, { once: true });
  });
  parts.keepReserve?.();
  const begun = await onePass(parts, { stopped: () => stop.aborted });
  try {
    if (begun) await Promise.race([begun.settled.then(() => lateEnded(parts)), closed]);
  } finally {
    await drain(parts);
  }
  refuseLostLock(parts);
  const { letGo } = world.limiter;
  if (letGo > 0)
    log.warn(`Stopped with ${letGo} ${letGo === 1 ? 'renewal' : 'renewals'} not started`);
  if (begun?.cut === true)
    log.warn(
      'Stopped before the scan of the credential directory was complete: its tokens were not renewed',
    );
  const complete = begun?.cut === false && letGo + memory.inFlight.size + memory.late.size === 0;
  if (complete) touch(parts);
  rotateKeys(parts);
  return complete && memory.unwritten.size === 0;
}

/**
 * Nobody waits for the end of a single pass as for that of a process that a signal ends:
 * late answers get all of their time.
 */
async function lateEnded({ world, memory }: DaemonParts): Promise<void> {
  while (memory.late.size > 0) await world.clock.wait(DRAIN_STEP);
}

/** A directory that cannot be read now may be readable in a minute. */
async function onePass(
  parts: DaemonParts,
  habits: Omit<ScanHabits, 'found'> = {},
): Promise<BegunPass | undefined> {
  try {
    return await beginPass(parts.world, parts.ownership(), parts.memory, habits);
  } catch (error) {
    parts.log.error(
      `The pass over the credential directory failed and is repeated: ${messageOf(error)}`,
    );
    return undefined;
  }
}

/**
 * The result of `work` if it comes within `seconds` and before `signal`. The work itself
 * continues either way.
 */
async function within<T>(
  work: Promise<T>,
  seconds: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<T | undefined> {
  const done = new AbortController();
  const either = AbortSignal.any([done.signal, signal]);
  const tooLong = clock.wait(seconds, either).then((): undefined => undefined);
  const result = await Promise.race([work, tooLong]);
  done.abort();
  return result;
}

/** How often the end of renewals under way is looked for at shutdown, in seconds. */
const DRAIN_STEP = 0.05;
/**
 * A step that takes longer counts as so many seconds: a stall of the process must not use
 * up the time of an answer that has arrived.
 */
const LONGEST_STEP = 1;

async function drain({ world, memory, log, drainSeconds }: DaemonParts): Promise<void> {
  // A grant that is spent after the lock is given back could be one that the next daemon
  // spends too.
  world.limiter.close();
  await Promise.resolve();
  const { inFlight, late } = memory;
  const open = (): number => inFlight.size + late.size;
  if (open() > 0) log.info(`Stopping: waiting for ${open()} renewals under way`);
  let left = drainSeconds();
  for (let at = world.clock.steady(); open() > 0 && left > 0; at = world.clock.steady()) {
    await world.clock.wait(DRAIN_STEP);
    left -= Math.min(world.clock.steady() - at, LONGEST_STEP);
  }
  for (const id of [...inFlight, ...[...late].map((renewal) => renewal.id)])
    log.error(`${id}: renewal still running at shutdown, abandoned; a late response will be lost`);
  rewrite(world, memory);
  for (const [id, rest] of memory.unwritten)
    log.error(`${id}: stopped before it was written; ${lossOf(rest)}`);
}

/** A renewal asks an issuer for metadata (at two places), keys and at last the token. */
const EXCHANGES = 4;
/** Seconds for what comes after the answer. */
const MARGIN = 5;

/**
 * Seconds after which no renewal can be under way any more: each exchange and each token
 * program ends by its own time-out.
 */
export function drainSeconds(settings: Pick<Settings, 'limits' | 'tokenPrograms'>): number {
  const programs = settings.tokenPrograms.map(({ seconds }) => seconds);
  return largest(programs, EXCHANGES * settings.limits.totalSeconds) + MARGIN;
}
