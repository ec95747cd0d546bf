// From settings to each token's owner, and what that owner says of it.
import type { TokenSnapshot } from '@credmon/core/credential';
import { systemRandom } from '@credmon/core/base';
import { describe, expect, it } from 'vitest';
import { localFiles } from '../../src/host/local-files.ts';
import { ownerOfToken, providerLookupOf } from '../../src/daemon/provider-lookup.ts';
import { settingsWith } from '../support/access-point.ts';

const seen = { wall: 1000, steady: 10 };
const identity = { ino: 1, mtime: 1000, size: 1 };
function token(user: string, stem: string, change: Partial<TokenSnapshot> = {}): TokenSnapshot {
  const missing = { kind: 'missing' } as const;
  const top = {
    kind: 'valid',
    value: { opaque: true, refreshToken: 'present' },
    identity,
  } as const;
  return { user, stem, top, use: missing, meta: missing, renewal: undefined, seen, ...change };
}
const meta: TokenSnapshot['meta'] = {
  kind: 'valid',
  value: {
    clientId: 'c',
    tokenUrl: 'https://i.example/t',
    useRefreshToken: true,
    version: '1',
  } as never,
  identity,
};
const settings = settingsWith({
  LOCAL_CREDMON_PROVIDER_NAMES: 'signed',
  LOCAL_CREDMON_TOKEN_AUDIENCE: 'ANY',
  OAUTH2_CREDMON_PROVIDER_NAMES: 'mytok',
  mytok_CLIENT_ID: 'me',
  mytok_TOKEN_URL: 'https://i.example/token',
});
const lookup = providerLookupOf(settings, {
  secretVersion: () => '',
  random: systemRandom,
  local: localFiles(() => undefined),
});

describe('R19 the owner of a token', () => {
  it.each([
    ['a configured client renews its service', 'mytok', 'oauth2'],
    ['and its handles', 'mytok_h1', 'oauth2'],
    ['the local signer renews its own', 'signed', 'local'],
    ['a name that is in no list has no owner', 'other', 'nobody'],
  ])('%s', (_, stem, kind) => {
    expect(ownerOfToken(token('alice', stem), settings).kind).toBe(kind);
  });

  it('manages owned tokens only', () => {
    const names = ['mytok', 'signed', 'other'].map((stem) => {
      const owned = lookup.manage(token('alice', stem));
      return (
        owned && [owned.managed.provider, owned.provider.name, owned.provider.isLocal === true]
      );
    });
    expect(names).toEqual([['oauth', 'oauth', false], ['local', 'local', true], undefined]);
  });

  it('a token whose .use is a directory is not renewed by any provider: its grant would be spent in vain', () => {
    const use = { kind: 'broken', reason: 'is a directory', identity, blocked: true } as const;
    for (const stem of ['mytok', 'signed'])
      expect(lookup.manage(token('alice', stem, { use, meta }))?.managed.renewable).toEqual({
        ok: false,
        reason: '.use is a directory: the administrator must remove it',
      });
  });

  it('R4 an unchanged local token is looked up once; a token of an issuer each time, since its client may change', () => {
    const [signed, asked] = [token('alice', 'signed'), token('alice', 'mytok')];
    expect(lookup.manage(signed)).toBe(lookup.manage(signed));
    expect(lookup.manage(asked)).not.toBe(lookup.manage(asked));
  });
});
