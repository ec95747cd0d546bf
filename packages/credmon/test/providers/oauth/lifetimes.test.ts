// Lifetimes as issuers mean them, over whole passes: very long ones, none at all, and tokens
// that the next refresh revokes.
import { rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { instantOf } from '@credmon/core/credential';
import { afterEach, describe, expect, it } from 'vitest';
import { beginPass } from '../../../src/daemon/pass.ts';
import { statusRow } from '../../../src/status/rows.ts';
import { bench, json, meta, useText, type Bench } from '../../support/bench.ts';

let on: Bench;
afterEach(() => rmSync(on.directory, { recursive: true, force: true }));

const TOP = '{"refresh_token":"r1"}';
const NO_REFRESH = '{"refresh_token":""}';

/** A bench whose token is due; the issuer answers with these members. */
function due(knobs: Readonly<Record<string, string>>, answer: Record<string, unknown>): void {
  on = bench({ knobs });
  on.seed('alice', 'svc', { top: TOP, meta: meta() });
  on.seed('alice', 'svc', { use: useText(on.clock.now() - 600, 1000) });
  on.answer = async () => json({ access_token: 'AT', token_type: 'bearer', ...answer });
}

/** One pass; returns the row of the token in its status. */
async function pass(): Promise<ReturnType<typeof statusRow>> {
  const begun = await beginPass(on.context, on.lookup, on.memory);
  await begun.settled;
  const [verdict] = begun.plan.verdicts;
  if (!verdict) throw new Error('no token is managed');
  return statusRow(verdict.managed.snapshot, verdict, instantOf(on.clock));
}

const use = (): Record<string, unknown> =>
  JSON.parse(on.read('alice', 'svc.use')) as Record<string, unknown>;
const TEN_YEARS = 315_360_000;

describe('R15 a lifetime of twenty years', () => {
  it.each([
    ['of an issuer that keeps the old token', {}, TEN_YEARS * 0.39],
    ['of ORCID, which revokes it', { CREDMON_svc_PROFILE: 'orcid' }, TEN_YEARS - 86_400],
  ])('%s counts as ten, and is renewed after years', async (_, knobs, after) => {
    due(knobs, { refresh_token: 'rt2', expires_in: 631_138_518 });
    await pass();
    const issued = on.clock.now();
    expect(use()).toMatchObject({ expires_in: TEN_YEARS, expires_at: issued + TEN_YEARS });
    const { state, next_renewal: next } = await pass();
    expect([state, on.asked.length]).toEqual(['fresh', 1]);
    expect(Number(next) - issued).toBeGreaterThan(after);
    expect(on.lines).toContain(
      `info Successfully renewed alice/svc (oauth), good for ${TEN_YEARS} s, refresh token rotated`,
    );
  });
});

describe('R15 an answer without expires_in', () => {
  it('is valid until its expires_at', async () => {
    due({}, {});
    on.answer = async () => json({ access_token: 'AT', expires_at: on.clock.now() + 7200 });
    await pass();
    expect(use()).toMatchObject({ expires_in: 7200, expires_at: on.clock.now() + 7200 });
  });

  it('has the default lifetime of its provider', async () => {
    due({ CREDMON_SVC_DEFAULT_TOKEN_LIFETIME: '7200' }, {});
    await pass();
    expect(use()).toMatchObject({ expires_in: 7200 });
  });

  it('does not expire where tokens do not, and is not renewed again', async () => {
    due({ CREDMON_svc_DEFAULT_TOKEN_LIFETIME: 'unlimited' }, { expires_at: null });
    await pass();
    expect(use()).toEqual({
      access_token: 'AT',
      token_type: 'bearer',
      issued_at: on.clock.now(),
      does_not_expire: true,
    });
    expect(on.lines).toContain('info Successfully renewed alice/svc (oauth), does not expire');
    on.clock.advance(10 * TEN_YEARS);
    expect(await pass()).toMatchObject({
      state: 'fresh',
      expired: false,
      expires_at: null,
      next_renewal: null,
    });
    expect(on.asked).toHaveLength(1);
  });
});

describe('a .use of another program without times', () => {
  const stored = async (knobs: Record<string, string>, age: number): Promise<unknown> => {
    on = bench({ knobs });
    on.seed('alice', 'svc', { top: NO_REFRESH, meta: meta(), use: '{"access_token":"gho"}' });
    const at = on.clock.now() - age;
    for (const kind of ['top', 'use'])
      utimesSync(join(on.directory, 'alice', `svc.${kind}`), at, at);
    const { state, expired, expires_at: expires } = await pass();
    return { state, expired, left: expires === null ? expires : expires - on.clock.now() };
  };

  it('of a provider whose tokens do not expire is in a good state, and nothing is logged', async () => {
    const row = await stored({ CREDMON_svc_PROFILE: 'github' }, 100_000);
    expect(row).toEqual({ state: 'fresh', expired: false, left: null });
    expect(on.lines.filter((line) => !line.startsWith('debug '))).toEqual([]);
  });

  it('has the lifetime of its provider', async () => {
    const row = await stored({ CREDMON_svc_DEFAULT_TOKEN_LIFETIME: '7200' }, 1000);
    expect(row).toEqual({ state: 'unrenewable', expired: false, left: 6200 });
  });

  it('of any other provider has expired after the general default', async () => {
    const row = await stored({}, 1201);
    expect(row).toEqual({ state: 'unrenewable', expired: true, left: -1 });
    expect(on.lines).toContain(
      'warn alice/svc: cannot be renewed: the issuer gave no refresh token: the user must log in again when it expires',
    );
  });
});

describe('an issuer that revokes the old token at a refresh', () => {
  const renewedAfter = async (knobs: Record<string, string>, age: number): Promise<boolean> => {
    on = bench({ knobs });
    on.seed('alice', 'svc', { top: TOP, meta: meta() });
    on.seed('alice', 'svc', { use: useText(on.clock.now() - age, 3600) });
    await pass();
    return on.asked.length > 0;
  };
  const revokes = { CREDMON_svc_REFRESH_REVOKES: 'true' };

  it('is not asked at half of the lifetime', async () => {
    expect(await renewedAfter({}, 1801)).toBe(true);
    expect(await renewedAfter(revokes, 1801)).toBe(false);
  });

  it('is asked when a job could soon read less than the floor', async () => {
    expect(await renewedAfter(revokes, 2640)).toBe(true);
    expect(await renewedAfter({ ...revokes, CREDMON_TOKEN_FLOOR: '60' }, 2640)).toBe(false);
  });
});
