// One renewal attempt: the effects of each outcome on disk, in memory, in the log and in
// the queue.
import { rmSync } from 'node:fs';
import { CodedError } from '@credmon/core/base';
import { instantOf } from '@credmon/core/credential';
import { judge, type Verdict } from '@credmon/core/renewal';
import type { TokenWrite } from '@credmon/core/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attempt } from '../../src/daemon/attempt.ts';
import type { Outcome, Provider } from '../../src/providers/common/provider.ts';
import { bench, meta, useText, type Bench } from '../support/bench.ts';

let on: Bench;
beforeEach(() => {
  on = bench();
});
afterEach(() => rmSync(on.directory, { recursive: true, force: true }));

const ID = 'alice/mytok';
const NEW_TOP = '{"refresh_token":"r2"}\n';
const topWrite: TokenWrite = { kind: 'top', text: NEW_TOP, durable: true };

/** A provider with this outcome. */
const provider = (obtain: Provider['obtain']): Provider => ({
  name: 'oauth',
  renewable: () => ({ ok: true, value: true }),
  basis: () => 'same',
  issuerOf: () => 'https://issuer.example',
  obtain,
});

async function verdictOf(owner: Provider): Promise<Verdict> {
  on.seed('alice', 'mytok', {
    top: '{"refresh_token":"r1"}',
    use: useText(on.clock.now() - 600, 1000),
    meta: meta(),
  });
  const { tokens } = await on.store.scan(instantOf(on.clock));
  const [snapshot] = tokens;
  if (!snapshot) throw new Error('there is no token');
  const managed = {
    snapshot,
    provider: owner.name,
    renewable: owner.renewable(snapshot),
    basis: () => owner.basis(snapshot),
    policy: on.policy,
  };
  return judge(managed, instantOf(on.clock));
}

const error = new CodedError('ISSUER_UNREACHABLE', 'no answer');
const revoked = new CodedError('GRANT_REVOKED', 'the issuer says invalid_grant');
const issued = (): Outcome => ({
  kind: 'issued',
  writes: [topWrite, { kind: 'use', text: useText(on.clock.now(), 1000, 'new'), durable: true }],
  times: { issuedAt: on.clock.now(), expiresAt: on.clock.now() + 1000 },
  rotated: true,
});

describe('an attempt whose provider answers', () => {
  it.each<[string, () => Outcome, { readonly line: RegExp; readonly [member: string]: unknown }]>([
    [
      'with a token writes it, reports it and waits for a share of its lifetime',
      issued,
      {
        error: undefined,
        top: NEW_TOP,
        use: 'new',
        failure: undefined,
        line: /^info Successfully/,
      },
    ],
    [
      'with a failure that time may fix keeps the token and records the failure',
      () => ({ kind: 'failed', error }),
      { error, top: '{"refresh_token":"r1"}', use: 'old-access', failure: false, line: /^warn / },
    ],
    [
      'with a failure for the administrator keeps the token and records the failure',
      () => ({ kind: 'denied', error: new CodedError('CLIENT_REFUSED', 'invalid_client') }),
      { top: '{"refresh_token":"r1"}', use: 'old-access', line: /^error .*administrator/ },
    ],
    [
      'with a failure for the user stops the token',
      () => ({ kind: 'revoked', error: revoked }),
      { error: revoked, use: 'old-access', failure: true, line: /^error .*fix: alice runs/ },
    ],
    [
      'with a failure and a rotated refresh token writes the new refresh token',
      () => ({ kind: 'failed', error, writes: [topWrite] }),
      { error, top: NEW_TOP, use: 'old-access', failure: false, line: /^warn / },
    ],
    [
      'with a revoked grant removes the files',
      () => ({ kind: 'gone', error: revoked }),
      {
        error: revoked,
        top: undefined,
        use: undefined,
        failure: undefined,
        line: /Audit: removed/,
      },
    ],
  ])('%s', async (_, outcome, expected) => {
    const owner = provider(async () => outcome());
    const attempted = await attempt(on.context, on.memory, await verdictOf(owner), owner);
    const nextIn = await attempted.nextIn;
    const file = (name: string): string | undefined =>
      on.has('alice', name) ? on.read('alice', name) : undefined;
    const use = file('mytok.use');
    expect({
      error: attempted.error,
      late: attempted.late,
      top: file('mytok.top'),
      use:
        use === undefined ? undefined : (JSON.parse(use) as { access_token: string }).access_token,
      failure: on.memory.failures.get(ID)?.stopped,
      line: on.lines.find((line) => !line.startsWith('debug')),
    }).toMatchObject({
      late: undefined,
      ...expected,
      line: expect.stringMatching(expected.line) as string,
    });
    expect(nextIn).toBeGreaterThanOrEqual(0);
  });
});

it('R12 a spent refresh token is not sent again: its successor replaces it', async () => {
  let asked = 0;
  const owner = provider(async () => {
    asked += 1;
    return issued();
  });
  const verdict = await verdictOf(owner);
  await attempt(on.context, on.memory, verdict, owner);
  on.seed('alice', 'mytok', { top: '{"refresh_token":"r1"}' });
  const again = await verdictOf(owner);
  expect(await attempt(on.context, on.memory, again, owner)).toEqual({ nextIn: 0 });
  expect([asked, on.read('alice', 'mytok.top')]).toEqual([1, NEW_TOP]);
});

describe('R2 an attempt whose request times out', () => {
  /** Sends a request that times out, and answers when `finish` is called. */
  function timingOut(outcome: () => Outcome): { owner: Provider; finish: () => void } {
    let finish: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      finish = resolve;
    });
    on.answer = async (_asked, timeOut) => {
      timeOut?.();
      await answered;
      return { status: 200, headers: {}, body: new Uint8Array() };
    };
    const owner = provider(async (_token, _files, { send }) => {
      await send({ method: 'POST', url: 'https://issuer.example/token' });
      return outcome();
    });
    return { owner, finish: () => finish() };
  }

  it('fails at once, and its late answer is still written', async () => {
    const { owner, finish } = timingOut(issued);
    const attempted = await attempt(on.context, on.memory, await verdictOf(owner), owner);
    expect(attempted.error).toMatchObject({ code: 'ISSUER_UNREACHABLE' });
    expect([on.memory.late.size, on.memory.failures.has(ID)]).toEqual([1, true]);
    finish();
    expect(await attempted.late).toEqual({});
    expect([
      on.memory.late.size,
      on.memory.failures.has(ID),
      on.read('alice', 'mytok.top'),
    ]).toEqual([0, false, NEW_TOP]);
  });

  it('remains failed without an answer', async () => {
    const { owner, finish } = timingOut(() => ({ kind: 'failed', error }));
    const attempted = await attempt(on.context, on.memory, await verdictOf(owner), owner);
    finish();
    expect(await attempted.late).toBeUndefined();
    expect(on.memory.failures.get(ID)).toMatchObject({ attempts: 1, code: 'ISSUER_UNREACHABLE' });
  });
});
