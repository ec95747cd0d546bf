// Which plots the report has: the rows as bars, and growth as lines.
import type { Row } from '../shared/rows.ts';
import { barPlot, linePlot, type BarGroup, type Scheme, type Series } from './svg.ts';
import { quantity } from './table.ts';

/** What growth was measured: one line of a plot. */
export interface Growth {
  /** The plot: `cpu`, `memory`, ... */
  readonly plot: string;
  readonly axis: string;
  readonly subject: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** A plot in both schemes. */
export interface Plot {
  readonly name: string;
  readonly alt: string;
  readonly text: (scheme: Scheme) => string;
}

/** The plots of all rows that have a counterpart, and of the growth. */
export function plotsOf(rows: readonly Row[], growth: readonly Growth[]): readonly Plot[] {
  const groups = rows.filter((row) => row.floor ?? row.against).map(groupOf);
  const names = [...new Set(growth.map(({ plot }) => plot))];
  return [
    ...(groups.length === 0
      ? []
      : [
          {
            name: 'rows',
            alt: 'Each row beside its floor; each group of bars has its own scale.',
            text: (scheme: Scheme) => barPlot('Each row beside its floor', groups, scheme),
          },
        ]),
    ...names.map((name) => {
      const own = growth.filter(({ plot }) => plot === name);
      const axis = own[0]?.axis ?? '';
      const series: Series[] = own.map(({ subject, points }) => ({ name: subject, points }));
      return {
        name: `growth-${name}`,
        alt: `${axis} by number of tokens.`,
        text: (scheme: Scheme) =>
          linePlot(`${axis} by number of tokens`, series, { x: 'tokens', y: axis }, scheme),
      };
    }),
  ];
}

function groupOf(row: Row): BarGroup {
  const bar = (name: string, value: number): BarGroup['bars'][number] => ({
    name,
    value,
    text: quantity(value, row.unit),
  });
  return {
    label: row.name,
    bars: [
      bar('credmon', row.ours.median),
      ...(row.floor ? [bar('floor', row.floor.median)] : []),
      ...(row.against ? [bar('other', row.against.median)] : []),
    ],
  };
}
