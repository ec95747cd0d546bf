// The metrics of the portal are those of its table, which the Grafana dashboard and
// docs/metrics.md rely on.
import { expect, it } from 'vitest';
import { createFamilies } from '../../src/metrics/families.ts';
import table from '../../src/metrics/families.json' with { type: 'json' };

const PREFIX = 'condor_credmon_web_';

it('exports exactly the families of the table, with their help and labels', async () => {
  const families = createFamilies('1.2.3', async () => ({ sessions: 3, flows: 4 }));
  families.request('/', 200, 0.1);
  families.login('keycloak', 'done');
  families.reload(false);
  const { text } = await families.page();
  const own = text.split('\n').filter((line) => line.includes(PREFIX));
  const help = own.flatMap((line) => {
    const [, name = '', words = ''] = /^# HELP condor_credmon_web_(\w+) (.*)$/.exec(line) ?? [];
    return name === '' ? [] : [[name, words] as const];
  });
  expect(Object.fromEntries(help)).toEqual(
    Object.fromEntries(Object.entries(table).map(([name, { help: words }]) => [name, words])),
  );
  for (const [name, { labels }] of Object.entries(table)) {
    const sample = own.find((line) => new RegExp(`^${PREFIX}${name}(_sum)?[{ ]`).test(line)) ?? '';
    const found = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label);
    expect({ name, labels: found }).toEqual({ name, labels });
  }
  expect(text).toContain(`${PREFIX}open_sessions{kind="session"} 3\n`);
});
