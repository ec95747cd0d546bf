// A clock for tests that never sleep: its time moves only when told, and it knows who
// waits on it.
import type { Clock } from '@credmon/core/base';

/** A {@link Clock} that a test moves by hand. */
export interface ManualClock extends Clock {
  /** How many `wait` calls have not come back yet. */
  readonly waiting: number;
  /**
   * The epoch second at which the earliest waiter is due if no clock step comes;
   * `undefined` when nobody waits.
   */
  readonly nextDue: number | undefined;
  /** Lets `seconds` pass and releases every waiter that is due, the earliest first. */
  advance(seconds: number): void;
  /**
   * Steps the wall clock, backwards when negative, as an administrator would: nobody
   * waits longer or shorter for it.
   */
  step(seconds: number): void;
  /**
   * Moves time to the earliest waiter's due second and releases it.
   * @throws Error when nobody waits.
   */
  advanceToNext(): void;
  /** Resolves as soon as `count` callers wait. */
  whenWaiting(count?: number): Promise<void>;
}

interface Waiter {
  readonly due: number;
  readonly release: () => void;
}

/**
 * A {@link ManualClock} that stands at `start`, in epoch seconds; its steady line begins
 * at 0.
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
