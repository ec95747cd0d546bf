// The alert rules in configs/prometheus are YAML, and ask only for metrics and labels
// that condor_credmon exports.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { isMissing, programPath } from '../support/needs.ts';
import families from '../../packages/credmon/src/metrics/families.json' with { type: 'json' };

const path = fileURLToPath(new URL('../../configs/prometheus/credmon-rules.yml', import.meta.url));

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}
const { groups } = parse(readFileSync(path, 'utf8')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const labelsOf = new Map<string, readonly string[]>(
  Object.entries(families).map(([name, { labels }]) => [`condor_credmon_${name}`, labels]),
);

it.each(rules.map((rule) => [rule.alert, rule] as const))(
  '%s asks for what there is',
  (_, rule) => {
    const names = [...rule.expr.matchAll(/condor_credmon_\w+/g)].map(([name]) => name);
    expect(names.filter((name) => !labelsOf.has(name))).toEqual([]);
    for (const [, name = '', selector = ''] of rule.expr.matchAll(
      /(condor_credmon_\w+)\{([^}]*)\}/g,
    ))
      for (const [, label] of selector.matchAll(/(\w+)\s*!?=/g))
        expect(labelsOf.get(name)).toContain(label);
    const known = new Set([...names.flatMap((name) => labelsOf.get(name) ?? []), 'instance']);
    const shown = [...rule.annotations.summary.matchAll(/\$labels\.(\w+)/g)].map(
      ([, label]) => label,
    );
    expect(shown.filter((label) => label === undefined || !known.has(label))).toEqual([]);
    expect([rule.for, rule.labels.severity]).toEqual([
      expect.stringMatching(/^\d+m$/),
      expect.stringMatching(/^(critical|warning)$/),
    ]);
  },
);

it.skipIf(isMissing('promtool'))('promtool finds no mistake', () => {
  const promtool = spawnSync(programPath('promtool'), ['check', 'rules', path], {
    encoding: 'utf8',
  });
  expect([promtool.status, promtool.stderr]).toEqual([0, '']);
});
