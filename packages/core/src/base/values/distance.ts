// The edit distance of names, to suggest what was meant.

/**
 * Returns the number of single changes that make `b` of `a`, case-insensitively: a
 * character more, less or different, or two neighbours exchanged.
 * @see optimal string alignment distance (Damerau, 1964)
 */
export function distance(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  let above: readonly number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let line = 1; line <= left.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= right.length; column += 1) {
      const change = (row[column - 1] ?? 0) + (left[line - 1] === right[column - 1] ? 0 : 1);
      const isExchange =
        line > 1 &&
        column > 1 &&
        left[line - 1] === right[column - 2] &&
        left[line - 2] === right[column - 1];
      const exchange = isExchange ? (above[column - 2] ?? 0) + 1 : change;
      next.push(Math.min(change, exchange, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    [above, row] = [row, next];
  }
  return row[right.length] ?? 0;
}

/** Returns the nearest of `names`, or `undefined` if none is near enough to `name`. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 6)) + 1;
  for (const one of names) {
    // Most names differ too much in length alone.
    if (Math.abs(one.length - name.length) >= least) continue;
    const apart = distance(name, one);
    if (apart < least) [best, least] = [one, apart];
  }
  return best;
}
