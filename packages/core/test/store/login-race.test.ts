// A login during a renewal: the portal's renames before each system call of a change.
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { isCoded } from '../../src/base/errors/errors.ts';
import { changedToken } from '../../src/credential/snapshot.ts';
import { dueOf } from '../../src/renewal/due.ts';
import { DEFAULT_POLICY } from '../../src/renewal/policy.ts';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import type { CredentialStore, TokenChange, TokenWrite } from '../../src/store/store.ts';
import { credentialDirectory, META, NOW, put, putToken, TOP, USE } from './directory.ts';

const O_PATH = 0o10000000;

/** Called before each system call of the code under test. */
const hook: { before: ((call: string) => void) | undefined } = { before: undefined };
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>();
  const hooked = Object.fromEntries(
    (['lstatSync', 'openSync', 'renameSync', 'unlinkSync', 'lutimesSync'] as const).map((name) => [
      name,
      (...args: unknown[]): unknown => {
        // The path of the user's directory is opened before anything in it is checked.
        const onTheWay = name === 'openSync' && (Number(args[1]) & O_PATH) !== 0;
        const path = String(args[name === 'renameSync' ? 1 : 0]);
        if (!onTheWay) hook.before?.(`${name} ${path.replace(/^\/proc\/self\/fd\/\d+\//, '')}`);
        return (real[name] as (...all: unknown[]) => unknown)(...args);
      },
    ]),
  );
  // fsync is not under test here, and there are thousands of calls.
  const fsyncSync = (): void => hook.before?.('fsyncSync');
  return { ...real, ...hooked, fsyncSync };
});

let root: string;
let store: CredentialStore;
const open = (): CredentialStore =>
  openCredentialDirectory(root, { defaultLifetime: 1200, locked: true });

const LOGIN = {
  meta: META.replace('"c"', '"login"'),
  use: USE.replace('"at"', '"login"'),
  top: TOP.replace('"rt"', '"login"'),
};
const RENEWED = { use: USE.replace('"at"', '"renewed"'), top: TOP.replace('"rt"', '"renewed"') };
/** The order in which the portal renames its files. */
const ORDER = ['meta', 'use', 'top'] as const;

const text = (kind: string): string => readFileSync(join(root, `alice/mytok.${kind}`), 'utf8');
const ownerOf = (kind: 'top' | 'use'): string => {
  try {
    const there = text(kind);
    return there === LOGIN[kind] ? 'login' : there === RENEWED[kind] ? 'renewed' : 'old';
  } catch {
    return 'missing';
  }
};

/**
 * A token that is not due by its lifetime, and a login with staged files that were
 * written before those of the renewal.
 */
function prepare(mtime: number): void {
  rmSync(join(root, 'alice'), { recursive: true, force: true });
  mkdirSync(join(root, 'alice'), { mode: 0o700 });
  putToken(root, 'alice', 'mytok');
  for (const kind of ORDER) put(root, `alice/staged.${kind}`, LOGIN[kind], mtime);
  store = open();
}

/** A time at which the token of `USE` is far from due. */
const EARLY = { wall: 1100, steady: 0 };
/** Also true if the token has no files. */
async function isDueAtOnce(by: CredentialStore): Promise<boolean> {
  const token = (await by.scan(NOW)).tokens.find(({ stem }) => stem === 'mytok');
  if (!token) return true;
  return (
    dueOf(changedToken(token, { seen: EARLY }), DEFAULT_POLICY).at === Number.NEGATIVE_INFINITY
  );
}

/**
 * Applies the change while the portal makes its rename number n before system call number
 * `at[n]`; returns the calls that were made.
 */
function race(change: TokenChange, at: readonly number[]): { calls: string[]; error: unknown } {
  const calls: string[] = [];
  let done = 0;
  const portal = (call: number): void => {
    while (done < ORDER.length && (at[done] ?? 0) <= call) {
      const kind = ORDER[done];
      renameSync(join(root, `alice/staged.${kind}`), join(root, `alice/mytok.${kind}`));
      done += 1;
    }
  };
  let inPortal = false;
  hook.before = (call) => {
    if (inPortal) return;
    calls.push(call);
    inPortal = true;
    portal(calls.length);
    inPortal = false;
  };
  let error: unknown;
  try {
    store.apply(change);
  } catch (caught) {
    error = caught;
  } finally {
    hook.before = undefined;
  }
  portal(Number.POSITIVE_INFINITY);
  return { calls, error };
}

/**
 * All positions for the renames of `.use` and `.top`; `.meta` is renamed just before
 * `.use`.
 */
function* places(count: number): Generator<[number, number, number]> {
  for (let use = 1; use <= count; use += 1)
    for (let top = use; top <= count; top += 1) yield [use, use, top];
}

const rotation: readonly TokenWrite[] = [
  { kind: 'top', text: RENEWED.top, durable: true },
  { kind: 'use', text: RENEWED.use, durable: true },
  { kind: 'renewal', text: undefined, durable: false },
];
const CHANGES: readonly (readonly [string, readonly TokenWrite[]])[] = [
  ['a renewal with a rotated refresh token', rotation],
  ['a renewal without one', rotation.slice(1)],
  ['a rejection with a refresh token', rotation.slice(0, 1)],
  [
    'a removal',
    ['use', 'top', 'renewal'].map((kind) => ({ kind, text: undefined, durable: false }) as never),
  ],
];

beforeEach(() => {
  root = credentialDirectory();
});

describe.each([
  ['written before those of the renewal', 2500],
  ['written a second after those of the renewal', Date.now() / 1000 + 1],
] as const)('R21 a login whose files were %s', (_, mtime) => {
  it.each(CHANGES)(
    'during %s: its files are kept, or the token is due at once',
    { timeout: 120_000 },
    async (__, writes) => {
      const change = (): TokenChange => ({
        user: 'alice',
        stem: 'mytok',
        from: store.read('alice', 'mytok').topIdentity,
        writes,
      });
      prepare(mtime);
      const all = race(change(), [1e9, 1e9, 1e9]).calls;
      const count = all.length;
      const wrong: unknown[] = [];
      for (const at of places(count + 1)) {
        prepare(mtime);
        const { error } = race(change(), at);
        const [top, use] = [ownerOf('top'), ownerOf('use')];
        const isLoginWhole = top === 'login' && use === 'login';
        if (isLoginWhole && (error === undefined || isCoded(error, 'CRED_SUPERSEDED'))) continue;
        const due = await isDueAtOnce(store);
        // Another process knows only the files; a login that ends after the renewal
        // leaves nothing there.
        const dueForOthers = due && (at[2] > count || (await isDueAtOnce(open())));
        // The gap that cannot be closed: between the last check of `.top` and its
        // replacement or removal.
        const lost = /^(?:renameSync|unlinkSync) mytok\.top$/.test(all[at[2] - 1] ?? '');
        // A login that began before the renewal was written and lost its `.top` in that
        // gap keeps its `.use`.
        const kept = lost && writes.length === 1 && at[1] <= 2;
        const good =
          top === 'login'
            ? use === 'login' || dueForOthers
            : lost && (top === use || top === 'missing' || due || kept);
        const said = error === undefined || isCoded(error, 'CRED_SUPERSEDED');
        if (!good || !said) wrong.push({ at: at.map((call) => all[call - 1]), top, use, error });
      }
      expect(wrong).toEqual([]);
    },
  );
});

describe('R21 a renewal during a login', () => {
  const change = (): TokenChange => ({
    user: 'alice',
    stem: 'mytok',
    from: store.read('alice', 'mytok').topIdentity,
    writes: rotation,
  });
  const callOf = (calls: readonly string[], name: string): number => calls.indexOf(name) + 1;

  it('stops after its own .top, and reports that nothing more was written', () => {
    prepare(2500);
    const { calls } = race(change(), [1e9, 1e9, 1e9]);
    prepare(2500);
    const place = callOf(calls, 'renameSync mytok.top') + 1;
    const { error } = race(change(), [place, place, place]);
    expect(error).toMatchObject({
      code: 'CRED_SUPERSEDED',
      message:
        'alice/mytok: a newer .top was stored during the renewal and is kept; nothing more was written',
    });
    expect([text('top'), text('use'), text('meta')]).toEqual([LOGIN.top, LOGIN.use, LOGIN.meta]);
  });

  it('leaves no .use if .top was deleted at the last moment', () => {
    prepare(2500);
    const { calls } = race(change(), [1e9, 1e9, 1e9]);
    prepare(2500);
    const place = callOf(calls, 'renameSync mytok.use');
    const renewal = change();
    let call = 0;
    hook.before = () => {
      call += 1;
      if (call === place) {
        hook.before = undefined;
        for (const kind of ['top', 'use']) unlinkSync(join(root, `alice/mytok.${kind}`));
      }
    };
    expect(() => store.apply(renewal)).toThrow('its .top was removed during the renewal');
    expect([ownerOf('top'), ownerOf('use')]).toEqual(['missing', 'missing']);
  });

  it('the token is no longer due after a renewal from the new .top', async () => {
    prepare(2500);
    const { calls } = race(change(), [1e9, 1e9, 1e9]);
    prepare(2500);
    // The portal is stopped between `.use` and `.top` until the renewal has ended.
    race(change(), [1, callOf(calls, 'renameSync mytok.use'), 1e9]);
    expect([ownerOf('top'), ownerOf('use'), await isDueAtOnce(store)]).toEqual([
      'login',
      'renewed',
      true,
    ]);
    store.apply({ ...change(), writes: rotation.slice(1) });
    expect(await isDueAtOnce(store)).toBe(false);
  });

  it('a login that ends after its .use leaves a token that is due at once', async () => {
    prepare(2500);
    const { calls } = race(change(), [1e9, 1e9, 1e9]);
    prepare(2500);
    // Before the last check of `.top`, which comes before the last check of `.use`.
    const place = callOf(calls, 'renameSync mytok.use') - 2;
    const renewal = change();
    let call = 0;
    hook.before = () => {
      call += 1;
      if (call !== place) return;
      hook.before = undefined;
      renameSync(join(root, 'alice/staged.use'), join(root, 'alice/mytok.use'));
    };
    expect(() => store.apply(renewal)).toThrow(
      'another .use was stored during the renewal and is kept',
    );
    expect([ownerOf('top'), ownerOf('use'), await isDueAtOnce(store)]).toEqual([
      'renewed',
      'login',
      true,
    ]);
    // The login is completed after all: its files belong together.
    renameSync(join(root, 'alice/staged.top'), join(root, 'alice/mytok.top'));
    expect(await isDueAtOnce(store)).toBe(false);
  });
});

it('a file in place of the user directory counts as swept, for changes and for leftovers', () => {
  prepare(2500);
  const from = store.read('alice', 'mytok').topIdentity;
  rmSync(join(root, 'alice'), { recursive: true });
  put(root, 'alice', 'a file');
  expect(() => store.apply({ user: 'alice', stem: 'mytok', from, writes: rotation })).toThrow(
    expect.objectContaining({
      code: 'CRED_SUPERSEDED',
      message: 'alice/mytok: its directory was swept during the renewal; nothing was written',
    }),
  );
  expect(() => store.settle('alice/.mytok.top.d1.1.credmon-tmp', 'mytok.top')).not.toThrow();
  expect(lstatSync(join(root, 'alice')).isFile()).toBe(true);
});
