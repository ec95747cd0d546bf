// A scanned token: the same facts as a plain snapshot, in less memory.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  changedToken,
  type FileIdentity,
  type TokenSnapshot,
} from '../../src/credential/snapshot.ts';
import { EVERY_KIND, KIND_BITS, ScannedToken } from '../../src/store/scanned-token.ts';

const MANY = 50_000;
const SEEN = { wall: 5, steady: 6 };
const KINDS = KIND_BITS.top | KIND_BITS.use | KIND_BITS.meta;
const file = (n: number): FileIdentity => ({ ino: n, mtime: n + 1 / 7, size: n % 100 });

/** A token as most are, as plain objects. */
function plain(n: number): TokenSnapshot {
  return {
    user: 'alice',
    stem: 'mytok',
    top: { kind: 'unread', identity: file(n) },
    use: { kind: 'valid', value: { issuedAt: n, expiresAt: n + 3600 }, identity: file(n + 1) },
    meta: { kind: 'unread' },
    renewal: undefined,
    seen: SEEN,
  };
}

/** The same token with three files that were read. */
function everyFileRead(n: number): TokenSnapshot {
  return {
    ...plain(n),
    top: { kind: 'valid', value: { opaque: false, refreshToken: 'present' }, identity: file(n) },
    meta: {
      kind: 'valid',
      value: { clientId: 'me', tokenUrl: 'https://issuer.example/', useRefreshToken: true },
      identity: file(n + 2),
    },
  };
}

function scanned(n: number, change: Partial<TokenSnapshot> = {}): ScannedToken {
  const { user, stem, top, use, seen } = changedToken(plain(n), change);
  return new ScannedToken({ user, stem, kinds: KINDS, seen, top, use, rest: undefined });
}

describe('a scanned token', () => {
  it.each<[string, Partial<TokenSnapshot>]>([
    ['an unread .top', {}],
    [
      'a .top with a refresh token',
      {
        top: {
          kind: 'valid',
          value: { opaque: false, refreshToken: 'present', vaultUrl: undefined },
          identity: file(3),
        },
      },
    ],
    [
      'a .top with the URL of a Vault',
      {
        top: {
          kind: 'valid',
          value: { opaque: false, refreshToken: 'absent', vaultUrl: 'https://vault.example' },
          identity: file(3),
        },
      },
    ],
    ['a broken .top', { top: { kind: 'broken', reason: 'is a directory', identity: file(3) } }],
    ['no .top', { top: { kind: 'missing' } }],
    ['no .use', { use: { kind: 'missing' } }],
    ['a broken .use', { use: { kind: 'broken', reason: 'is empty', identity: file(4) } }],
    [
      'a .use stored before its .top',
      {
        use: {
          kind: 'valid',
          value: { issuedAt: 1, expiresAt: 2, beforeTop: true },
          identity: file(4),
        },
      },
    ],
    [
      'a .use that does not expire',
      {
        use: {
          kind: 'valid',
          value: { issuedAt: 1, expiresAt: Number.POSITIVE_INFINITY },
          identity: file(4),
        },
      },
    ],
  ])('with %s has the members of its parts', (_, change) => {
    const token = changedToken(scanned(7, change), {});
    expect(token).toEqual(changedToken(plain(7), change));
  });

  it('has no .meta if there is no such name', () => {
    const { user, stem, top, use, seen } = plain(7);
    const token = new ScannedToken({ user, stem, kinds: 3, seen, top, use, rest: undefined });
    expect(token.meta).toEqual({ kind: 'missing' });
  });

  it('has what few tokens have', () => {
    const { user, stem, top, use, seen } = plain(7);
    const meta = { kind: 'broken', reason: 'is empty', identity: file(9) } as const;
    const renewal = { kind: 'broken', reason: 'is not a renewal state' } as const;
    const issued = { kind: 'broken', reason: 'is not JSON' } as const;
    const facts = { assumed: true, bare: true };
    const more = { written: use, facts, overtaken: true, assumed: true } as const;
    const rest = { meta, renewal, issued, ...more };
    const token = new ScannedToken({ user, stem, kinds: EVERY_KIND, seen, top, use, rest });
    expect(changedToken(token, {})).toEqual({
      ...plain(7),
      meta,
      issued,
      overtaken: true,
      assumed: true,
    });
  });

  it('knows its versions of .top and .use', () => {
    const token = scanned(7);
    expect([token.hasTop(file(7)), token.hasTop(file(8))]).toEqual([true, false]);
    expect([token.hasUse(file(8)), token.hasUse(file(7))]).toEqual([true, false]);
    const none = scanned(7, { top: { kind: 'missing' }, use: { kind: 'missing' } });
    const nothing = { ino: 0, mtime: 0, size: 0 };
    expect([none.hasTop(nothing), none.hasUse(nothing)]).toEqual([false, false]);
  });

  it('R4 takes less than half of the memory of a plain snapshot of three files', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heap = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const sizeOf = (make: (n: number) => TokenSnapshot): number => {
      const kept: TokenSnapshot[] = [];
      const before = heap();
      for (let n = 0; n < MANY; n += 1) kept.push(make(n));
      const after = heap();
      expect(kept).toHaveLength(MANY);
      return after - before;
    };
    expect(sizeOf(scanned) / sizeOf(everyFileRead)).toBeLessThan(0.5);
  });
});
