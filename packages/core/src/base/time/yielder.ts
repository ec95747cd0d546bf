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
