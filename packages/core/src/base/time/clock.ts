// The clock as a parameter, and a timer that counts the time in which the machine sleeps.
import { uptime } from 'node:os';

/**
 * A clock. `now` is seconds since the epoch (with a fraction). `steady` is seconds that
 * clock steps do not affect: it includes the time while the machine sleeps, resolves a
 * millisecond and costs less than a microsecond. `wait` resolves after `seconds` or when
 * `signal` aborts, and never rejects.
 */
export interface Clock {
  now(): number;
  steady(): number;
  wait(seconds: number, signal?: AbortSignal): Promise<void>;
}

/**
 * Returns milliseconds since any time in the past, for short spans: `performance.now` loads
 * modules of Node.js that no program here needs.
 */
export function milliseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Longest single timer in seconds; Node fires longer timers at once. */
const LONGEST_TIMER = 2_000_000;

/** Minimum seconds between two reads of the coarse clock, which is a file in /proc. */
const LOOK_INTERVAL = 0.05;

/**
 * Seconds. The coarse clock has steps of 10 ms: only a larger difference is time that the
 * fine clock has missed.
 */
const SLEPT = 0.5;

/**
 * Returns a steady clock from two clocks in seconds: `fine` has a high resolution but
 * stops while the machine sleeps; `coarse` includes that time. After a sleep the result
 * is late by at most 50 ms of waking time.
 */
export function createSteady(fine: () => number, coarse: () => number): () => number {
  let looked = Number.NEGATIVE_INFINITY;
  let lead: number | undefined;
  return () => {
    const now = fine();
    if (lead === undefined) {
      looked = now;
      lead = coarse() - now;
    }
    if (now - looked >= LOOK_INTERVAL) {
      looked = now;
      const missed = coarse() - now - lead;
      if (missed > SLEPT) lead += missed;
    }
    return now + lead;
  };
}

/**
 * Returns a time (epoch seconds) as `2030-01-31T12:00:00Z`; `never` for an infinite one.
 */
export function utcText(seconds: number): string {
  // The greatest time that a Date can have.
  if (!Number.isFinite(seconds) || Math.abs(seconds) > 8.64e12) return 'never';
  return new Date(Math.floor(seconds) * 1000).toISOString().replace('.000', '');
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now() / 1000,
  steady: createSteady(
    () => milliseconds() / 1000,
    () => uptime(),
  ),
  wait: (seconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, Math.max(0, Math.min(seconds, LONGEST_TIMER)) * 1000);
      signal?.addEventListener('abort', finish, { once: true });
      return undefined;
    }),
};

/**
 * Milliseconds between two checks of the clock: a stall costs at most one slice of the
 * time-out.
 */
const SLICE = 500;

/**
 * A timer that fires later than this, in milliseconds, was delayed by a stall of the
 * process.
 */
const STALL = 250;

/**
 * Minimum time, in milliseconds, for the server after a stall, because reading the
 * pending input takes several reads.
 */
const GRACE = 1000;

/**
 * Calls `act` after `seconds` in which this process ran, after the event loop has read
 * the pending input. Stalls of the process do not count, so that a response that arrived
 * during a stall is not treated as late.
 * @returns the function that cancels it; it does nothing after `act` was called
 */
export function afterAwake(seconds: number, act: () => void): () => void {
  let left = seconds * 1000;
  let cancelled = false;
  let hadGrace = false;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const slice = Math.min(left, SLICE);
    const began = milliseconds();
    timer = setTimeout(() => {
      const took = milliseconds() - began;
      const stalled = took > slice + STALL;
      // Node may fire a timer up to a millisecond early, so the remaining time is
      // measured.
      left -= stalled ? slice : took;
      // Only once: the time-out must also expire on a machine that always stalls.
      if (stalled && left < GRACE && !hadGrace) [left, hadGrace] = [GRACE, true];
      if (left > 0) arm();
      else afterPendingInput(() => !cancelled && act());
    }, slice);
  };
  arm();
  return () => {
    cancelled = true;
    clearTimeout(timer);
  };
}

/**
 * Timers run before input is read. The second turn is for events that the first read
 * triggers.
 */
function afterPendingInput(act: () => void): void {
  setImmediate(() => setImmediate(act));
}
