// Rows in columns for a terminal.
import { largest } from '../values/numbers.ts';

/**
 * How a table is printed. With `width`, the columns of a terminal, the cells of the
 * columns in `narrow` are cut with `~` until a line fits, each to no less than
 * `shortest` characters.
 */
export interface TableOptions {
  readonly width?: number | undefined;
  readonly narrow?: readonly number[] | undefined;
  readonly shortest?: number | undefined;
}

/**
 * Returns the rows in columns, two blanks apart, without blanks at line ends. Without
 * `width` nothing is cut, so that programs can read it.
 */
export function tableText(
  rows: readonly (readonly string[])[],
  { width, narrow = [], shortest = 8 }: TableOptions = {},
): string {
  const columns = largest(rows.map((row) => row.length));
  const widths = Array.from({ length: Math.max(0, columns) }, (_, column) =>
    largest(rows.map((row) => row[column]?.length ?? 0)),
  );
  if (width !== undefined) narrowColumns(widths, width, narrow, shortest);
  return rows
    .map((row) => {
      const cells = row.map((cell, column) =>
        cut(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0),
      );
      return cut(cells.join('  ').trimEnd(), width ?? Number.POSITIVE_INFINITY);
    })
    .join('\n');
}

/**
 * Takes characters from the widest narrow column until the line fits, or until there is
 * nothing more to take.
 */
function narrowColumns(
  widths: number[],
  width: number,
  narrow: readonly number[],
  shortest: number,
): void {
  const gaps = 2 * (widths.length - 1);
  let excess = widths.reduce((sum, each) => sum + each, gaps) - width;
  for (; excess > 0; excess -= 1) {
    const [first = 0] = narrow;
    const widest = narrow.reduce(
      (best, column) => ((widths[column] ?? 0) > (widths[best] ?? 0) ? column : best),
      first,
    );
    if (narrow.length === 0 || (widths[widest] ?? 0) <= shortest) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}~`;
}
