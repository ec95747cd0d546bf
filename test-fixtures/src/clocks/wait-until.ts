// Waits for a condition in another process by polling, with a timeout.
import { PATIENCE } from './patience.ts';

/**
 * The text of the timeout error, the timeout, and the polling interval, in seconds. Tests
 * use the default timeout.
 */
export interface Patience {
  readonly what: string;
  readonly seconds?: number;
  readonly every?: number;
}

/**
 * Resolves with the first value of `look` that is not undefined, false or null.
 * @throws Error with `what` after the timeout
 */
export async function waitUntil<T>(
  look: () => T | undefined | false | null | Promise<T | undefined | false | null>,
  { what, seconds = PATIENCE, every = 0.05 }: Patience,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false && found !== null) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, every * 1000));
  }
}
