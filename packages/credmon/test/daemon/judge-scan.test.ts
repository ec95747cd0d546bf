// Decisions read what they need: `.top` and `.meta` of tokens that are due, and little by
// little those of the others, so that a problem is known before a renewal fails.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tokenId } from '@credmon/core/credential';
import { describe, expect, it } from 'vitest';
import { mayReadOf } from '../../src/daemon/judge-scan.ts';
import { beginPass } from '../../src/daemon/pass.ts';
import { bench, meta, useText, type Bench } from '../support/bench.ts';

const top = (token: string): string => JSON.stringify({ refresh_token: token });
const fresh = (on: Bench): string => useText(on.clock.now() - 10, 100_000);
const due = (on: Bench): string => useText(on.clock.now() - 600, 1000);

function seed(on: Bench, user: string, files: Readonly<Record<string, string>>): void {
  on.seed(user, 'mytok', files);
  // What was stored first must not look newer than what was stored last.
  if (files['use'] !== undefined) on.seed(user, 'mytok', { use: files['use'] });
}

const unrenewable = (on: Bench): string[] =>
  on.lines.filter((line) => line.includes('cannot be renewed'));

/** A bench, and the tokens whose files were read after the scan, in order. */
function countingBench(): { readonly on: Bench; readonly completed: string[] } {
  const completed: string[] = [];
  const on = bench({
    store: (real) => ({
      ...real,
      unread: (now) => {
        const files = real.unread?.(now);
        if (!files) throw new Error('a store that reads everything');
        return {
          ...files,
          complete: (token, renewal) => {
            completed.push(`${token.user}${renewal ? ' for a renewal' : ''}`);
            return files.complete(token, renewal);
          },
        };
      },
    }),
  });
  return { on, completed };
}

describe('R4 a pass over tokens whose .top and .meta are not read yet', () => {
  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['an invalid .top', { top: '{}', meta: meta() }, /\.top has no refresh token/],
    ['an empty refresh token', { top: top(''), meta: meta() }, /gave no refresh token/],
    ['an invalid .meta', { top: top('r'), meta: '[]' }, /\.meta is JSON, but not an object/],
  ])('warns about %s of a fresh token in the first pass, once', async (_, files, text) => {
    const on = bench();
    seed(on, 'alice', { ...files, use: fresh(on) });
    for (let n = 0; n < 3; n += 1) {
      await beginPass(on.context, on.lookup, on.memory);
      on.clock.advance(60);
    }
    expect(unrenewable(on)).toEqual([expect.stringMatching(text)]);
  });

  it('does not spend a grant of a due token whose .meta cannot be used', async () => {
    const on = bench();
    seed(on, 'alice', { top: top('r'), meta: '[]', use: due(on) });
    const { settled } = await beginPass(on.context, on.lookup, on.memory);
    await settled;
    expect([on.asked, unrenewable(on).length]).toEqual([[], 1]);
  });

  it('reads a token once while it is fresh, and for its renewal', async () => {
    const { on, completed } = countingBench();
    seed(on, 'alice', { top: top('r'), meta: meta(), use: useText(on.clock.now(), 1000) });
    await beginPass(on.context, on.lookup, on.memory);
    on.clock.advance(60);
    await beginPass(on.context, on.lookup, on.memory);
    expect(completed).toEqual(['alice']);
    on.clock.advance(900);
    await (
      await beginPass(on.context, on.lookup, on.memory)
    ).settled;
    expect([completed, on.asked.length]).toEqual([['alice', 'alice for a renewal'], 1]);
  });

  it('reads 100 of many tokens in the first pass, and the others later', async () => {
    const { on, completed } = countingBench();
    const users = Array.from({ length: 700 }, (_, n) => `u${n}`);
    for (const user of users) {
      mkdirSync(join(on.directory, user), { mode: 0o700 });
      writeFileSync(join(on.directory, user, 'mytok.top'), '{}');
      writeFileSync(join(on.directory, user, 'mytok.meta'), meta());
      writeFileSync(join(on.directory, user, 'mytok.use'), fresh(on));
    }
    await beginPass(on.context, on.lookup, on.memory);
    expect([completed.length, unrenewable(on).length]).toEqual([100, 100]);
    for (const read of [600, 700, 700]) {
      on.clock.advance(60);
      await beginPass(on.context, on.lookup, on.memory);
      expect([completed.length, unrenewable(on).length]).toEqual([read, read]);
    }
    expect(new Set(completed)).toEqual(new Set(users));
  });

  it.each([
    [50, false, 500],
    [100_000, true, 100],
    [90_000, false, 750],
    [360_000, false, 3000],
  ])('of %i tokens (quick: %s) it may read %i', (tokens, isQuick, expected) => {
    expect(mayReadOf(tokens, isQuick)).toBe(expected);
  });

  it('a token that is gone is not renewed', async () => {
    const on = bench();
    seed(on, 'alice', { top: top('r'), meta: meta(), use: due(on) });
    const { store } = on;
    const scan: typeof store.scan = async (now, habits) => {
      const found = await store.scan(now, habits);
      rmSync(join(on.directory, 'alice'), { recursive: true });
      return found;
    };
    const context = { ...on.context, store: { ...store, scan } };
    await (
      await beginPass(context, on.lookup, on.memory)
    ).settled;
    expect(on.asked).toEqual([]);
  });
});

it('the decisions of a plan are the same each time they are read', async () => {
  const on = bench();
  for (const user of ['alice', 'bob'])
    seed(on, user, { top: top('r'), meta: meta(), use: fresh(on) });
  const { plan } = await beginPass(on.context, on.lookup, on.memory);
  const read = (): string[] =>
    [...plan.verdicts].map(({ managed, state }) => `${tokenId(managed.snapshot)} ${state}`);
  expect(read()).toHaveLength(plan.verdicts.length);
  expect(read().toSorted()).toEqual(['alice/mytok fresh', 'bob/mytok fresh']);
  expect(read()).toEqual(read());
});

describe('R4 a pass after one that changed nothing', () => {
  /** How often the owner of a token was asked for in a pass. */
  async function decisions(on: Bench, lookup = on.lookup): Promise<string[]> {
    const asked: string[] = [];
    const counting = counters.get(lookup) ?? {
      asked: [],
      lookup: {
        manage: (token: Parameters<typeof lookup.manage>[0]) => {
          counting.asked.push(token.user);
          return lookup.manage(token);
        },
      },
    };
    counters.set(lookup, counting);
    counting.asked = asked;
    await (
      await beginPass(on.context, counting.lookup, on.memory)
    ).settled;
    return asked;
  }
  const counters = new WeakMap<object, { asked: string[]; lookup: typeof lookupType }>();
  const lookupType = bench().lookup;

  /** A bench whose tokens have been read. */
  async function settledBench(): Promise<Bench> {
    const on = bench();
    for (const user of ['alice', 'bob'])
      seed(on, user, { top: top('r'), meta: meta(), use: useText(on.clock.now(), 1000) });
    for (let n = 0; n < 2; n += 1) {
      await decisions(on);
      on.clock.advance(5);
    }
    return on;
  }

  it('decides on no fresh token again', async () => {
    const on = await settledBench();
    expect(await decisions(on)).toEqual([]);
    const { plan } = await beginPass(on.context, on.lookup, on.memory);
    expect([...plan.verdicts].map(({ state }) => state)).toEqual(['fresh', 'fresh']);
  });

  it('decides on a token that has changed', async () => {
    const on = await settledBench();
    on.clock.advance(100);
    seed(on, 'bob', { top: top('r2') });
    expect(new Set(await decisions(on))).toEqual(new Set(['bob']));
  });

  it('does not decide on all tokens again when a directory is new, was new, or is gone', async () => {
    const on = bench();
    const users = Array.from({ length: 30 }, (_, n) => `u${n}`);
    const files = { top: top('r'), meta: meta(), use: useText(on.clock.now(), 10_000) };
    for (const user of users) seed(on, user, files);
    for (let n = 0; n < 2; n += 1) {
      await decisions(on);
      on.clock.advance(5);
    }
    for (const user of ['aaa', 'u15x', 'zzz']) {
      seed(on, user, files);
      expect(await decisions(on)).toContain(user);
      on.clock.advance(5);
      // A directory that was scanned first because it was new has now its place in the list.
      expect([[], [user]]).toContainEqual([...new Set(await decisions(on))]);
    }
    rmSync(join(on.directory, 'u7'), { recursive: true });
    expect(await decisions(on)).toEqual([]);
  });

  it('does not decide on unread tokens again because others have been read', async () => {
    const on = bench();
    const files = { top: JSON.stringify({ refresh_token: 'r' }), meta: meta(), use: fresh(on) };
    for (let n = 0; n < 800; n += 1) {
      mkdirSync(join(on.directory, `u${n}`), { mode: 0o700 });
      for (const [ending, text] of Object.entries(files))
        writeFileSync(join(on.directory, `u${n}`, `mytok.${ending}`), text);
    }
    await decisions(on);
    on.clock.advance(60);
    // 100 that the first pass has read, and 500 that this one reads.
    expect(new Set(await decisions(on)).size).toBe(600);
  });

  it('renews a token at its time', async () => {
    const on = await settledBench();
    on.clock.advance(900);
    expect(new Set(await decisions(on))).toEqual(new Set(['alice', 'bob']));
    expect(on.asked).toHaveLength(2);
  });

  it('decides on all tokens after a step of the clock, and with other settings', async () => {
    const on = await settledBench();
    on.clock.step(3600);
    expect(new Set(await decisions(on))).toEqual(new Set(['alice', 'bob']));
    const other = on.restarted();
    expect(new Set(await decisions(on, other.lookup))).toEqual(new Set(['alice', 'bob']));
  });

  it('gives the time until the next renewal', async () => {
    const on = await settledBench();
    const { plan: before } = await beginPass(on.context, on.lookup, on.memory);
    on.clock.advance(10);
    const { plan } = await beginPass(on.context, on.lookup, on.memory);
    expect(plan.nextIn).toBeCloseTo(before.nextIn - 10);
    expect([...(plan.changed ?? [])]).toEqual([]);
  });
});
