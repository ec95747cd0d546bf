// The table of the report, for the terminal and for docs/performance.md.
import type { Row, Unit, Verdict } from '../shared/rows.ts';
import type { Spread } from '../shared/statistics.ts';

/** Returns a number with three significant digits, and thousands separated. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return 'n/a';
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', {
    minimumFractionDigits: Math.min(digits, 3),
    maximumFractionDigits: Math.min(digits, 3),
  });
}

/** A figure with its unit, for example `1.20 s`, `540 /s`, `2.50 x`. */
export function quantity(value: number, unit: Unit): string {
  return unit === '%' ? `${figure(value)} %` : `${figure(value)} ${unit}`;
}

/** The median with its unit, and the lowest and highest value: `1.20 s (1.10 to 1.32)`. */
export function spreadText({ median, low, high, count }: Spread, unit: Unit): string {
  const middle = quantity(median, unit);
  return count === 1 ? middle : `${middle} (${figure(low)} to ${figure(high)})`;
}

const OTHER = { value: '', floor: ' of the floor', against: ' of the other' };

/** A target and its verdict: `at most 1.1 of the floor: missed`. */
export function verdictText({ target, reached }: Verdict, unit: Unit): string {
  const bound = target.most === undefined ? 'at least' : 'at most';
  const limit = target.most ?? target.least ?? 0;
  const text = target.of === 'value' ? quantity(limit, unit) : `${limit}${OTHER[target.of]}`;
  const outcome = reached === undefined ? 'not measured' : reached ? 'reached' : '**missed**';
  return `${bound} ${text}: ${outcome}`;
}

/** The columns of the table, without those that no row has. */
export function cellsOf(rows: readonly Row[]): string[][] {
  const some = (name: keyof Row): boolean => rows.some((row) => row[name] !== undefined);
  const columns: readonly (readonly [string, boolean, (row: Row) => string])[] = [
    ['row', true, (row) => row.name],
    ['credmon', true, (row) => spreadText(row.ours, row.unit)],
    ['floor', some('floor'), (row) => (row.floor ? spreadText(row.floor, row.unit) : '')],
    ['of the floor', some('floor'), (row) => optional(row.floorRatio)],
    ['other', some('against'), (row) => (row.against ? spreadText(row.against, row.unit) : '')],
    ['of the other', some('against'), (row) => optional(row.againstRatio)],
    ['CPU s', some('cpu'), (row) => optional(row.cpu)],
    ['wall s', some('wall'), (row) => optional(row.wall)],
    ['peak MiB', some('peak'), (row) => optional(row.peak)],
    [
      'target',
      rows.some((row) => row.verdicts.length > 0),
      (row) => row.verdicts.map((verdict) => verdictText(verdict, row.unit)).join('; '),
    ],
  ];
  const shown = columns.filter(([, isShown]) => isShown);
  return [
    shown.map(([title]) => title),
    ...rows.map((row) => shown.map(([, , cell]) => cell(row))),
  ];
}

const optional = (value: number | undefined): string => (value === undefined ? '' : figure(value));

/** A Markdown table with aligned columns. */
export function markdownTable(cells: readonly (readonly string[])[]): string {
  const [head = []] = cells;
  const widths = head.map((_, column) =>
    cells.reduce((width, row) => Math.max(width, (row[column] ?? '').length), 3),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return `${[line(head), rule, ...cells.slice(1).map(line)].join('\n')}\n`;
}
