// Lets the event loop run now and then during long synchronous work, so that signals and
// answers are not kept waiting.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds of work between two breaths of the event loop. */
const BREATH = 5;

/**
 * Calls `act` with each item, and gives way to the event loop every few milliseconds. A
 * short list is done when this returns.
 */
export async function inSlices<T>(items: Iterable<T>, act: (item: T) => void): Promise<void> {
  const yieldIfDue = createYielder();
  for (const item of items) {
    act(item);
    const breath = yieldIfDue();
    if (breath) await breath;
  }
}

/** So many items are sorted at once: a few milliseconds of work. */
const SORTED_AT_ONCE = 4096;

/**
 * Sorts `items` in place, stably as Array.prototype.sort does, and yields to the event
 * loop between pieces.
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

/**
 * A function to await between the pieces of long work: it gives way to the event loop
 * every few milliseconds, else it costs nothing.
 */
export function createYielder(): () => Promise<void> | undefined {
  let breath = performance.now();
  const yieldIfDue = async (): Promise<void> => {
    await nextTurn();
    breath = performance.now();
  };
  return () => (performance.now() - breath < BREATH ? undefined : yieldIfDue());
}
