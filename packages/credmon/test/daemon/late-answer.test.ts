// Answers that come after the time-out: they are stored, and until the connection has
// ended the same refresh token is not sent again.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { HttpResponse } from '@credmon/core/base';
import { describe, expect, it } from 'vitest';
import { createLimiter } from '../../src/throttle/limiter.ts';
import { beginPass } from '../../src/daemon/pass.ts';
import { bench, json, meta, noAnswer, useText, TOKEN_URL, type Bench } from '../support/bench.ts';

const top = (token: string): string => JSON.stringify({ refresh_token: token });
const sent = (on: Bench): unknown[] => on.asked.map(({ form }) => form['refresh_token']);
const pass = async (on: Bench): Promise<number> =>
  (await beginPass(on.context, on.lookup, on.memory)).settled;
const lateAnswer = json({
  access_token: 'late',
  token_type: 'bearer',
  expires_in: 1000,
  refresh_token: 'r2',
});

function seed(on: Bench, user = 'alice', token = 'r1'): void {
  on.seed(user, 'mytok', {
    top: top(token),
    meta: meta(),
    use: useText(on.clock.now() - 600, 1000),
  });
}

/** An issuer whose requests all time out at once; each is ended by hand. */
function slow(on: Bench): { answer: (index: number, answer: HttpResponse | Error) => void } {
  const ends: ((answer: HttpResponse | Error) => void)[] = [];
  on.answer = (_, timeOut) =>
    new Promise((resolve, reject) => {
      ends.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
      timeOut?.();
    });
  return { answer: (index, answer) => ends[index]?.(answer) };
}

const settled = (on: Bench): Promise<void> => expect.poll(() => on.memory.late.size).toBe(0);
const stateOf = (on: Bench): Record<string, unknown> =>
  JSON.parse(on.read('alice', '.mytok.renewal')) as Record<string, unknown>;

describe('a request that timed out', () => {
  it('R2 counts as failed and frees its slot in the queue', async () => {
    const on = bench();
    const limiter = createLimiter({ cap: () => 1, steady: () => on.clock.steady() });
    seed(on);
    on.seed('alice', 'other', {
      top: top('o1'),
      meta: meta(),
      use: useText(on.clock.now() - 500, 1000),
    });
    slow(on);
    const { settled: ended } = await beginPass({ ...on.context, limiter }, on.lookup, on.memory);
    await ended;
    expect(sent(on)).toEqual(['r1', 'o1']);
    expect([on.memory.inFlight.size, on.memory.late.size]).toEqual([0, 2]);
    expect(stateOf(on)).toMatchObject({ code: 'ISSUER_UNREACHABLE', attempts: 1, stopped: false });
    expect(on.lines).toContainEqual(expect.stringContaining('no answer within 15 s'));
  });

  it('R12 R13 its late answer is stored and the failure is cleared', async () => {
    const on = bench();
    seed(on);
    const issuer = slow(on);
    await pass(on);
    issuer.answer(0, lateAnswer);
    await settled(on);
    expect(on.read('alice', 'mytok.top')).toBe(`${top('r2')}\n`);
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({ access_token: 'late' });
    expect([on.has('alice', '.mytok.renewal'), on.memory.failures.size]).toEqual([false, 0]);
    expect(on.lines).toContainEqual(expect.stringContaining('Successfully renewed alice/mytok'));
    on.clock.advance(60);
    await pass(on);
    expect(sent(on)).toEqual(['r1']);
  });

  it('R10 R12 is not repeated with the same refresh token before its connection has ended', async () => {
    const on = bench();
    seed(on);
    const issuer = slow(on);
    await pass(on);
    for (const seconds of [30, 60]) {
      on.clock.advance(seconds);
      await pass(on);
    }
    expect(sent(on)).toEqual(['r1']);
    issuer.answer(0, noAnswer(TOKEN_URL));
    await settled(on);
    const { attempts, not_before: notBefore } = stateOf(on);
    expect([attempts, Number(notBefore) <= on.clock.now()]).toEqual([1, true]);
    await pass(on);
    expect(sent(on)).toEqual(['r1', 'r1']);
    expect(stateOf(on)).toMatchObject({ attempts: 2 });
  });

  it('R21 does not delay the token of a new login, and its late answer does not overwrite the new files', async () => {
    const on = bench();
    seed(on);
    const issuer = slow(on);
    await pass(on);
    for (const file of ['mytok.top', 'mytok.use']) rmSync(join(on.directory, 'alice', file));
    on.seed('alice', 'mytok', { top: top('n1') });
    on.clock.advance(30);
    await pass(on);
    expect(sent(on)).toEqual(['r1', 'n1']);
    issuer.answer(1, json({ access_token: 'new', token_type: 'bearer', expires_in: 1000 }));
    await expect.poll(() => on.memory.late.size).toBe(1);
    issuer.answer(0, lateAnswer);
    await settled(on);
    expect([on.read('alice', 'mytok.top'), JSON.parse(on.read('alice', 'mytok.use'))]).toEqual([
      top('n1'),
      expect.objectContaining({ access_token: 'new' }),
    ]);
  });

  it('R10 R21 a late answer that is superseded does not end the write of the newer login', async () => {
    const ends = new Map<string, () => void>();
    const on = bench({
      store: (real) => ({
        ...real,
        write: async (change) => {
          const text = change.writes.find(({ kind }) => kind === 'use')?.text ?? '';
          await new Promise<void>((resolve) =>
            ends.set(text.includes('late') ? 'late' : 'new', resolve),
          );
          return real.write(change);
        },
      }),
    });
    seed(on);
    const issuer = slow(on);
    await pass(on);
    for (const file of ['mytok.top', 'mytok.use']) rmSync(join(on.directory, 'alice', file));
    on.seed('alice', 'mytok', { top: top('n1') });
    on.clock.advance(30);
    await pass(on);
    issuer.answer(1, json({ access_token: 'new', token_type: 'bearer', expires_in: 1000 }));
    issuer.answer(0, lateAnswer);
    await expect.poll(() => ends.size).toBe(2);
    ends.get('late')?.();
    await expect.poll(() => on.memory.late.size).toBe(1);
    expect([...on.memory.writing.keys()]).toEqual(['alice/mytok']);
    ends.get('new')?.();
    await settled(on);
    expect(on.memory.writing.size).toBe(0);
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({ access_token: 'new' });
  });

  it('R9 stops after a late invalid_grant', async () => {
    const on = bench();
    seed(on);
    const issuer = slow(on);
    await pass(on);
    issuer.answer(0, json({ error: 'invalid_grant' }, 400));
    await settled(on);
    expect(stateOf(on)).toMatchObject({ code: 'GRANT_REVOKED', stopped: true });
  });

  it('R14 keeps the rotated refresh token of a late answer that is rejected', async () => {
    const on = bench();
    seed(on);
    const issuer = slow(on);
    await pass(on);
    issuer.answer(0, json({ token_type: 'bearer', refresh_token: 'r2' }));
    await settled(on);
    expect(on.read('alice', 'mytok.top')).toBe(`${top('r2')}\n`);
  });

  it('R8 a late answer does not open the circuit of the issuer', async () => {
    const on = bench();
    for (const user of ['alice', 'bob']) seed(on, user);
    const issuer = slow(on);
    await pass(on);
    for (const index of [0, 1]) issuer.answer(index, lateAnswer);
    await settled(on);
    for (const user of ['carol', 'dave', 'erin']) seed(on, user);
    on.answer = async () => json({ access_token: 'a', token_type: 'bearer', expires_in: 1000 });
    await pass(on);
    expect(sent(on)).toHaveLength(5);
  });

  it('an unexpected error with a late answer affects nothing else', async () => {
    const on = bench({
      store: (real) => ({
        ...real,
        apply: (change) => {
          if (change.writes.some(({ kind }) => kind === 'use'))
            throw new TypeError('a mistake of ours');
          real.apply(change);
        },
      }),
    });
    seed(on);
    const issuer = slow(on);
    await pass(on);
    issuer.answer(0, lateAnswer);
    await settled(on);
    expect(on.lines.join('\n')).toContain('mistake of ours');
  });
});

describe('waiting for late answers', () => {
  it('R2 uses the configured time, and only for requests that may spend a refresh token', async () => {
    const on = bench();
    seed(on);
    const late: unknown[] = [];
    const context = {
      ...on.context,
      lateAnswer: () => 7,
      send: (request: Parameters<typeof on.context.send>[0]) => {
        late.push([request.method, request.late?.seconds]);
        return on.context.send(request);
      },
    };
    await (
      await beginPass(context, on.lookup, on.memory)
    ).settled;
    expect(late).toEqual([['POST', 7]]);
  });
});
