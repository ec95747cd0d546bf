// docs/performance.md: the part between the markers is written by `npm run bench`.
import type { Row } from '../shared/rows.ts';
import { cellsOf, figure, markdownTable, quantity, verdictText } from './table.ts';

export const BEGIN = '<!-- bench: begin -->';
export const END = '<!-- bench: end -->';

/** Where the figures are from. Names of hosts and paths are left out on purpose. */
export interface Machine {
  readonly cores: number;
  readonly node: string;
  /** `Linux 6.12`, for example. */
  readonly system: string;
  /** The commit, with "and changes" where files differ from it. */
  readonly commit: string;
  /** UTC date. */
  readonly date: string;
  /** Other work on the machine at the beginning: processes that want to run. */
  readonly load: number;
}

/** Lines about what a section's CPU time is, from a profile. */
export interface Profile {
  readonly section: string;
  readonly text: string;
}

/** A plot's file name without `-light.svg`, and what it shows. */
export interface PlotFile {
  readonly name: string;
  readonly alt: string;
}

/** Everything that the page shows. */
export interface Report {
  readonly machine: Machine;
  /** The other credmon; undefined when only credmon was measured. */
  readonly other: string | undefined;
  readonly sections: readonly { readonly name: string; readonly title: string }[];
  readonly rows: readonly Row[];
  readonly profiles: readonly Profile[];
  readonly plots: readonly PlotFile[];
  /** Shown above the tables, for example the capacity of the issuer. */
  readonly remarks: readonly string[];
}

/**
 * Returns `page` with the generated part replaced.
 * @throws Error if the page has no markers
 */
export function replacePart(page: string, part: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page has no ${BEGIN} and ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${part.trim()}\n\n${page.slice(end)}`;
}

/** The generated part of the page. */
export function partOf(report: Report): string {
  const { machine, other, sections, rows, profiles, plots, remarks } = report;
  const missed = missedLines(rows);
  return [
    `Commit ${machine.commit}, ${machine.date} (UTC). ${machine.cores} cores, Node.js ${machine.node}, ${machine.system}, load ${machine.load} at the start.`,
    ...(other === undefined ? [] : [`The other credmon is ${other}.`]),
    ...remarks,
    ...plots.map(picture),
    ...sections.flatMap(({ name, title }) => {
      const own = rows.filter((row) => row.section === name);
      if (own.length === 0) return [];
      return [
        `### ${title}`,
        markdownTable(cellsOf(own)).trim(),
        ...floorLines(own),
        ...profiles
          .filter(({ section }) => section === name)
          .map(({ text }) => `CPU time, from a profile: ${text}.`),
        ...own.flatMap((row) => (row.note === undefined ? [] : [`${row.name}: ${row.note}`])),
      ];
    }),
    '### Missed targets',
    missed.length === 0 ? 'None.' : missed.join('\n'),
  ].join('\n\n');
}

/** One line for each floor that the rows have. */
function floorLines(rows: readonly Row[]): string[] {
  const names = new Map<string, string[]>();
  for (const { name, floorName } of rows)
    if (floorName !== undefined) names.set(floorName, [...(names.get(floorName) ?? []), name]);
  const all = [...names].map(([floor, own]) =>
    names.size === 1 ? floor : `${floor} (${own.join('; ')})`,
  );
  return all.length === 0 ? [] : [`Floor: ${all.join('. ')}.`];
}

/** Each missed target with the limit that was measured in the same run. */
function missedLines(rows: readonly Row[]): string[] {
  return rows.flatMap((row) =>
    row.verdicts
      .filter(({ reached }) => reached === false)
      .map((verdict) => {
        const { measured = Number.NaN, target } = verdict;
        const value = target.of === 'value' ? quantity(measured, row.unit) : figure(measured);
        const target_ = verdictText(verdict, row.unit).replace(/: \*\*missed\*\*$/, '');
        const floor =
          row.floor === undefined
            ? ''
            : ` The floor (${row.floorName ?? ''}) is ${quantity(row.floor.median, row.unit)}.`;
        return `- ${row.name}: ${value}, target ${target_}.${floor}`;
      }),
  );
}

/** A picture that follows the reader's colour scheme. */
function picture({ name, alt }: PlotFile): string {
  return `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="performance/${name}-dark.svg">
  <img alt="${alt}" src="performance/${name}-light.svg">
</picture>`;
}
