// Median and spread: what every figure of the benchmarks is.

/** The middle of several measurements, and how far apart they are. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** How many measurements. */
  readonly count: number;
}

/**
 * Returns median, lowest and highest of `values`; of an even number, the median is the
 * mean of the two in the middle.
 * @throws Error if there is no value
 */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined) throw new Error('nothing was measured');
  return { median: medianOf(sorted), low, high, count: sorted.length };
}

/** The median of `values`; NaN if there is none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * The smallest of `values` that at least the share `share` (0 to 1) of them does not
 * exceed; NaN if there is none.
 */
export function percentileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const index = Math.ceil(sorted.length * share) - 1;
  return sorted[Math.min(sorted.length - 1, Math.max(0, index))] ?? Number.NaN;
}

/** The median of the ratios of measurements that were made in turn, in the same order. */
export function ratioOf(ours: readonly number[], floor: readonly number[]): number {
  return medianOf(
    ours.slice(0, floor.length).map((value, index) => value / (floor[index] ?? Number.NaN)),
  );
}
