// Scans of directories with thousands of files: they yield to the event loop and can be
// aborted without loss.
import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import type { CredentialStore, Scan } from '../../src/store/store.ts';
import { tokenId } from '../../src/credential/snapshot.ts';
import { credentialDirectory, NOW, put, putToken, TOP, USE } from './directory.ts';

const MANY = 4000;
const always = { interrupted: () => true };
const ids = ({ tokens }: Pick<Scan, 'tokens'>): string[] => tokens.map(tokenId);
const tokensOf = (user: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${user}/t${n}`);

let root: string;
let store: CredentialStore;
beforeEach(() => {
  root = credentialDirectory();
  store = openCredentialDirectory(root, { defaultLifetime: 1200, locked: true });
});

/**
 * Writes many files `name0`, `name1`, ... with one text: faster than `put`; their times
 * are irrelevant.
 */
function putMany(
  directory: string,
  names: (n: number) => string,
  text: string,
  count = MANY,
): void {
  mkdirSync(join(root, directory), { recursive: true, mode: 0o700 });
  for (let n = 0; n < count; n += 1)
    writeFileSync(join(root, directory, names(n)), text, { mode: 0o600 });
}

describe('R4 the scan of one large directory', { timeout: 60_000 }, () => {
  it('is aborted by an interruption, and keeps the known state of the directory until it has been scanned completely', async () => {
    putToken(root, 'alice', 'old');
    putToken(root, 'bob', 'mytok');
    await store.scan(NOW);
    putMany('alice', (n) => `t${n}.use`, USE);
    let asked = 0;
    // The first two checks may come before the users' directories are opened.
    const cut = await store.scan(NOW, { interrupted: () => ++asked > 2 });
    expect([ids(cut).toSorted(), cut.partial]).toEqual([['alice/old', 'bob/mytok'], true]);
    const whole = await store.scan(NOW);
    expect(ids(whole).toSorted()).toEqual(
      [...tokensOf('alice', MANY), 'alice/old', 'bob/mytok'].toSorted(),
    );
    expect(whole.partial).toBeUndefined();
  });

  it('is also aborted for a new directory, which is then the first one of the next scan', async () => {
    putToken(root, 'bob', 'mytok');
    await store.scan(NOW);
    putMany('alice', (n) => `t${n}.use`, USE);
    const cut = await store.scan(NOW, always);
    expect([ids(cut), cut.partial]).toEqual([['bob/mytok'], true]);
    expect(ids(await store.scan(NOW))).toHaveLength(MANY + 1);
  });

  it('reports tokens during the scan, so that an abort loses none', async () => {
    putToken(root, 'bob', 'mytok');
    await store.scan(NOW);
    putMany('alice', (n) => `t${n}.top`, TOP);
    const found: string[] = [];
    const habits = { found: (tokens: Scan['tokens']) => void found.push(...ids({ tokens })) };
    await store.scan(NOW, { ...always, ...habits });
    expect(found.length).toBeLessThan(MANY);
    await store.scan(NOW, habits);
    expect(new Set(found)).toEqual(new Set(tokensOf('alice', MANY)));
  });

  it('reports no temporary file of an aborted directory: its token was not scanned', async () => {
    const leftover = (n: number): string => `.t${n}.top.d999999999.${n}.credmon-tmp`;
    putMany('alice', leftover, TOP);
    put(root, 'alice/t1.top', TOP);
    const cut = await store.scan(NOW, always);
    expect([cut.temporaries, cut.partial]).toEqual([[], true]);
    const whole = await store.scan(NOW);
    expect([whole.temporaries.length, ids(whole)]).toEqual([MANY, ['alice/t1']]);
  });

  it('R22 ends at once when the daemon stops, for any known state', async () => {
    putMany('alice', (n) => `t${n}.use`, USE);
    const stopped = await store.scan(
      { wall: NOW.wall, steady: NOW.steady + 1000 },
      { stopped: () => true },
    );
    expect([ids(stopped), stopped.partial]).toEqual([[], true]);
  });

  it('finds both files of a token that is renewed between two slices of the names', async () => {
    putMany('alice', (n) => `t${n}.use`, USE);
    putMany('alice', (n) => `t${n}.top`, TOP);
    const directory = join(root, 'alice');
    let over = false;
    let replaced = 0;
    // In each turn of the event loop some files are removed and created under the same
    // name, like a rename may appear in a listing.
    const turn = (): void => {
      if (over) return;
      for (let n = 0; n < 20; n += 1) {
        const path = join(directory, `t${replaced++ % MANY}.use`);
        unlinkSync(path);
        writeFileSync(path, USE, { mode: 0o600 });
      }
      setImmediate(turn);
    };
    setImmediate(turn);
    const { tokens } = await store.scan(NOW);
    over = true;
    expect(replaced).toBeGreaterThan(20);
    expect(
      tokens.filter(({ use, top }) => use.kind === 'missing' || top.kind === 'missing'),
    ).toEqual([]);
    expect(tokens).toHaveLength(MANY);
  });
});

describe(
  'R4 a credential directory with thousands of files in its root',
  { timeout: 60_000 },
  () => {
    beforeEach(() => putMany('.', (n) => `junk ${n}`, 'x'));

    it('is listed in slices, with yields to the event loop between them', async () => {
      putMany('.', (n) => `.t${n}.top.d999999999.${n}.credmon-tmp`, 'x');
      let turns = 0;
      let over = false;
      const turn = (): void => {
        turns += 1;
        if (!over) setImmediate(turn);
      };
      setImmediate(turn);
      const { temporaries } = await store.scan(NOW);
      over = true;
      expect(temporaries).toHaveLength(MANY);
      expect(turns).toBeGreaterThan(2);
    });

    it('keeps the known state when the listing is interrupted', async () => {
      putMany('.', (n) => `.t${n}.top.d999999999.${n}.credmon-tmp`, 'x');
      for (const user of ['alice', 'bob']) putToken(root, user, 'mytok');
      await store.scan(NOW);
      const cut = await store.scan(NOW, always);
      expect([ids(cut).toSorted(), cut.partial]).toEqual([['alice/mytok', 'bob/mytok'], true]);
    });
  },
);

it('R4 the first scan can be interrupted, and new directories are scanned first by the next one', async () => {
  const users = ['a', 'b', 'c', 'd'];
  for (const user of users) putToken(root, user, 'mytok');
  let asked = 0;
  const cut = await store.scan(NOW, { interrupted: () => ++asked > 2 });
  expect([ids(cut).length, cut.partial]).toEqual([2, true]);
  putToken(root, 'z', 'mytok');
  const order: string[] = [];
  await store.scan(NOW, { found: (tokens) => void order.push(...ids({ tokens })) });
  expect(order[0]).toBe('z/mytok');
  expect(new Set([...ids(cut), ...order])).toEqual(
    new Set(['a', 'b', 'c', 'd', 'z'].map((u) => `${u}/mytok`)),
  );
});
