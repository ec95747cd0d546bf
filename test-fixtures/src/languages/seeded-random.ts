// Chance from a seed, so that a random test can be repeated.

/** A source of choices; the same seed makes the same ones. */
export interface Chance {
  /** Returns an integer from 0 to `bound` - 1. */
  below(bound: number): number;
  /** Returns true once in `times` on average. */
  one(times: number): boolean;
  /** Returns one of the items. */
  pick<T>(items: readonly T[]): T;
}

/** Creates a source of choices (a 32-bit generator of the mulberry kind). */
export function seededRandom(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (bound: number): number => next() % bound;
  return {
    below,
    one: (times) => below(times) === 0,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
  };
}
