// A spent refresh token that is stored again while its successor comes: the successor
// wins, and the spent one is not sent.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HttpResponse } from '@credmon/core/base';
import { describe, expect, it } from 'vitest';
import { beginPass } from '../../src/daemon/pass.ts';
import { bench, json, meta, useText, type Bench } from '../support/bench.ts';

const top = (token: string, more: object = {}): string =>
  JSON.stringify({ refresh_token: token, scopes: 'read write', ...more });
const sent = (on: Bench): unknown[] => on.asked.map(({ form }) => form['refresh_token']);
const pass = async (on: Bench): Promise<number> =>
  (await beginPass(on.context, on.lookup, on.memory)).settled;
const answer = (token: string): HttpResponse =>
  json({
    access_token: `access-${token}`,
    token_type: 'bearer',
    expires_in: 1000,
    refresh_token: token,
  });
const stored = (on: Bench): unknown => JSON.parse(on.read('alice', 'mytok.top'));
const settled = (on: Bench): Promise<void> => expect.poll(() => on.memory.late.size).toBe(0);

function seed(): Bench {
  const on = bench();
  const use = useText(on.clock.now() - 600, 1000);
  on.seed('alice', 'mytok', { top: top('r1'), meta: meta(), use });
  on.seed('alice', 'mytok', { use });
  return on;
}

/** As CredD and the portal do it. */
function store(on: Bench, kind: 'top' | 'use', text: string): void {
  const path = join(on.directory, 'alice', `mytok.${kind}`);
  writeFileSync(`${path}.tmp`, text, { mode: 0o400 });
  renameSync(`${path}.tmp`, path);
}

/** What may be stored while the answer is under way, and what `.top` must hold then. */
const AGAIN: readonly (readonly [string, (on: Bench) => void, object])[] = [
  ['unchanged', (on) => store(on, 'top', top('r1')), { scopes: 'read write' }],
  [
    'with reordered scopes',
    (on) => store(on, 'top', top('r1', { scopes: 'write read' })),
    { scopes: 'write read' },
  ],
  [
    'with a new .use, as the portal stores it',
    (on) => {
      store(on, 'use', useText(on.clock.now(), 1000, 'of the login'));
      store(on, 'top', top('r1', { audience: 'https://x.example' }));
    },
    { scopes: 'read write', audience: 'https://x.example' },
  ],
];

it('R12 the .top that a renewal has written is not read again to look for the spent token', async () => {
  const on = seed();
  on.answer = async () => answer('r2');
  await pass(on);
  let reads = 0;
  const read: typeof on.context.store.read = (user, stem) => {
    reads += 1;
    return on.context.store.read(user, stem);
  };
  const context = { ...on.context, store: { ...on.context.store, read } };
  await (
    await beginPass(context, on.lookup, on.memory)
  ).settled;
  expect(reads).toBe(0);
  store(on, 'top', top('r1'));
  await (
    await beginPass(context, on.lookup, on.memory)
  ).settled;
  expect(stored(on)).toMatchObject({ refresh_token: 'r2' });
});

describe('R12 a spent refresh token that is stored again', () => {
  it.each(AGAIN)('during the request, %s, gets its successor', async (_, again, kept) => {
    const on = seed();
    on.answer = async () => {
      again(on);
      return answer('r2');
    };
    await pass(on);
    expect(stored(on)).toEqual({ refresh_token: 'r2', ...kept });
    on.answer = async () => answer('r3');
    on.clock.advance(950);
    await pass(on);
    expect(sent(on)).toEqual(['r1', 'r2']);
  });

  it.each(AGAIN)(
    'after the answer, %s, gets its successor instead of being sent',
    async (_, again, kept) => {
      const on = seed();
      on.answer = async () => answer('r2');
      await pass(on);
      again(on);
      on.answer = async () => answer('r3');
      on.clock.advance(60);
      // The look that finds it may also renew it: its .top is newer than its .use, unless
      // both have the same time.
      await pass(on);
      on.clock.advance(950);
      on.answer = async () => answer('r4');
      await pass(on);
      expect(sent(on).slice(0, 2)).toEqual(['r1', 'r2']);
      expect(sent(on).slice(1)).not.toContain('r1');
      expect(stored(on)).toEqual({ refresh_token: expect.stringMatching(/^r[34]$/), ...kept });
    },
  );

  it.each(AGAIN)(
    'while a late answer is awaited, %s, is not sent a second time',
    async (_, again, kept) => {
      const on = seed();
      let end: ((response: HttpResponse) => void) | undefined;
      on.answer = (_request, timeOut) =>
        new Promise((resolve) => {
          end = resolve;
          timeOut?.();
        });
      await pass(on);
      again(on);
      on.clock.advance(30);
      await pass(on);
      expect(sent(on)).toEqual(['r1']);
      end?.(answer('r2'));
      await settled(on);
      expect(stored(on)).toEqual({ refresh_token: 'r2', ...kept });
    },
  );

  it('gets the successor of a rejected answer, too', async () => {
    const on = seed();
    on.answer = async () => {
      store(on, 'top', top('r1'));
      return json({ token_type: 'bearer', refresh_token: 'r2' });
    };
    await pass(on);
    expect(stored(on)).toMatchObject({ refresh_token: 'r2' });
  });

  it('is not replaced when it is a different one', async () => {
    const on = seed();
    on.answer = async () => {
      store(on, 'top', top('n1'));
      return answer('r2');
    };
    await pass(on);
    expect(stored(on)).toMatchObject({ refresh_token: 'n1' });
    on.answer = async () => answer('n2');
    await pass(on);
    expect(sent(on)).toEqual(['r1', 'n1']);
    expect(stored(on)).toMatchObject({ refresh_token: 'n2' });
  });
});

it.each([
  ['at once', false],
  ['late', true],
])('R9 a refusal of the old login that comes %s says nothing of the new one', async (_, late) => {
  const on = seed();
  const refusal = json({ error: 'invalid_grant' }, 400);
  let end: ((response: HttpResponse) => void) | undefined;
  on.answer = (_request, timeOut) =>
    new Promise((resolve) => {
      end = resolve;
      if (late) timeOut?.();
      else {
        store(on, 'top', top('n1'));
        resolve(refusal);
      }
    });
  await pass(on);
  if (late) store(on, 'top', top('n1'));
  on.answer = async () => answer('n2');
  await pass(on);
  end?.(refusal);
  await settled(on);
  expect(sent(on)).toEqual(['r1', 'n1']);
  expect(on.lines.filter((line) => line.includes('delete-oauth'))).toEqual([]);
  expect([...on.memory.failures.values()]).toEqual([]);
  expect(on.has('alice', '.mytok.renewal')).toBe(false);
});
