// Time as a parameter: the port that everything else takes, and its one real
// implementation.
import { uptime } from 'node:os';

/**
 * What the project knows of time. `now` is seconds since the epoch (with a fraction);
 * `steady` is seconds on a line that no clock step moves: it counts the time while the
 * machine sleeps, measures spans of a millisecond, and costs less than a microsecond;
 * `wait` resolves after `seconds`, or as soon as `signal` aborts, and never rejects.
 */
export interface Clock {
  now(): number;
  steady(): number;
  wait(seconds: number, signal?: AbortSignal): Promise<void>;
}

/** Longest single timer in seconds; Node fires a longer one at once. */
const LONGEST_TIMER = 2_000_000;

/**
 * The coarse clock is looked at this often at most, in seconds: it is read from a file in
 * /proc.
 */
const LOOK_INTERVAL = 0.05;

/**
 * The coarse clock has steps of 10 ms: only a lead of more than this many seconds is time
 * that the fine one has missed.
 */
const SLEPT = 0.5;

/**
 * Returns a steady clock of two, both in seconds: `fine` measures short spans but stands
 * still while the machine sleeps; `coarse` counts that time, too. After a sleep the
 * result is late by at most 50 ms of waking time.
 */
export function createSteady(fine: () => number, coarse: () => number): () => number {
  let looked = fine();
  let lead = coarse() - looked;
  return () => {
    const now = fine();
    if (now - looked >= LOOK_INTERVAL) {
      looked = now;
      const missed = coarse() - now - lead;
      if (missed > SLEPT) lead += missed;
    }
    return now + lead;
  };
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now() / 1000,
  steady: createSteady(() => performance.now() / 1000, uptime),
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
