// Bare tokens and their state files in a real directory: what a scan knows after a restart,
// a crash between two writes, another writer, and a login at the same moment.
import { mkdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { issuedText } from '../../src/credential/issued-state.ts';
import { changedToken } from '../../src/credential/snapshot.ts';
import type { TokenTimes } from '../../src/credential/times.ts';
import { dueOf } from '../../src/renewal/due.ts';
import { DEFAULT_POLICY } from '../../src/renewal/policy.ts';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import type { CredentialStore, TokenWrite } from '../../src/store/store.ts';
import { readUse } from '../../src/store/token-scan.ts';
import { credentialDirectory, META, NOW, put, tokenIn, TOP } from './directory.ts';

/** Called before each system call of the code under test. */
const hook: { before: ((call: string) => void) | undefined } = { before: undefined };
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>();
  const hooked = Object.fromEntries(
    (['lstatSync', 'openSync', 'renameSync', 'unlinkSync', 'lutimesSync'] as const).map((name) => [
      name,
      (...args: unknown[]): unknown => {
        const path = String(args[name === 'renameSync' ? 1 : 0]);
        hook.before?.(`${name} ${path.split('/').at(-1)}`);
        return (real[name] as (...all: unknown[]) => unknown)(...args);
      },
    ]),
  );
  // fsync is not under test here, and there are thousands of calls.
  return { ...real, ...hooked, fsyncSync: () => undefined };
});

let root: string;
let store: CredentialStore;
const open = (): CredentialStore => openCredentialDirectory(root, { defaultLifetime: 1200 });
beforeEach(() => {
  root = credentialDirectory();
  store = open();
});

const never = Number.POSITIVE_INFINITY;
const state = (accessToken: string, times: TokenTimes): string =>
  issuedText({ accessToken, scope: 'read' }, times);
const LONG = { issuedAt: 1000, expiresAt: 87_400 };

/** A stored bare token, with the state of `of` if there is one. */
function putBare(of?: string, times: TokenTimes = LONG, stateTime = 2000): void {
  put(root, 'alice/mytok.top', TOP);
  put(root, 'alice/mytok.meta', META);
  if (of !== undefined) put(root, 'alice/.mytok.issued', state(of, times), stateTime);
  put(root, 'alice/mytok.use', 'opaque\n', 2001);
}

interface Known {
  readonly times: TokenTimes | string;
  readonly assumed: boolean;
  readonly dueAtOnce: boolean;
}

async function known(by: CredentialStore = store, now = NOW): Promise<Known> {
  const token = await tokenIn(by, 'alice/mytok', now);
  const seen = { wall: 1100, steady: 0 };
  return {
    times: token.use.kind === 'valid' ? token.use.value : token.use.kind,
    assumed: token.assumed === true,
    dueAtOnce: dueOf(changedToken(token, { seen }), DEFAULT_POLICY).at === Number.NEGATIVE_INFINITY,
  };
}

const ASSUMED = { issuedAt: 2001, expiresAt: 3201 };

describe('R5 a scan', () => {
  it.each<[string, string | undefined, TokenTimes, number, Known]>([
    [
      'knows the times of a token with its state',
      'opaque',
      LONG,
      2000,
      { times: LONG, assumed: false, dueAtOnce: false },
    ],
    [
      'knows that a token does not expire',
      'opaque',
      { ...LONG, expiresAt: never },
      2000,
      { times: { ...LONG, expiresAt: never }, assumed: false, dueAtOnce: false },
    ],
    [
      'assumes the times of a token without a state',
      undefined,
      LONG,
      2000,
      { times: ASSUMED, assumed: true, dueAtOnce: false },
    ],
    [
      'never uses the state of another token',
      'older',
      LONG,
      1500,
      { times: ASSUMED, assumed: true, dueAtOnce: false },
    ],
    [
      'finds a token due whose successor was not written',
      'newer',
      LONG,
      3000,
      { times: ASSUMED, assumed: true, dueAtOnce: true },
    ],
  ])('%s, at each scan and after a restart', async (_, of, times, stateTime, expected) => {
    putBare(of, times, stateTime);
    expect([await known(), await known(), await known(open())]).toEqual(Array(3).fill(expected));
    expect(readUse(root, 'alice', 'mytok', 1200)).toMatchObject({ value: expected.times });
  });

  it('uses a state that appears after it has read the token', async () => {
    putBare();
    const first = await tokenIn(store, 'alice/mytok');
    put(root, 'alice/.mytok.issued', state('opaque', LONG), 2000);
    const later = { wall: NOW.wall + 60, steady: NOW.steady + 60 };
    const second = await tokenIn(store, 'alice/mytok', later);
    expect(second.use).toMatchObject({ value: LONG });
    expect(second.seen).toEqual(first.seen);
  });

  it('forgets a state that was removed', async () => {
    putBare('opaque');
    await known();
    unlinkSync(join(root, 'alice/.mytok.issued'));
    expect(await known()).toEqual({ times: ASSUMED, assumed: true, dueAtOnce: false });
  });

  it.each([
    ['damaged', (path: string) => put(root, path, '{"token_sha256"')],
    ['a directory', (path: string) => mkdirSync(join(root, path))],
  ])('R3 a state that is %s affects one token, which is due', async (_, make) => {
    putBare();
    make('alice/.mytok.issued');
    put(root, 'alice/other.top', TOP);
    put(root, 'alice/other.use', 'other\n', 2001);
    expect(await known()).toEqual({ times: ASSUMED, assumed: true, dueAtOnce: true });
    expect((await tokenIn(store, 'alice/other')).use.kind).toBe('valid');
  });

  it('of JSON does not depend on a state', async () => {
    putBare('opaque');
    put(root, 'bob/mytok.use', '{"access_token":"opaque","issued_at":5,"expires_at":9}', 2001);
    put(root, 'bob/.mytok.issued', state('newer', LONG), 9000);
    const token = await tokenIn(store, 'bob/mytok');
    expect([token.use, token.overtaken ?? false]).toMatchObject([
      { value: { issuedAt: 5, expiresAt: 9 } },
      false,
    ]);
  });

  it('R4 makes no system call for a state that is not there', async () => {
    putBare();
    const calls: string[] = [];
    hook.before = (call) => void calls.push(call);
    await store.scan(NOW);
    hook.before = undefined;
    expect(calls.filter((call) => call.includes('issued'))).toEqual([]);
    expect(calls.filter((call) => call.includes('mytok.use'))).toEqual(['openSync mytok.use']);
  });
});

const RENEWED = { issuedAt: 2900, expiresAt: 500_000 };
const LOGIN = { issuedAt: 2950, expiresAt: 9999 };
const renewal = (rotates: boolean): readonly TokenWrite[] => [
  ...(rotates ? [{ kind: 'top', text: '{"refresh_token":"r2"}\n', durable: true } as const] : []),
  { kind: 'issued', text: state('renewed', RENEWED), durable: true },
  { kind: 'use', text: 'renewed\n', durable: true },
];
const apply = (writes: readonly TokenWrite[]): void =>
  store.apply({
    user: 'alice',
    stem: 'mytok',
    from: store.read('alice', 'mytok').topIdentity,
    writes,
  });

describe('a renewal of a bare token', () => {
  it('R20 has its state in a private file of our own, and the times are known at once', async () => {
    putBare('opaque');
    apply(renewal(true));
    expect(await known()).toEqual({ times: RENEWED, assumed: false, dueAtOnce: false });
    expect((await tokenIn(open(), 'alice/mytok')).issued).toMatchObject({
      kind: 'valid',
      value: { scope: 'read' },
    });
  });

  it.each([
    ['with a rotated refresh token', true],
    ['without one', false],
  ])(
    'R12 %s that dies between any two calls leaves the old token, due or with its own times, or the new one',
    async (_, rotates) => {
      const calls: string[] = [];
      putBare('opaque');
      // The credential directory is held open from now on: no call of the change opens it.
      store.read('alice', 'mytok');
      hook.before = (call) => void calls.push(call);
      apply(renewal(rotates));
      hook.before = undefined;
      const wrong: unknown[] = [];
      for (let at = 1; at <= calls.length; at += 1) {
        rmSync(join(root, 'alice'), { recursive: true, force: true });
        putBare('opaque');
        store = open();
        let call = 0;
        hook.before = () => {
          call += 1;
          if (call >= at) throw new Error('killed');
        };
        expect(() => apply(renewal(rotates))).toThrow('killed');
        hook.before = undefined;
        const { times, dueAtOnce } = await known(open());
        const isOld = JSON.stringify(times) === JSON.stringify(LONG);
        const isNew = JSON.stringify(times) === JSON.stringify(RENEWED);
        if (!isOld && !isNew && !dueAtOnce) wrong.push([calls[at - 1], times]);
      }
      expect(wrong).toEqual([]);
    },
  );
});

/** The order in which the portal renames its files. */
const ORDER = ['meta', 'issued', 'use', 'top'] as const;

/**
 * All positions of the renames of `.S.issued`, `.use` and `.top` at the calls that look at
 * a file or change one, and after the last.
 */
function* places(calls: readonly string[]): Generator<readonly number[]> {
  const at = calls.flatMap((call, index) =>
    /^(?!openSync).* \.?mytok\.(top|use|issued)$/.test(call) ? [index + 1] : [],
  );
  at.push(calls.length + 1);
  for (const [first, issued] of at.entries())
    for (const [second, use] of at.entries())
      for (const top of second < first ? [] : at.slice(second)) yield [issued, issued, use, top];
}

/** Applies the renewal while the portal makes its rename number n before call `at[n]`. */
function race(writes: readonly TokenWrite[], at: readonly number[]): string[] {
  const calls: string[] = [];
  let done = 0;
  const portal = (call: number): void => {
    const before = hook.before;
    hook.before = undefined;
    while (done < ORDER.length && (at[done] ?? 0) <= call) {
      const kind = ORDER[done] ?? 'top';
      const name = kind === 'issued' ? '.mytok.issued' : `mytok.${kind}`;
      renameSync(join(root, `alice/staged.${kind}`), join(root, 'alice', name));
      done += 1;
    }
    hook.before = before;
  };
  hook.before = (call) => {
    calls.push(call);
    portal(calls.length);
  };
  try {
    apply(writes);
  } catch {
    // Superseded by the login.
  } finally {
    hook.before = undefined;
  }
  portal(Number.POSITIVE_INFINITY);
  return calls;
}

describe.each([
  ['a little older than those of the renewal', (): number => Date.now() / 1000 - 5],
  ['a little newer', (): number => Date.now() / 1000 + 5],
] as const)('R21 a login whose files are %s', (_, mtime) => {
  function prepare(): void {
    rmSync(join(root, 'alice'), { recursive: true, force: true });
    putBare('opaque');
    const at = mtime();
    put(root, 'alice/staged.meta', META, at);
    put(root, 'alice/staged.issued', state('login', LOGIN), at);
    put(root, 'alice/staged.use', 'login\n', at);
    put(root, 'alice/staged.top', '{"refresh_token":"login"}\n', at);
    store = open();
  }

  it.each([
    ['with a rotated refresh token', true],
    ['without one', false],
  ])(
    'during a renewal %s: every token has its own times, or is due at once',
    { timeout: 120_000 },
    async (__, rotates) => {
      prepare();
      const calls = race(renewal(rotates), [1e9, 1e9, 1e9, 1e9]);
      const wrong: unknown[] = [];
      for (const at of places(calls)) {
        prepare();
        race(renewal(rotates), at);
        const { times, dueAtOnce } = await known(store);
        const own = [LONG, RENEWED, LOGIN].some(
          (one) => JSON.stringify(one) === JSON.stringify(times),
        );
        if (!own && !dueAtOnce)
          wrong.push({ at: at.map((call) => `${call} ${calls[call - 1]}`), times });
      }
      expect(wrong).toEqual([]);
    },
  );
});
