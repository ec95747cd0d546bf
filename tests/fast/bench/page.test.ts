// docs/performance.md and its plots are written from rows, and contain no name of a host.
import { describe, expect, it } from 'vitest';
import { BEGIN, END, partOf, replacePart } from '../../../bench/src/output/page.ts';
import { plotsOf } from '../../../bench/src/output/plots.ts';
import { barPlot, linePlot } from '../../../bench/src/output/svg.ts';
import { rowOf } from '../../../bench/src/shared/rows.ts';
import { partsOf, sharesOf, sharesText } from '../../../bench/src/shared/cpu-profile.ts';

const MACHINE = {
  cores: 2,
  node: 'v20.20.2',
  system: 'Linux 6.1',
  commit: 'abc1234',
  date: '2026-01-02',
  load: 0.4,
};
const ROW = rowOf({
  section: 'scan',
  name: 'first <pass>',
  unit: 's',
  ours: [{ value: 3 }],
  floor: [{ value: 2 }],
  floorName: 'readdir',
  targets: [{ of: 'floor', most: 1.1 }],
});

describe('the page', () => {
  it('keeps what is outside the markers', () => {
    expect(replacePart(`# A\n\n${BEGIN}\nold\n${END}\n\nB\n`, 'new\n')).toBe(
      `# A\n\n${BEGIN}\n\nnew\n\n${END}\n\nB\n`,
    );
    expect(() => replacePart('# A\n', 'new')).toThrow('the page has no');
  });

  it('says commit and machine, the rows, what dominates them, and what was missed', () => {
    const text = partOf({
      machine: MACHINE,
      other: undefined,
      sections: [{ name: 'scan', title: 'Scan' }],
      rows: [ROW],
      profiles: [{ section: 'scan', text: 'fsync 60 %' }],
      plots: [{ name: 'rows', alt: 'bars' }],
      remarks: ['The issuer is fast.'],
    });
    expect(text.split('\n\n')).toEqual([
      'Commit abc1234, 2026-01-02 (UTC). 2 cores, Node.js v20.20.2, Linux 6.1, load 0.4 at the start.',
      'The issuer is fast.',
      expect.stringContaining('srcset="performance/rows-dark.svg"'),
      '### Scan',
      expect.stringContaining('| first <pass> | 3.00 s'),
      'Floor: readdir.',
      'CPU time, from a profile: fsync 60 %.',
      '### Missed targets',
      '- first <pass>: 1.50, target at most 1.1 of the floor. The floor (readdir) is 2.00 s.',
    ]);
  });
});

describe('a plot', () => {
  const [bars] = plotsOf([ROW], []);
  it.each(['light', 'dark'] as const)('%s is an image with escaped text', (scheme) => {
    const text = bars?.text(scheme) ?? '';
    expect(text).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
    expect(text).toContain('first &lt;pass&gt;');
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
    expect(text.match(/<rect/g)).toHaveLength(4);
  });

  it('of bars scales each group by its own largest value', () => {
    const group = (label: string, values: readonly number[]) => ({
      label,
      bars: values.map((value, index) => ({ name: `n${index}`, value, text: String(value) })),
    });
    const text = barPlot('t', [group('a', [1, 2]), group('b', [1000, 0])], 'light');
    const widths = [...text.matchAll(/<rect x="330" y="\d+" width="([\d.]+)" height="12"/g)];
    expect(widths.map(([, width]) => Number(width))).toEqual([170, 340, 340, 1]);
  });

  it('of lines has a tick for each power of ten', () => {
    const points = [
      { x: 1000, y: 0.2 },
      { x: 100_000, y: 20 },
    ];
    const text = linePlot('t', [{ name: 'credmon', points }], { x: 'tokens', y: 's' }, 'dark');
    for (const tick of ['1,000', '10,000', '100,000', '0.1', '1', '10', '100'])
      expect(text).toContain(`>${tick}</text>`);
    expect(text).toContain('<polyline points="80,');
    expect(text).not.toContain('NaN');
  });

  it('without points is empty, not an error', () => {
    expect(linePlot('t', [], { x: 'x', y: 'y' }, 'light')).not.toContain('NaN');
    expect(plotsOf([], [])).toEqual([]);
  });
});

describe('a profile', () => {
  const node = (id: number, functionName: string, url = '') => ({
    id,
    callFrame: { functionName, url },
  });
  const profile = {
    nodes: [
      node(1, '(idle)'),
      node(2, 'fsync'),
      node(3, 'plan', 'file:///r/packages/core/dist/renewal/plan.js'),
      node(4, '(garbage collector)'),
      node(5, 'request', 'file:///r/node_modules/.pnpm/undici@7/node_modules/undici/lib/x.js'),
      node(6, '', 'node:fs'),
    ],
    samples: [1, 2, 3, 2, 4, 5, 6],
    timeDeltas: [1000, 50, 20, 10, 10, 6, 4],
  };

  it('becomes shares of the time in which something ran, by function', () => {
    expect(sharesText(sharesOf(profile))).toBe(
      'fsync 60 %, plan (core/renewal) 20 %, garbage collection 10 %, request (undici) 6 %, a function without a name (Node.js) 4 %',
    );
  });

  it('and by part of the program', () => {
    expect(sharesText(partsOf(profile))).toBe(
      'native code 60 %, core/renewal 20 %, garbage collection 10 %, undici 6 %, Node.js 4 %',
    );
    expect(sharesText([{ name: 'a', share: 0.7 }])).toBe('a 70 %, others 30 %');
  });
});
