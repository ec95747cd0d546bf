// A lazy scan leaves `.top` and `.meta` unread until a renewal needs them, and hides nothing
// that can be seen without reading.
import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Instant, TokenSnapshot } from '../../src/credential/snapshot.ts';
import { renewalText } from '../../src/credential/digest.ts';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import type { CredentialStore } from '../../src/store/store.ts';
import { credentialDirectory, META, NOW, put, putToken, TOP, USE } from './directory.ts';

let root: string;
let store: CredentialStore;
beforeEach(() => {
  root = credentialDirectory();
  store = openCredentialDirectory(root, { defaultLifetime: 1200 });
});

const later = (seconds: number): Instant => ({
  wall: NOW.wall + seconds,
  steady: NOW.steady + seconds,
});

async function tokenAt(seconds: number, lazy = true): Promise<TokenSnapshot> {
  const { tokens } = await store.scan(later(seconds), { lazy });
  const [token] = tokens;
  if (!token) throw new Error('no token');
  return token;
}

/** The kinds of state of `.top`, `.use` and `.meta`. */
const kindsOf = ({ top, use, meta }: TokenSnapshot): string =>
  [top, use, meta].map(({ kind }) => kind).join(' ');

const FAILED = renewalText({
  attempts: 1,
  last_attempt: 1000,
  not_before: 2000,
  stopped: false,
  code: 'ISSUER_UNREACHABLE',
  message: '',
  basis: '',
});

describe('a lazy scan', () => {
  it('leaves the files of a token with a valid .use unread, and knows the version of .top', async () => {
    putToken(root, 'alice', 'mytok');
    const token = await tokenAt(0);
    expect(kindsOf(token)).toBe('unread valid unread');
    expect(token.top).toMatchObject({ identity: { mtime: 2000, size: TOP.length } });
    expect(await tokenAt(100)).toBe(token);
  });

  it.each<[string, () => void, string]>([
    ['no .use', () => rmSync(join(root, 'alice/mytok.use')), 'valid missing valid'],
    ['an invalid .use', () => put(root, 'alice/mytok.use', '[]'), 'valid broken valid'],
    ['a failed renewal', () => put(root, 'alice/.mytok.renewal', FAILED), 'valid valid valid'],
  ])('reads all files of a token with %s', async (_, change, expected) => {
    putToken(root, 'alice', 'mytok');
    chmodSync(join(root, 'alice/mytok.use'), 0o600);
    change();
    expect(kindsOf(await tokenAt(0))).toBe(expected);
  });

  it.each<[string, (path: string) => void, RegExp]>([
    ['a link', (path) => symlinkSync('/etc/hostname', path), /is a symbolic link/],
    ['a directory', (path) => mkdirSync(path), /is a directory/],
    ['2 MB long', (path) => writeFileSync(path, Buffer.alloc(2e6)), /is larger than/],
  ])('R3 a .top that is %s is broken at once', async (_, make, reason) => {
    putToken(root, 'alice', 'mytok');
    const path = join(root, 'alice/mytok.top');
    rmSync(path);
    make(path);
    expect((await tokenAt(0)).top).toMatchObject({
      kind: 'broken',
      reason: expect.stringMatching(reason) as string,
    });
  });

  it('reads them for a scan that is not lazy', async () => {
    putToken(root, 'alice', 'mytok');
    await tokenAt(0);
    const token = await tokenAt(100, false);
    expect(kindsOf(token)).toBe('valid valid valid');
    expect(token.seen).toEqual(NOW);
  });
});

describe('reading what was left unread', () => {
  const complete = (token: TokenSnapshot, renewal: boolean): string => {
    const unread = store.unread?.(NOW);
    const whole = unread?.complete(token, renewal);
    unread?.close();
    return whole ? kindsOf(whole) : 'gone';
  };

  it('for a renewal reads both files, and they are known until .use changes', async () => {
    putToken(root, 'alice', 'mytok');
    expect(complete(await tokenAt(0), true)).toBe('valid valid valid');
    expect(kindsOf(await tokenAt(100))).toBe('valid valid valid');
    put(root, 'new', USE, 3000);
    rmSync(join(root, 'alice/mytok.use'));
    put(root, 'alice/mytok.use', USE, 3000);
    expect(kindsOf(await tokenAt(200))).toBe('valid valid unread');
  });

  it('without a renewal reads both files, and only .top is known then', async () => {
    putToken(root, 'alice', 'mytok');
    const token = await tokenAt(0);
    expect(complete(token, false)).toBe('valid valid valid');
    const next = await tokenAt(100);
    expect(kindsOf(next)).toBe('valid valid unread');
    expect(next.seen).toEqual(token.seen);
  });

  it('a bad .meta stays known, and its correction is noticed', async () => {
    putToken(root, 'alice', 'mytok');
    const path = join(root, 'alice/mytok.meta');
    chmodSync(path, 0o600);
    writeFileSync(path, '[]');
    expect(complete(await tokenAt(0), false)).toBe('valid valid broken');
    expect(kindsOf(await tokenAt(100))).toBe('valid valid broken');
    writeFileSync(path, META);
    expect(kindsOf(await tokenAt(200))).toBe('valid valid valid');
  });

  it('reads tokens of several users in any order, and leaves no directory open', async () => {
    for (const [user, stem] of [
      ['alice', 'one'],
      ['alice', 'two'],
      ['bob', 'mytok'],
    ] as const)
      putToken(root, user, stem);
    const tokens = [...(await store.scan(NOW, { lazy: true })).tokens];
    const open = readdirSync('/proc/self/fd').length;
    const unread = store.unread?.(NOW);
    const read = (user: string): (string | undefined)[] =>
      tokens
        .filter((token) => token.user === user)
        .map((token) => unread?.complete(token, true)?.meta.kind);
    expect(read('alice')).toEqual(['valid', 'valid']);
    tokens.reverse();
    expect(read('alice')).toEqual(['valid', 'valid']);
    rmSync(join(root, 'bob'), { recursive: true });
    expect([read('bob'), read('alice')]).toEqual([[undefined], ['valid', 'valid']]);
    unread?.close();
    expect(readdirSync('/proc/self/fd')).toHaveLength(open);
  });

  it('sees what was changed after the scan, and that a token is gone', async () => {
    putToken(root, 'alice', 'mytok');
    const token = await tokenAt(0);
    chmodSync(join(root, 'alice/mytok.top'), 0o600);
    writeFileSync(join(root, 'alice/mytok.top'), '');
    rmSync(join(root, 'alice/mytok.use'));
    expect(complete(token, true)).toBe('valid missing valid');
    rmSync(join(root, 'alice'), { recursive: true });
    expect(complete(token, true)).toBe('gone');
  });
});

it('the working directory is that of the process whenever other code runs', async () => {
  for (let user = 0; user < 50; user += 1) {
    putToken(root, `user${user}`, 'mytok');
    put(root, `user${user}/new.top`, TOP);
  }
  const home = process.cwd();
  const seen = new Set<string>();
  let over = false;
  const turn = (): void => {
    seen.add(process.cwd());
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  const microtasks = (async (): Promise<void> => {
    for (let n = 0; n < 100; n += 1) {
      await Promise.resolve();
      seen.add(process.cwd());
    }
  })();
  const found = (): void => void seen.add(process.cwd());
  await Promise.all([store.scan(NOW, { found }), store.scan(later(100), { found }), microtasks]);
  over = true;
  expect([...seen, process.cwd()]).toEqual([home, home]);
});
