// The largest and the smallest of many numbers. `Math.max(...numbers)` fails when there
// are more than about 125,000.

/** Returns the largest number, but at least `atLeast`. */
export function largest(
  numbers: Iterable<number>,
  atLeast: number = Number.NEGATIVE_INFINITY,
): number {
  let found = atLeast;
  for (const number of numbers) found = Math.max(found, number);
  return found;
}

/** Returns the smallest number, but at most `atMost`. */
export function smallest(
  numbers: Iterable<number>,
  atMost: number = Number.POSITIVE_INFINITY,
): number {
  let found = atMost;
  for (const number of numbers) found = Math.min(found, number);
  return found;
}
