// How far two names are apart, to guess what somebody meant to write.

/**
 * The least number of letters to add, drop or change that makes `b` of `a` (Levenshtein),
 * without regard to case.
 */
export function distance(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let line = 1; line <= left.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= right.length; column += 1) {
      const change = (row[column - 1] ?? 0) + (left[line - 1] === right[column - 1] ? 0 : 1);
      next.push(Math.min(change, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

/**
 * The one of `names` that is nearest to `name`, if it is near enough to have been meant.
 */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 6)) + 1;
  for (const one of names) {
    // Lengths alone rule most of them out.
    if (Math.abs(one.length - name.length) >= least) continue;
    const apart = distance(name, one);
    if (apart < least) [best, least] = [one, apart];
  }
  return best;
}
