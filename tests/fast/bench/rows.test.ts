// Rows: medians and ratios of samples, targets, and the table of both.
import { describe, expect, it } from 'vitest';
import { judge, rowOf, type Measured } from '../../../bench/src/shared/rows.ts';
import {
  cellsOf,
  figure,
  markdownTable,
  spreadText,
  verdictText,
} from '../../../bench/src/output/table.ts';

const MEASURED: Measured = {
  section: 'scan',
  name: 'first pass',
  unit: 's',
  ours: [
    { value: 2, cpu: 2, wall: 3, peak: 80 },
    { value: 4, cpu: 4, wall: 5, peak: 90 },
    { value: 3, cpu: 3, wall: 4, peak: 85 },
  ],
  floor: [{ value: 1 }, { value: 4 }, { value: 2 }],
  floorName: 'readdir',
  against: [{ value: 10 }, { value: 10 }, { value: 10 }],
  targets: [
    { of: 'floor', most: 1.1 },
    { of: 'against', most: 0.35 },
  ],
};

describe('a row', () => {
  it('has medians, and ratios of each round', () => {
    expect(rowOf(MEASURED)).toEqual({
      section: 'scan',
      name: 'first pass',
      unit: 's',
      ours: { median: 3, low: 2, high: 4, count: 3 },
      cpu: 3,
      wall: 4,
      peak: 85,
      floor: { median: 2, low: 1, high: 4, count: 3 },
      floorName: 'readdir',
      floorRatio: 1.5,
      against: { median: 10, low: 10, high: 10, count: 3 },
      againstRatio: 0.3,
      verdicts: [
        { target: { of: 'floor', most: 1.1 }, measured: 1.5, reached: false },
        { target: { of: 'against', most: 0.35 }, measured: 0.3, reached: true },
      ],
    });
  });

  it('without a counterpart has no ratio, and no verdict on it', () => {
    const { floor: _floor, against: _against, ...alone } = MEASURED;
    const row = rowOf(alone);
    expect([row.floorRatio, row.againstRatio]).toEqual([undefined, undefined]);
    expect(row.verdicts.map(({ reached }) => reached)).toEqual([undefined, undefined]);
  });

  it.each([
    [{ of: 'value', most: 2 }, 2, true],
    [{ of: 'value', most: 2 }, 2.01, false],
    [{ of: 'floor', least: 0.6 }, 0.6, true],
    [{ of: 'floor', least: 0.6 }, 0.59, false],
    [{ of: 'floor', least: 0.6 }, Number.NaN, false],
  ] as const)('target %j, measured %d: reached is %s', (target, measured, reached) => {
    expect(judge(target, measured).reached).toBe(reached);
  });
});

describe('the table', () => {
  it.each([
    [0, '0'],
    [0.00123, '0.001'],
    [0.5, '0.500'],
    [1.234, '1.23'],
    [12.34, '12.3'],
    [123.4, '123'],
    [28_678.4, '28,678'],
    [Number.NaN, 'n/a'],
  ])('shows %d as %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it('shows the spread of several measurements', () => {
    expect(spreadText({ median: 2, low: 1, high: 4, count: 3 }, 's')).toBe('2.00 s (1.00 to 4.00)');
    expect(spreadText({ median: 2, low: 2, high: 2, count: 1 }, '%')).toBe('2.00 %');
  });

  it('says whether a target was reached', () => {
    const text = (most: number, measured: number | undefined): string =>
      verdictText(judge({ of: 'value', most }, measured), 'MiB');
    expect(text(110, 100)).toBe('at most 110 MiB: reached');
    expect(text(110, 120)).toBe('at most 110 MiB: **missed**');
    expect(verdictText(judge({ of: 'against', least: 2 }, undefined), '/s')).toBe(
      'at least 2 of the other: not measured',
    );
  });

  it('has only the columns that a row fills', () => {
    const {
      floor: _floor,
      floorName: _name,
      against: _against,
      targets: _targets,
      ...alone
    } = MEASURED;
    expect(markdownTable(cellsOf([rowOf({ ...alone, ours: [{ value: 2 }] })]))).toBe(
      `| row        | credmon |
| ---------- | ------- |
| first pass | 2.00 s  |
`,
    );
    expect(cellsOf([rowOf(MEASURED)])[0]).toEqual([
      'row',
      'credmon',
      'floor',
      'of the floor',
      'other',
      'of the other',
      'CPU s',
      'wall s',
      'peak MiB',
      'target',
    ]);
  });
});
