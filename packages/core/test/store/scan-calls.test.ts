// How many system calls a scan makes for each token: guards of its speed that do not
// depend on the machine.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import type { CredentialStore, ScanHabits } from '../../src/store/store.ts';
import { credentialDirectory, NOW, putToken } from './directory.ts';

type Counts = Record<string, number>;
const { CALLS, counts, failing } = vi.hoisted(() => ({
  CALLS: [
    'lstatSync',
    'openSync',
    'fstatSync',
    'readSync',
    'closeSync',
    'readdirSync',
    'opendirSync',
  ] as const,
  counts: {} as Counts,
  failing: { name: '' },
}));
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>();
  const counting = Object.fromEntries(
    CALLS.map((name) => [
      name,
      (...args: unknown[]): unknown => {
        counts[name] = (counts[name] ?? 0) + 1;
        if (failing.name !== '' && String(args[0]).endsWith(failing.name))
          throw Object.assign(new Error('EIO: injected'), { code: 'EIO' });
        return (real[name] as (...all: unknown[]) => unknown)(...args);
      },
    ]),
  );
  return { ...real, ...counting };
});

const USERS = 4;
let store: CredentialStore;
let root: string;
beforeEach(() => {
  root = credentialDirectory();
  store = openCredentialDirectory(root, { defaultLifetime: 1200 });
});

const scanAt = (seconds: number, habits: ScanHabits): Promise<unknown> =>
  store.scan({ wall: NOW.wall + seconds, steady: NOW.steady + seconds }, habits);

/** The calls of `act`. */
async function callsOf(act: () => Promise<unknown>): Promise<Counts> {
  for (const name of CALLS) counts[name] = 0;
  await act();
  return { ...counts };
}

/**
 * The calls for each token: the difference between directories with 10 tokens and with 20,
 * so that what a directory costs does not count.
 */
async function callsPerToken(look: () => Promise<unknown>, prepare: () => Promise<unknown>) {
  const calls: Counts[] = [];
  for (const each of [10, 20]) {
    root = credentialDirectory();
    for (let user = 0; user < USERS; user += 1)
      for (let n = 0; n < each; n += 1) putToken(root, `user${user}`, `t${n}`);
    store = openCredentialDirectory(root, { defaultLifetime: 1200 });
    await prepare();
    calls.push(await callsOf(look));
  }
  const [few, many] = calls;
  return Object.fromEntries(
    CALLS.map((name) => [name, ((many?.[name] ?? 0) - (few?.[name] ?? 0)) / (10 * USERS)]),
  );
}

const NONE = Object.fromEntries(CALLS.map((name) => [name, 0]));
const nothing = async (): Promise<void> => undefined;

describe('R4 the system calls of a lazy scan for each token', () => {
  const lazy: ScanHabits = { lazy: true };

  it('of the first one: a stat of .top, and .use is opened and read without one', async () => {
    expect(await callsPerToken(() => scanAt(0, lazy), nothing)).toEqual({
      ...NONE,
      lstatSync: 1,
      openSync: 1,
      fstatSync: 1,
      readSync: 1,
      closeSync: 1,
    });
  });

  it('of a full one without changes: a stat of .top and of .use', async () => {
    const full = await callsPerToken(
      () => scanAt(1000, lazy),
      () => scanAt(0, lazy),
    );
    expect(full).toEqual({ ...NONE, lstatSync: 2 });
  });

  it('of one between full ones: none', async () => {
    const quick = await callsPerToken(
      () => scanAt(10, lazy),
      () => scanAt(0, lazy),
    );
    expect(quick).toEqual(NONE);
  });
});

describe('R4 the system calls of a scan for each user', () => {
  /** The calls for the directories of 20 users less those for 10. */
  async function callsPerUser(at: number): Promise<Counts> {
    const calls: Counts[] = [];
    for (const users of [10, 20]) {
      root = credentialDirectory();
      for (let user = 0; user < users; user += 1) putToken(root, `user${user}`, 'mytok');
      store = openCredentialDirectory(root, { defaultLifetime: 1200 });
      if (at > 0) await scanAt(0, { lazy: true });
      calls.push(await callsOf(() => scanAt(at, { lazy: true })));
    }
    const [few, many] = calls;
    return Object.fromEntries(
      CALLS.map((name) => [name, ((many?.[name] ?? 0) - (few?.[name] ?? 0)) / 10]),
    );
  }

  it('is one stat if nothing has changed since a full one', async () => {
    expect(await callsPerUser(10)).toEqual({ ...NONE, lstatSync: 1 });
  });

  it('is one open, one stat and one list at the first one, besides those of its token', async () => {
    const { lstatSync, ...calls } = await callsPerUser(0);
    expect([lstatSync, calls]).toEqual([
      1,
      { openSync: 2, fstatSync: 2, readSync: 1, closeSync: 2, readdirSync: 1, opendirSync: 0 },
    ]);
  });
});

describe('a scan of one user', () => {
  it('makes the same calls for any number of other users', async () => {
    const calls: Counts[] = [];
    for (const others of [0, 30]) {
      root = credentialDirectory();
      putToken(root, 'alice', 'mytok');
      for (let user = 0; user < others; user += 1) putToken(root, `user${user}`, 'mytok');
      store = openCredentialDirectory(root, { defaultLifetime: 1200 });
      calls.push(await callsOf(() => scanAt(0, { only: 'alice' })));
    }
    expect(calls[1]).toEqual(calls[0]);
  });

  it.each([
    ['alice', ['alice']],
    ['nobody', []],
    ['../alice', []],
  ])('finds the tokens of %s only', async (only, expected) => {
    for (const user of ['alice', 'bob']) putToken(root, user, 'mytok');
    const { tokens } = await store.scan(NOW, { only });
    expect(tokens.map(({ user }) => user)).toEqual(expected);
  });
});

it('R3 a known directory that the disk cannot read is a problem, and its tokens are back afterwards', async () => {
  for (const user of ['alice', 'bob']) putToken(root, user, 't0');
  await scanAt(0, {});
  failing.name = 'alice';
  const { tokens, problems } = await store.scan({ wall: NOW.wall + 10, steady: NOW.steady + 10 });
  failing.name = '';
  expect([tokens.map(({ user }) => user), problems]).toEqual([
    ['bob'],
    [`${root}/alice cannot be read (EIO); its tokens are not renewed`],
  ]);
  const after = await store.scan({ wall: NOW.wall + 20, steady: NOW.steady + 20 });
  expect([after.tokens.map(({ user }) => user).sort(), after.problems]).toEqual([
    ['alice', 'bob'],
    [],
  ]);
});
