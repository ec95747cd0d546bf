// Renewals on request go through the passes of the daemon: over a real directory with a
// token endpoint that is a function.
import { CodedError } from '@credmon/core/base';
import { describe, expect, it } from 'vitest';
import type { PassContext } from '../../src/daemon/context.ts';
import { beginPass } from '../../src/daemon/pass.ts';
import { reportOf, reportToAll } from '../../src/report/events.ts';
import { createAskedRenewals } from '../../src/requests/asked.ts';
import type { RenewalRequest, RenewalResult } from '../../src/requests/request.ts';
import { bench, json, meta, noAnswer, useText, type Bench } from '../support/bench.ts';

const top = (token: string): string => JSON.stringify({ refresh_token: token });

function seedFresh(on: Bench, user = 'alice', stem = 'mytok'): void {
  on.seed(user, stem, { top: top('r1'), meta: meta() });
  on.seed(user, stem, { use: useText(on.clock.now() - 10, 1000) });
}

function asking(on: Bench) {
  const answers: [string, RenewalResult][] = [];
  const asked = createAskedRenewals({
    now: () => on.clock.now(),
    answer: ({ id }, result) => answers.push([id, result]),
  });
  const context: PassContext = {
    ...on.context,
    asked,
    report: reportToAll([
      on.context.report,
      reportOf(
        async () => undefined,
        (event) => asked.report(event),
      ),
    ]),
  };
  let count = 0;
  const ask = (stem = 'mytok', user = 'alice'): string => {
    count += 1;
    const request: RenewalRequest = { id: `id${count}`, uid: 1001, gid: 100, user, stem };
    asked.ask(request);
    return request.id;
  };
  const begin = () => beginPass(context, on.lookup, on.memory);
  const pass = async (): Promise<number> => (await begin()).settled;
  /** The answers since the last call, short. */
  const said = (): string[] =>
    answers
      .splice(0)
      .map(([id, { result, code, message }]) =>
        [id, result, code, message].filter((part) => part !== null).join(' '),
      );
  return { asked, answers, ask, begin, pass, said };
}

const sent = (on: Bench): unknown[] => on.asked.map(({ form }) => form['refresh_token']);

it('a fresh token is renewed, by the normal way: rotation, pause, log', async () => {
  const on = bench();
  seedFresh(on);
  const { ask, pass, answers, asked } = asking(on);
  await pass();
  expect(on.asked).toEqual([]);
  ask();
  await pass();
  expect(answers).toEqual([
    [
      'id1',
      {
        result: 'renewed',
        at: on.clock.now(),
        provider: 'oauth',
        expires_at: on.clock.now() + 1000,
        code: null,
        message: null,
        next_renewal: null,
      },
    ],
  ]);
  expect(JSON.parse(on.read('alice', 'mytok.top'))).toEqual({ refresh_token: 'r2' });
  expect(on.lines).toContainEqual(expect.stringContaining('Successfully renewed alice/mytok'));
  expect(asked.size).toBe(0);
  await pass();
  expect(sent(on)).toEqual(['r1']);
});

it('a refresh token of a rejected answer that is written later is not taken for a renewal', async () => {
  let full = true;
  const on = bench({
    store: (real) => ({
      ...real,
      apply: (change) => {
        if (full && change.writes.some(({ kind }) => kind === 'top'))
          throw new CodedError('CRED_FILE_IO', 'alice/mytok: cannot write (ENOSPC)');
        real.apply(change);
      },
    }),
  });
  seedFresh(on);
  on.answer = async () => json({ token_type: 'bearer', refresh_token: 'r2' });
  const { ask, pass, said } = asking(on);
  ask();
  await pass();
  expect(said()).toEqual([expect.stringMatching(/^id1 failed CRED_FILE_IO /)]);
  full = false;
  on.clock.advance(60);
  ask();
  await pass();
  expect(said()).toEqual([expect.stringMatching(/^id2 failed ISSUER_ANSWER_INVALID /)]);
  expect(sent(on)).toEqual(['r1', 'r2']);
  expect(on.lines).toContain('info alice/mytok: pending files written');
  expect(on.lines.join()).not.toContain('Successfully renewed');
});

it('a token that is not due is renewed once a minute, and one of another user at once', async () => {
  const on = bench();
  seedFresh(on);
  seedFresh(on, 'bob');
  const { ask, pass, said } = asking(on);
  ask();
  await pass();
  expect(said()).toEqual(['id1 renewed']);
  for (const seconds of [1, 28, 30]) {
    on.clock.advance(seconds);
    ask();
    await pass();
  }
  expect(said()).toEqual([
    'id2 refused it was renewed or tried a moment ago; ask again in 59 s',
    'id3 refused it was renewed or tried a moment ago; ask again in 31 s',
    'id4 refused it was renewed or tried a moment ago; ask again in 1 s',
  ]);
  ask('mytok', 'bob');
  await pass();
  on.clock.advance(1);
  ask();
  await pass();
  expect(said()).toEqual(['id5 renewed', 'id6 renewed']);
  expect(sent(on)).toEqual(['r1', 'r1', 'r2']);
});

it('a token that the daemon renewed a moment ago is left alone', async () => {
  const on = bench();
  on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
  const { ask, pass, said } = asking(on);
  await pass();
  on.clock.advance(10);
  ask();
  await pass();
  expect(said()).toEqual(['id1 refused it was renewed or tried a moment ago; ask again in 20 s']);
  expect(sent(on)).toEqual(['r1']);
});

it('a token under back-off is tried again, once a minute, and the wait grows as ever', async () => {
  const on = bench();
  seedFresh(on);
  on.answer = async () => json({ error: 'temporarily_unavailable' }, 503);
  const { ask, pass, said, answers } = asking(on);
  ask();
  await pass();
  const [, first] = answers[0] ?? [];
  expect(first).toMatchObject({ result: 'failed', provider: 'oauth', code: 'ISSUER_UNREACHABLE' });
  expect(first?.next_renewal).toBeGreaterThan(on.clock.now());
  said();
  ask();
  await pass();
  expect(said()).toEqual([expect.stringContaining('ask again in 60 s')]);
  on.clock.advance(60);
  on.answer = async () => json({ access_token: 'a', token_type: 'bearer', expires_in: 1000 });
  ask();
  await pass();
  expect(said()).toEqual(['id3 renewed']);
});

it('a stopped token is tried once a minute: the cause may be gone', async () => {
  const on = bench();
  seedFresh(on);
  on.answer = async () => json({ error: 'invalid_grant' }, 400);
  const { ask, pass, said } = asking(on);
  for (let round = 0; round < 2; round += 1) {
    ask();
    await pass();
    on.clock.advance(60);
  }
  expect(said()).toEqual([
    expect.stringMatching(/^id1 failed GRANT_REVOKED /),
    expect.stringMatching(/^id2 failed GRANT_REVOKED /),
  ]);
  expect(sent(on)).toEqual(['r1', 'r1']);
  await pass();
  expect(on.asked).toHaveLength(2);
});

it('a renewal in progress answers all that ask meanwhile, and is not started twice', async () => {
  const on = bench();
  seedFresh(on);
  let release: () => void = () => undefined;
  on.answer = () =>
    new Promise((resolve) => {
      release = () => resolve(json({ access_token: 'a', token_type: 'bearer', expires_in: 900 }));
    });
  const { ask, begin, said } = asking(on);
  ask();
  const { settled } = await begin();
  ask();
  const second = await begin();
  expect([second.started, said()]).toEqual([0, []]);
  await expect.poll(() => on.asked.length).toBe(1);
  release();
  await settled;
  expect(said()).toEqual(['id1 renewed', 'id2 renewed']);
});

it.each([
  ['there is no such token; tokens of alice: mytok', 'other', undefined],
  ['no provider of this daemon renews it', 'unlisted', {}],
  [
    'the issuer gave no refresh token: the user must log in again when it expires',
    'bare',
    { top: top(''), meta: meta() },
  ],
])('is refused: %s', async (why, stem, files) => {
  const on = bench();
  seedFresh(on);
  if (files) on.seed('alice', stem, { ...files, use: useText(on.clock.now() - 10, 1000) });
  const { ask, pass, said } = asking(on);
  ask(stem);
  await pass();
  expect(said()).toEqual([`id1 refused ${why}`]);
  expect(on.asked).toEqual([]);
});

it('is refused while a late response may arrive, which may carry the new refresh token', async () => {
  const on = bench();
  seedFresh(on);
  let release: () => void = () => undefined;
  on.answer = (asked, timeOut) =>
    new Promise((_resolve, reject) => {
      timeOut?.();
      release = () => reject(noAnswer(asked.url));
    });
  const { ask, pass, said } = asking(on);
  ask();
  await pass();
  expect(said()).toEqual([expect.stringMatching(/^id1 failed ISSUER_UNREACHABLE /)]);
  on.clock.advance(60);
  ask();
  await pass();
  expect(said()).toEqual([
    'id2 refused the response to its last request may still arrive; ask again later',
  ]);
  release();
  expect(sent(on)).toEqual(['r1']);
});

it('is not sent again while its files cannot be written', async () => {
  const on = bench({
    store: (real) => ({
      ...real,
      apply: (change) => {
        if (full && change.writes.some(({ kind }) => kind === 'top')) throw noSpace();
        real.apply(change);
      },
    }),
  });
  let full = true;
  seedFresh(on);
  const { ask, pass, said } = asking(on);
  ask();
  await pass();
  expect(said()).toEqual([
    expect.stringMatching(/^id1 failed CRED_FILE_IO renewed, but not written yet: /),
  ]);
  ask();
  await pass();
  expect(said()).toEqual([
    'id2 failed CRED_FILE_IO renewed, but not written yet: ENOSPC: no space left',
  ]);
  full = false;
  ask();
  await pass();
  expect(said()).toEqual(['id3 renewed']);
  expect(JSON.parse(on.read('alice', 'mytok.top'))).toEqual({ refresh_token: 'r2' });
  expect(sent(on)).toEqual(['r1']);
});

const noSpace = (): Error => Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });

it('an issuer that is spared is not asked: the answer says why', async () => {
  const on = bench();
  for (const user of ['bob', 'carl']) on.seed(user, 'mytok', { top: top('r1'), meta: meta() });
  seedFresh(on);
  on.answer = async (asked) => Promise.reject(noAnswer(asked.url));
  const { ask, pass, said } = asking(on);
  await pass();
  const before = on.asked.length;
  ask();
  await pass();
  expect(said()).toEqual([expect.stringMatching(/^id1 refused ISSUER_UNREACHABLE .*skipped/)]);
  expect(on.asked).toHaveLength(before);
});

it('a renewal that ends without a result is tried three times', async () => {
  const on = bench();
  seedFresh(on);
  const { asked, ask, pass, said } = asking(on);
  on.answer = async () => {
    // A newer login replaces the grant during the request.
    on.seed('alice', 'mytok', { top: top(`n${on.asked.length}`) });
    return json({ error: 'invalid_grant' }, 400);
  };
  ask();
  for (let round = 0; round < 3; round += 1) await pass();
  expect([asked.size, said()]).toEqual([
    0,
    ['id1 refused the renewal ended without a result; see the log'],
  ]);
});

describe('limits', () => {
  it('of requests at the same time, and all are answered at the end', () => {
    const on = bench();
    const { asked, ask, said } = asking(on);
    for (let n = 0; n < 17; n += 1) ask();
    expect(said()).toEqual(['id17 refused too many requests at the same time; ask again later']);
    for (let n = 1; n < 1001; n += 1) ask(`t${n}`);
    expect([asked.size, said().length]).toEqual([1000, 1]);
    asked.close();
    expect([asked.size, new Set(said()).size]).toEqual([0, 16 + 999]);
  });
});

it('what the passes of other tokens say is no answer', async () => {
  const on = bench();
  seedFresh(on);
  on.seed('bob', 'mytok', { top: top('r1'), meta: meta() });
  const { ask, begin, said } = asking(on);
  on.answer = () => new Promise(() => undefined);
  ask();
  await begin();
  on.context.report({
    type: 'problem',
    text: 'x',
    id: 'bob/mytok',
  });
  expect(said()).toEqual([]);
});
