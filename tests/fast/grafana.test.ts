// The Grafana dashboard in configs/grafana asks only for metrics and labels that the daemon
// and the portal export, and shows every family.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import daemon from '../../packages/credmon/src/metrics/families.json' with { type: 'json' };
import portal from '../../packages/webserver/src/metrics/families.json' with { type: 'json' };

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string }[];
  };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly panels: readonly Panel[];
}

const path = fileURLToPath(new URL('../../configs/grafana/credmon.json', import.meta.url));
const dashboard = JSON.parse(readFileSync(path, 'utf8')) as Dashboard;
const { panels, templating } = dashboard;
const graphs = panels.filter(({ type }) => type !== 'row');

/** The labels of each exported metric. */
const labelsOf = new Map<string, readonly string[]>();
for (const [prefix, table] of [
  ['condor_credmon_', daemon],
  ['condor_credmon_web_', portal],
] as const)
  for (const [name, family] of Object.entries(table)) {
    const labels = [...family.labels, 'instance'];
    labelsOf.set(`${prefix}${name}`, labels);
    if ('buckets' in family) labelsOf.set(`${prefix}${name}_bucket`, [...labels, 'le']);
  }

const expressions = (panel: Panel): string[] => (panel.targets ?? []).map(({ expr }) => expr);
const namesIn = (expr: string): string[] => expr.match(/condor_credmon_\w+/g) ?? [];

describe('the Grafana dashboard', () => {
  it.each(graphs.map((panel) => [panel.title, panel] as const))(
    '%s shows what there is',
    (_, panel) => {
      expect([panel.description !== '', expressions(panel).length > 0]).toEqual([true, true]);
      for (const { expr, legendFormat } of panel.targets ?? []) {
        const names = namesIn(expr);
        expect(names.filter((name) => !labelsOf.has(name))).toEqual([]);
        const known = new Set(names.flatMap((name) => labelsOf.get(name) ?? []));
        const selected = [...expr.matchAll(/(\w+)\s*(?:=~|!=|=)\s*"/g)].map(([, label]) => label);
        const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) =>
          list.split(/,\s*/),
        );
        const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
        expect([...selected, ...grouped].filter((label) => !known.has(label ?? ''))).toEqual([]);
        expect(shown.filter((label) => !grouped.includes(label))).toEqual([]);
        const variables = [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name);
        const declared = [...templating.list.map(({ name }) => name), '__rate_interval'];
        expect(variables.filter((name) => !declared.includes(name ?? ''))).toEqual([]);
      }
    },
  );

  it('shows every family of the daemon', () => {
    const shown = new Set(graphs.flatMap(expressions).flatMap(namesIn));
    const missing = Object.keys(daemon).filter(
      (name) =>
        name !== 'build_info' &&
        !shown.has(`condor_credmon_${name}`) &&
        !shown.has(`condor_credmon_${name}_bucket`),
    );
    expect(missing).toEqual([]);
  });

  it('has panels that do not overlap, each with its own id', () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect([new Set(cells).size, new Set(panels.map(({ id }) => id)).size]).toEqual([
      cells.length,
      panels.length,
    ]);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  it('its variables and annotations ask for metrics that exist', () => {
    const queries = [
      ...templating.list.map(({ query }) => query),
      ...dashboard.annotations.list.map(({ expr }) => expr),
    ].filter((query) => !query.includes('__name__'));
    expect(queries.flatMap(namesIn).filter((name) => !labelsOf.has(name))).toEqual([]);
  });
});
