// Lets so many pieces of work run at the same time, and no more.

/** Runs work when there is room for it. */
export type Limit = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * A limited for `limit` pieces of work at once; others wait in the order in which they came.
 */
export function createLimit(limit: number): Limit {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // The place goes straight on to the next one, so that nobody slips in between.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
