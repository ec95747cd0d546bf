// Yields to the event loop during long synchronous work, so that signals and responses
// are handled in time.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { milliseconds } from './clock.ts';

/** Milliseconds of work between two yields to the event loop. */
const WORK_MS = 5;

/**
 * Calls `act` with each item and yields to the event loop every few milliseconds. A short
 * list is complete when this returns.
 */
export async function inSlices<T>(items: Iterable<T>, act: (item: T) => void): Promise<void> {
  const yieldIfDue = createYielder();
  for (const item of items) {
    act(item);
    const pause = yieldIfDue();
    if (pause) await pause;
  }
}

/** Items sorted without a yield: a few milliseconds of work. */
const SORTED_AT_ONCE = 4096;

/**
 * Sorts `items` in place, stably like Array.prototype.sort, and yields to the event loop.
 */
export async function sortInSlices(
  items: Uint32Array,
  compare: (a: number, b: number) => number,
): Promise<void> {
  const yieldIfDue = createYielder();
  for (let start = 0; start < items.length; start += SORTED_AT_ONCE) {
    items.subarray(start, start + SORTED_AT_ONCE).sort(compare);
    const pause = yieldIfDue();
    if (pause) await pause;
  }
  let [from, to]: [Uint32Array, Uint32Array] = [items, new Uint32Array(items.length)];
  for (let run = SORTED_AT_ONCE; run < items.length; run *= 2) {
    for (let start = 0; start < items.length; start += 2 * run) {
      const middle = Math.min(start + run, items.length);
      const end = Math.min(start + 2 * run, items.length);
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        const takeLeft =
          left < middle && (right >= end || compare(from[left] ?? 0, from[right] ?? 0) <= 0);
        to[at] = from[takeLeft ? left++ : right++] ?? 0;
        if (at % SORTED_AT_ONCE === 0) {
          const pause = yieldIfDue();
          if (pause) await pause;
        }
      }
    }
    [from, to] = [to, from];
  }
  if (from !== items) items.set(from);
}

/** Milliseconds of work of one kind in a turn, if there is work of several kinds. */
const SHARE_MS = 2;

/**
 * Returns a function to await before each of many tasks that are ready at the same time.
 * The tasks run in order, for a few milliseconds in each turn of the event loop; the
 * other tasks wait for a later turn. A signal thus waits for a few milliseconds only. The
 * function returns `undefined` if the task may run at once, before the next call.
 */
export function createTurnLimit(): () => Promise<void> | undefined {
  const waiting: (() => void)[] = [];
  let ends: number | undefined;
  const runTurns = async (): Promise<void> => {
    do {
      await nextTurn();
      ends = milliseconds() + SHARE_MS;
      do {
        waiting.shift()?.();
        // The task runs, with all that it awaits and is ready, before this loop continues.
        await new Promise<void>((resolve) => process.nextTick(resolve));
      } while (waiting.length > 0 && milliseconds() < ends);
    } while (waiting.length > 0);
    ends = undefined;
  };
  return () => {
    if (ends === undefined) {
      ends = milliseconds() + SHARE_MS;
      void runTurns();
    }
    if (waiting.length === 0 && milliseconds() < ends) return undefined;
    return new Promise((resolve) => waiting.push(resolve));
  };
}

/**
 * Returns a function to await between the steps of long work: it yields to the event loop
 * if a few milliseconds have passed, else it returns `undefined`.
 */
export function createYielder(): () => Promise<void> | undefined {
  let yieldedAt = milliseconds();
  const yieldIfDue = async (): Promise<void> => {
    await nextTurn();
    yieldedAt = milliseconds();
  };
  return () => (milliseconds() - yieldedAt < WORK_MS ? undefined : yieldIfDue());
}
