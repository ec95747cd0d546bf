// A clock for tests that never sleep: the test sets its time and sees how many callers
// wait.
import type { Clock } from '@credmon/core/base';

/** A {@link Clock} that a test moves by hand. */
export interface ManualClock extends Clock {
  /** The number of pending `wait` calls. */
  readonly waiting: number;
  /**
   * The epoch second when the first waiter is due without a clock step; `undefined`
   * without a waiter.
   */
  readonly nextDue: number | undefined;
  /** Advances the time by `seconds` and releases all due waiters, the earliest first. */
  advance(seconds: number): void;
  /**
   * Steps the wall clock by `seconds`, which may be negative. The duration of waits does
   * not change.
   */
  step(seconds: number): void;
  /**
   * Advances the time to the first due waiter and releases it.
   * @throws Error without a waiter
   */
  advanceToNext(): void;
  /** Resolves when `count` callers wait. */
  whenWaiting(count?: number): Promise<void>;
}

interface Waiter {
  readonly due: number;
  readonly release: () => void;
}

/**
 * Creates a {@link ManualClock} at `start`, in epoch seconds; its steady time begins at
 * 0.
 */
export function manualClock(start = 1_700_000_000): ManualClock {
  let offset = start;
  let steady = 0;
  let waiters: Waiter[] = [];
  let watchers: { readonly count: number; readonly tell: () => void }[] = [];
  const earliest = (): number | undefined =>
    waiters.length === 0 ? undefined : Math.min(...waiters.map((waiter) => waiter.due));

  const add = (waiter: Waiter): void => {
    waiters.push(waiter);
    const told = watchers.filter((watcher) => waiters.length >= watcher.count);
    watchers = watchers.filter((watcher) => !told.includes(watcher));
    for (const watcher of told) watcher.tell();
  };
  const moveTo = (target: number): void => {
    steady = target;
    const due = waiters.filter((waiter) => waiter.due <= steady).sort((a, b) => a.due - b.due);
    for (const waiter of due) waiter.release();
  };

  return {
    now: () => offset + steady,
    steady: () => steady,
    wait: (seconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true || seconds <= 0) return resolve();
        const waiter: Waiter = {
          due: steady + seconds,
          release: () => {
            waiters = waiters.filter((other) => other !== waiter);
            signal?.removeEventListener('abort', waiter.release);
            resolve();
          },
        };
        signal?.addEventListener('abort', waiter.release, { once: true });
        add(waiter);
        return undefined;
      }),
    get waiting() {
      return waiters.length;
    },
    get nextDue() {
      const due = earliest();
      return due === undefined ? undefined : offset + due;
    },
    advance: (seconds) => moveTo(steady + seconds),
    step: (seconds) => {
      offset += seconds;
    },
    advanceToNext: () => {
      const due = earliest();
      if (due === undefined) throw new Error('nobody waits on the clock');
      moveTo(Math.max(due, steady));
    },
    whenWaiting: (count = 1) =>
      new Promise((resolve) => {
        if (waiters.length >= count) resolve();
        else watchers.push({ count, tell: resolve });
      }),
  };
}
