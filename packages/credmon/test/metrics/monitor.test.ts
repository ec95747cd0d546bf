// What the metrics say of passes over a real directory, and that they say nothing of
// users and secrets.
import families from '../../src/metrics/families.json' with { type: 'json' };
import { type DaemonParts, createWakeUp, runOnce } from '../../src/daemon/loop.ts';
import { CodedError } from '@credmon/core/base';
import type { CredentialStore } from '@credmon/core/store';
import type { Pages } from '../../src/metrics/health-and-pages.ts';
import { type Monitor, monitorDaemon } from '../../src/metrics/monitor.ts';
import { settingsWith } from '../support/access-point.ts';
import { type Bench, bench, json, meta, useText } from '../support/bench.ts';
import { samplesOf } from '@credmon/test-fixtures/servers/metrics';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';

const top = JSON.stringify({ refresh_token: 'canary-refresh' });

/** A bench that is watched; `page` is what a listener would send. */
function watched(
  knobs: Readonly<Record<string, string>> = {},
  store: (real: CredentialStore) => CredentialStore = (real) => real,
) {
  const on = bench({ knobs, store });
  const quiet = (text: string): void => void on.lines.push(text);
  const parts: DaemonParts = {
    context: on.context,
    memory: on.memory,
    log: { error: quiet, warn: quiet, info: quiet, debug: quiet },
    wake: createWakeUp(),
    stop: new AbortController().signal,
    lookup: () => on.lookup,
    reload: () => undefined,
    complete: () => undefined,
    graceSeconds: () => 60,
  };
  let pages: Pages = {};
  const monitor: Monitor = monitorDaemon(parts, {
    address: () => ({ kind: 'unix', path: '/nowhere' }),
    settings: () => settingsWith(knobs),
    open: async (_address, served) => {
      pages = served;
      return { where: 'nowhere', close: async () => undefined };
    },
    unreadable: () => undefined,
  });
  const page = async (path: string): Promise<{ status: number; text: string }> => {
    const found = await pages[path]?.();
    return { status: found?.status ?? 404, text: found?.text ?? '' };
  };
  return { on, monitor, page, samples: async () => samplesOf((await page('/metrics')).text) };
}

const fresh = (on: Bench, user: string, stem: string, left: number): void => {
  on.seed(user, stem, { top, meta: meta() });
  on.seed(user, stem, { use: useText(on.clock.now() + left - 1000, 1000) });
};

/** The samples of some families that are not zero. */
function some(
  samples: Readonly<Record<string, number>>,
  ...names: readonly string[]
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(samples)
      .filter(
        ([name, value]) =>
          value !== 0 && names.some((one) => name.startsWith(`condor_credmon_${one}{`)),
      )
      .map(([name, value]) => [name.replace('condor_credmon_', ''), value]),
  );
}

describe('the metrics', () => {
  it('R17 R44 count tokens by state, expired ones separately, and the remaining seconds', async () => {
    const { on, monitor, samples } = watched();
    await monitor.follow();
    fresh(on, 'alice', 'mytok', 900);
    fresh(on, 'bob', 'mytok_h1', 800);
    on.seed('carol', 'mytok', {
      use: useText(on.clock.now() - 2000, 1000),
      top: '{}',
      meta: meta(),
    });
    on.seed('dora', 'asked', { top, meta: meta() });
    on.seed('eve', 'mytok', { use: useText(on.clock.now(), 300), top: '{}', meta: meta() });
    await runOnce(monitor.parts);
    expect(some(await samples(), 'tokens', 'expired_tokens', 'earliest_expiry_seconds')).toEqual({
      'tokens{provider="mytok",kind="oauth",state="fresh"}': 2,
      'tokens{provider="mytok",kind="oauth",state="unrenewable"}': 1,
      'tokens{provider="mytok",kind="oauth",state="expired"}': 1,
      'tokens{provider="asked",kind="oauth",state="due"}': 1,
      'expired_tokens{provider="mytok",kind="oauth",state="unrenewable"}': 1,
      'earliest_expiry_seconds{provider="mytok",kind="oauth"}': 800,
    });
    on.clock.advance(100);
    expect(some(await samples(), 'earliest_expiry_seconds')).toEqual({
      'earliest_expiry_seconds{provider="mytok",kind="oauth"}': 700,
    });
  });

  it('R44 count a token that does not expire as working, and leave it out of the earliest expiry', async () => {
    const { on, monitor, samples } = watched({ CREDMON_hub_PROFILE: 'github' });
    await monitor.follow();
    fresh(on, 'alice', 'mytok', 900);
    on.seed('bob', 'hub', { top: '{"refresh_token":""}', meta: meta() });
    on.seed('bob', 'hub', { use: 'gho_opaque\n' });
    await runOnce(monitor.parts);
    expect(some(await samples(), 'tokens', 'expired_tokens', 'earliest_expiry_seconds')).toEqual({
      'tokens{provider="mytok",kind="oauth",state="fresh"}': 1,
      'tokens{provider="hub",kind="oauth",state="fresh"}': 1,
      'earliest_expiry_seconds{provider="mytok",kind="oauth"}': 900,
    });
  });

  it('R44 count renewals by outcome and error code, and show the tokens at the next scan', async () => {
    const { on, monitor, samples } = watched();
    await monitor.follow();
    for (const user of ['alice', 'bob', 'carol']) fresh(on, user, 'mytok', 100);
    const healthy = on.answer;
    on.answer = (asked) =>
      on.asked.length === 2
        ? Promise.resolve(json({ error: 'invalid_grant' }, 400))
        : on.asked.length === 3
          ? Promise.resolve(json({ error: 'nonsense' }, 400))
          : healthy(asked);
    await runOnce(monitor.parts);
    await runOnce(monitor.parts);
    const after = await samples();
    expect(some(after, 'renewals_total', 'tokens')).toEqual({
      'renewals_total{provider="mytok",kind="oauth",outcome="issued",code="none"}': 1,
      'renewals_total{provider="mytok",kind="oauth",outcome="revoked",code="GRANT_REVOKED"}': 1,
      'renewals_total{provider="mytok",kind="oauth",outcome="failed",code="ISSUER_ANSWER_INVALID"}': 1,
      'tokens{provider="mytok",kind="oauth",state="fresh"}': 1,
      'tokens{provider="mytok",kind="oauth",state="stopped"}': 1,
      'tokens{provider="mytok",kind="oauth",state="waiting"}': 1,
    });
    expect(
      after['condor_credmon_renewal_duration_seconds_count{provider="mytok",kind="oauth"}'],
    ).toBe(3);
    expect(after['condor_credmon_scan_duration_seconds_count']).toBe(2);
    expect(after['condor_credmon_last_pass_timestamp_seconds']).toBe(on.clock.now());
  });

  it('R44 count a renewal whose files are written later, once', async () => {
    let full = true;
    const { on, monitor, samples } = watched({}, (real) => ({
      ...real,
      apply: (change) => {
        if (full) throw new CodedError('CRED_FILE_IO', 'alice/mytok: cannot write (ENOSPC)');
        real.apply(change);
      },
    }));
    await monitor.follow();
    fresh(on, 'alice', 'mytok', 100);
    await runOnce(monitor.parts);
    expect(some(await samples(), 'renewals_total')).toEqual({});
    full = false;
    await runOnce(monitor.parts);
    await runOnce(monitor.parts);
    expect(some(await samples(), 'renewals_total')).toEqual({
      'renewals_total{provider="mytok",kind="oauth",outcome="issued",code="none"}': 1,
    });
  });

  it('count local users that the rules reject, and no outage for them', async () => {
    const keys = mkdtempSync(join(tmpdir(), 'credmon-keys-'));
    const { on, monitor, samples } = watched({
      LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
      LOCAL_CREDMON_PRIVATE_KEY: join(keys, 'private.pem'),
      LOCAL_CREDMON_PUBLIC_KEY: join(keys, 'public.pem'),
      LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: 'false',
    });
    await monitor.follow();
    for (const stem of ['scitokens', 'scitokens_h1']) on.seed('alice', stem, { top: 'x' });
    await runOnce(monitor.parts);
    await runOnce(monitor.parts);
    expect(
      some(await samples(), 'refused_users', 'expired_tokens', 'tokens', 'renewals_total'),
    ).toEqual({
      'refused_users{provider="scitokens"}': 1,
      'tokens{provider="scitokens",kind="local",state="stopped"}': 2,
      'renewals_total{provider="scitokens",kind="local",outcome="denied",code="USER_REFUSED"}': 2,
    });
    rmSync(keys, { recursive: true });
  });

  it('forget a provider without tokens, but not its counters', async () => {
    const { on, monitor, samples } = watched();
    await monitor.follow();
    fresh(on, 'alice', 'mytok', 100);
    await runOnce(monitor.parts);
    rmSync(join(on.directory, 'alice'), { recursive: true });
    await runOnce(monitor.parts);
    expect(
      Object.keys(await samples()).filter((name) => /^condor_credmon_(tokens|expired)/.test(name)),
    ).toEqual([]);
    expect(some(await samples(), 'renewals_total')).toEqual({
      'renewals_total{provider="mytok",kind="oauth",outcome="issued",code="none"}': 1,
    });
  });

  it('count tokens in memory and in progress at the time of the request', async () => {
    const { on, monitor, samples } = watched();
    await monitor.follow();
    on.memory.unwritten.set('alice/x', { user: 'alice', stem: 'x', from: undefined, writes: [] });
    on.memory.inFlight.add('alice/y').add('alice/z');
    const now = await samples();
    expect([
      now['condor_credmon_unwritten_tokens'],
      now['condor_credmon_renewals_in_flight'],
    ]).toEqual([1, 2]);
  });

  it('R43 show no user, token or secret', async () => {
    const { on, monitor, page } = watched();
    await monitor.follow();
    fresh(on, 'canary-user', 'mytok_canary-handle', 100);
    on.answer = async () =>
      json(
        { error: 'invalid_grant', error_description: 'canary-description', access_token: 'canary' },
        400,
      );
    await runOnce(monitor.parts);
    expect((await page('/metrics')).text).not.toContain('canary');
  });

  it('are exactly the families of the table, which docs/metrics.md shows (UPDATE_DOCS=1 writes it)', async () => {
    const { on, monitor, page } = watched();
    await monitor.follow();
    fresh(on, 'alice', 'mytok', 100);
    await runOnce(monitor.parts);
    const named = [...(await page('/metrics')).text.matchAll(/^# TYPE condor_credmon_(\w+)/gm)].map(
      (match) => match[1] ?? '',
    );
    expect(named.sort()).toEqual(Object.keys(families).sort());
    const file = fileURLToPath(new URL('../../../../docs/metrics.md', import.meta.url));
    const text = readFileSync(file, 'utf8');
    const [before = '', , after = ''] = text.split(/<!-- (?:begin|end) table -->\n/);
    const rows = Object.entries(families).map(([name, { labels, help }]) => {
      const named = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`condor_credmon_${name}\` | ${named} | ${help} |`;
    });
    const table = ['| name | labels | meaning |', '| --- | --- | --- |', ...rows].join('\n');
    const wanted = await format(
      `${before}<!-- begin table -->\n\n${table}\n\n<!-- end table -->\n${after}`,
      { ...(await resolveConfig(file)), parser: 'markdown' },
    );
    if (process.env['UPDATE_DOCS']) writeFileSync(file, wanted);
    expect(text).toBe(wanted);
  });
});

it('R44 /readyz is 503 until a pass has ended and when the last one is old; /healthz is 200', async () => {
  const { on, monitor, page } = watched();
  await monitor.follow();
  expect(await page('/readyz')).toEqual({
    status: 503,
    text: '{"ready":false,"reason":"no pass has ended yet"}\n',
  });
  await runOnce(monitor.parts);
  expect(await page('/readyz')).toEqual({ status: 200, text: '{"ready":true}\n' });
  on.clock.advance(200);
  expect((await page('/readyz')).status).toBe(503);
  expect(await page('/healthz')).toEqual({ status: 200, text: 'alive\n' });
});

it('a reload of the parts follows the configuration, and the log continues as before', async () => {
  const { on, monitor, samples } = watched();
  monitor.parts.reload();
  await monitor.follow();
  fresh(on, 'alice', 'mytok', 100);
  await runOnce(monitor.parts);
  expect(on.lines.filter((line) => line.includes('Metrics are on'))).toHaveLength(1);
  expect(on.lines.join('\n')).toContain('Successfully renewed alice/mytok');
  expect((await samples())['condor_credmon_scan_duration_seconds_count']).toBe(1);
});
