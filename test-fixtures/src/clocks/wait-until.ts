// Waiting for something in another process: by looking again and again, never without an
// end.
import { PATIENCE } from './patience.ts';

/**
 * What the error names when it never comes, the limit and the pause between two looks in
 * seconds. Tests keep the default limit.
 */
export interface Patience {
  readonly what: string;
  readonly seconds?: number;
  readonly every?: number;
}

/**
 * The first value of `look` that is neither undefined, false nor null.
 * @throws Error that names `what` after the deadline
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
