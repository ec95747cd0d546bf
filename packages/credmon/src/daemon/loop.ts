// The daemon's loop: a pass at the next due time, at least every minute, and at once
// after a wake-up.
import { CodedError, messageOf, type Clock } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import {
  LATE_INTERVAL,
  LONGEST_SLEEP,
  REWRITE_INTERVAL,
  SHORTEST_SLEEP,
  SLEEP_AFTER_WAKE_UP,
} from '../settings/policy.ts';
import {
  changesIn,
  hasTop,
  reportSlowWrites,
  SHUTDOWN_STEP,
  waitForShutdown,
} from './full-disk.ts';
import type { ProviderLookup } from './judge-scan.ts';
import { beginPass, type BegunPass, type PassOptions } from './pass.ts';
import type { PassMemory, PassContext } from './context.ts';

/**
 * A wake-up signal that coalesces; a notify without a waiter is kept for the next wait.
 */
export interface WakeUp {
  /** Wakes the loop. `user`: whose directory has changed, if that is known. */
  notify(user?: string): void;
  readonly pending: boolean;
  /** Clears pending notifications and returns a signal that the next one aborts. */
  reset(): AbortSignal;
  /** Returns the users of the notifications so far, and forgets them. */
  takeUsers(): readonly string[];
}

/** With more of them, no one would be first. */
const MOST_USERS = 100;

/** Creates a wake-up signal with nothing pending. */
export function createWakeUp(): WakeUp {
  let controller = new AbortController();
  const users = new Set<string>();
  return {
    notify: (user) => {
      if (user !== undefined && users.size < MOST_USERS) users.add(user);
      controller.abort();
    },
    get pending() {
      return controller.signal.aborted;
    },
    reset: () => {
      controller = new AbortController();
      return controller.signal;
    },
    takeUsers: () => {
      const taken = [...users];
      users.clear();
      return taken;
    },
  };
}

/**
 * Minimum run time of a scan before a wake-up may abort it, in seconds, so that wake-ups
 * cannot starve it.
 */
const MIN_SCAN_SECONDS = 0.005;

/**
 * If a pass is needed only to update the status files, the daemon first waits this many
 * times the duration of the last pass. With a million tokens, a pass takes seconds.
 */
const SHOWN_SELDOM = 20;

/**
 * How long a pass waits for an issuer that does not answer, before CREDMON_COMPLETE is
 * touched, in seconds.
 */
const ISSUER_TIMEOUT = 20;

/**
 * What the loop needs. `settings` may change between passes; `complete` marks the end of
 * a pass; `rotateKeys` takes the key rotation steps that are due; `graceSeconds` is how
 * long shutdown waits for renewals in progress.
 */
export interface DaemonParts {
  readonly context: PassContext;
  readonly memory: PassMemory;
  readonly log: Log;
  readonly wake: WakeUp;
  readonly stop: AbortSignal;
  readonly lookup: () => ProviderLookup;
  readonly reload: () => void;
  readonly complete: () => void;
  readonly rotateKeys?: () => void;
  /** Called at the end of each turn of the loop: the daemon does not hang. */
  readonly turnEnded?: () => void;
  readonly graceSeconds: () => number;
  /**
   * Restores the reserved disk space if it is missing; called while no write is pending.
   */
  readonly keepReserve?: () => void;
  /**
   * Returns in how many seconds users should see the result of a pass that has started
   * this many renewals; infinite if no user looks.
   */
  readonly nextLook?: (started: number) => number;
}

/**
 * Runs passes until `stop`, then waits for the renewals in progress so that received
 * answers are written, also before an error is thrown. Returns true when every rotated
 * refresh token is written.
 * @throws CodedError `LOCK_LOST` when another process may hold the lock
 */
export async function runDaemon(parts: DaemonParts): Promise<boolean> {
  const { stop, wake, context } = parts;
  const end = (): void => {
    context.limiter.close();
    wake.notify();
  };
  stop.addEventListener('abort', end, { once: true });
  try {
    await runPasses(parts);
  } finally {
    await waitForShutdown(parts);
  }
  requireLock(parts);
  const { unwritten, writing } = parts.memory;
  return ![...unwritten.values(), ...changesIn(writing)].some(hasTop);
}

/** @throws CodedError `LOCK_LOST` when another process may hold the lock */
function requireLock({ context }: DaemonParts): void {
  const state = context.lockState();
  if (state !== 'held') throw new CodedError('LOCK_LOST', LOCK_LOST_TEXTS[state], { state });
}

const LOCK_LOST_TEXTS = {
  'file-replaced':
    'stopped: the lock file .condor_credmon.lock was removed or replaced while this ' +
    'process held it, another daemon may be running; ' +
    'fix: never remove that file, and start condor_credmon again',
  'directory-replaced':
    'stopped: the credential directory was removed or replaced while this ' +
    'process was running; fix: start condor_credmon again',
} as const;

async function runPasses(parts: DaemonParts): Promise<void> {
  const { context, wake, stop, memory } = parts;
  const renewals = endedRenewals(context.clock);
  while (!stop.aborted && context.lockState() === 'held') {
    const woken = wake.pending;
    if (woken) reload(parts);
    const wakeSignal = wake.reset();
    const began = context.clock.steady();
    if (memory.unwritten.size === 0) parts.keepReserve?.();
    renewals.dueAgain = Number.POSITIVE_INFINITY;
    const begun = await onePass(parts, {
      first: wake.takeUsers(),
      ended: renewals.ended,
      hurry: () => woken || wake.pending,
      interrupted: () => wake.pending && context.clock.steady() - began >= MIN_SCAN_SECONDS,
      stopped: () => stop.aborted,
    });
    const took = context.clock.steady() - began;
    if (begun) await waitForRenewals(begun, context.clock, wakeSignal);
    if (begun?.cut === false) touch(parts);
    rotateKeys(parts);
    reportSlowWrites(context.report, memory, context.clock.steady());
    parts.turnEnded?.();
    const rewriteIn = memory.unwritten.size > 0 ? REWRITE_INTERVAL : LONGEST_SLEEP;
    const lateIn = memory.late.size > 0 ? LATE_INTERVAL : LONGEST_SLEEP;
    const passed = context.clock.steady() - began;
    const plannedIn = (begun?.plan.nextIn ?? LONGEST_SLEEP) - passed;
    const sleep = woken ? SLEEP_AFTER_WAKE_UP : LONGEST_SLEEP;
    const soonest = parts.nextLook?.(begun?.started ?? 0) ?? LONGEST_SLEEP;
    const lookIn = Math.max(soonest, took * SHOWN_SELDOM);
    const nextIn = Math.min(plannedIn, rewriteIn, lateIn, sleep, lookIn);
    await renewals.sleep(Math.max(nextIn, SHORTEST_SLEEP), wakeSignal);
  }
}

/** The renewals that have ended since the last pass began, whichever pass has begun them. */
interface EndedRenewals {
  /** When the first of them is due again, in steady seconds. */
  dueAgain: number;
  /** Notes that a renewal has ended whose token is due again in `nextIn` seconds. */
  readonly ended: (nextIn: number) => void;
  /**
   * Sleeps at most `seconds`, and no longer than until a token is due again; until `signal`.
   */
  readonly sleep: (seconds: number, signal: AbortSignal) => Promise<void>;
}

function endedRenewals(clock: Clock): EndedRenewals {
  let until = Number.NEGATIVE_INFINITY;
  let isSooner = new AbortController();
  const self: EndedRenewals = {
    dueAgain: Number.POSITIVE_INFINITY,
    ended: (nextIn) => {
      self.dueAgain = Math.min(self.dueAgain, clock.steady() + nextIn);
      if (self.dueAgain < until) isSooner.abort();
    },
    sleep: async (seconds, signal) => {
      const shortest = clock.steady() + SHORTEST_SLEEP;
      const longest = clock.steady() + seconds;
      do {
        isSooner = new AbortController();
        until = Math.max(Math.min(longest, self.dueAgain), shortest);
        await clock.wait(until - clock.steady(), AbortSignal.any([isSooner.signal, signal]));
      } while (isSooner.signal.aborted && !signal.aborted);
      until = Number.NEGATIVE_INFINITY;
    },
  };
  return self;
}

/** If the reload fails, the current configuration is still used. */
function reload(parts: DaemonParts): void {
  try {
    parts.reload();
  } catch (error) {
    parts.log.error(
      `Cannot reload the configuration, the old one is still used: ${messageOf(error)}`,
    );
  }
}

/**
 * Waits for the renewals of a pass. A renewal that hangs delays neither CREDMON_COMPLETE
 * nor other tokens.
 */
async function waitForRenewals(
  begun: BegunPass,
  clock: Clock,
  wakeSignal: AbortSignal,
): Promise<void> {
  if (begun.started === 0) return;
  const timeout = Math.min(ISSUER_TIMEOUT, Math.max(begun.plan.nextIn, SHORTEST_SLEEP));
  await within(begun.settled, timeout, clock, wakeSignal);
}

/**
 * A failure must not end the process: it may hold the only copy of a rotated refresh
 * token.
 */
function touch({ complete, context }: DaemonParts): void {
  if (context.lockState() !== 'held') return;
  try {
    complete();
  } catch (error) {
    context.report({
      type: 'problem',
      text: `Failed to touch CREDMON_COMPLETE: ${messageOf(error)}`,
    });
  }
}

/** Key rotation depends only on the time, not on the result of the pass. */
function rotateKeys({ rotateKeys: rotate, context }: DaemonParts): void {
  if (context.lockState() !== 'held') return;
  try {
    rotate?.();
  } catch (error) {
    context.report({
      type: 'problem',
      text: `Failed to rotate the signing keys: ${messageOf(error)}`,
    });
  }
}

/**
 * Runs a single pass (`--once`). Ends when its renewals have ended, or after a signal
 * when those in progress have. Returns true when everything due was tried and written.
 */
export async function runOnce(parts: DaemonParts): Promise<boolean> {
  const { context, stop, memory, log } = parts;
  const closed = new Promise<void>((resolve) => {
    const close = (): void => {
      context.limiter.close();
      resolve();
    };
    if (stop.aborted) close();
    else stop.addEventListener('abort', close, { once: true });
  });
  parts.keepReserve?.();
  const begun = await onePass(parts, { stopped: () => stop.aborted });
  try {
    if (begun) await Promise.race([begun.settled.then(() => waitForLateAnswers(parts)), closed]);
  } finally {
    await waitForShutdown(parts);
  }
  requireLock(parts);
  const { dropped } = context.limiter;
  if (dropped > 0)
    log.warn(`Stopped with ${dropped} ${dropped === 1 ? 'renewal' : 'renewals'} not started`);
  if (begun?.cut === true)
    log.warn(
      'Stopped before the scan of the credential directory was complete: its tokens were not renewed',
    );
  const { inFlight, late, writing } = memory;
  const unfinished = dropped + inFlight.size + late.size + writing.size;
  const complete = begun?.cut === false && unfinished === 0;
  if (complete) touch(parts);
  rotateKeys(parts);
  return complete && memory.unwritten.size === 0;
}

/** A single pass gives late answers their full time, unlike a shutdown. */
async function waitForLateAnswers({ context, memory }: DaemonParts): Promise<void> {
  while (memory.late.size > 0) await context.clock.wait(SHUTDOWN_STEP);
}

/** The directory may be readable again in a minute. */
async function onePass(
  parts: DaemonParts,
  options: PassOptions = {},
): Promise<BegunPass | undefined> {
  try {
    return await beginPass(parts.context, parts.lookup(), parts.memory, options);
  } catch (error) {
    parts.log.error(`The pass over the credential directory failed, retrying: ${messageOf(error)}`);
    return undefined;
  }
}

/**
 * Returns the result of `work` if it arrives within `seconds` and before `signal`. The
 * work itself continues eitherSignal way.
 */
async function within<T>(
  work: Promise<T>,
  seconds: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<T | undefined> {
  const done = new AbortController();
  const eitherSignal = AbortSignal.any([done.signal, signal]);
  const tooLong = clock.wait(seconds, eitherSignal).then((): undefined => undefined);
  const result = await Promise.race([work, tooLong]);
  done.abort();
  return result;
}
