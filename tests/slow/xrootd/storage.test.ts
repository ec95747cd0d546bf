// Tokens of our commands at a real XRootD: all rows of the table of what it accepts.
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '@credmon/scitokens';
import { signUnchecked } from '../../../packages/scitokens/src/token/sign.ts';
import { claims, fresh, get, keyOf, missing, put, rig, token } from './world.ts';

describe.skipIf(missing)('a token of `scitokens token create` at XRootD', () => {
  it.each([
    ['es', 'scitoken:2.0', 'read:/home/alice write:/home/alice'],
    ['rs', 'scitoken:2.0', 'read:/home/alice write:/home/alice'],
    ['es', 'scitoken:1.0', 'read:/home/alice write:/home/alice'],
    ['es', 'wlcg:1.0', 'storage.read:/home/alice storage.modify:/home/alice'],
    ['rs', 'wlcg:1.0', 'storage.read:/home/alice storage.modify:/home/alice'],
  ])('of issuer %s, profile %s, may PUT and GET', async (issuer, profile, scope) => {
    const bearer = await token(issuer, scope, '--profile', profile);
    const path = fresh();
    expect([await put(path, bearer), await get(path, bearer)]).toEqual([200, 'contents']);
  });

  it.each([
    ['a path it does not name', 'read:/home/alice write:/home/alice', '/home', 403],
    ['a path for which it may only read', 'read:/home/alice', '/home/alice', 403],
  ])('may not PUT to %s', async (_title, scope, directory, status) => {
    expect(await put(fresh(directory), await token('es', scope))).toBe(status);
  });

  it('may not GET with another audience, but with ANY', async () => {
    const path = fresh();
    await put(path, await token('es', 'write:/home/alice'));
    const scope = 'read:/home/alice';
    expect(await get(path, await token('es', scope, '--audience', 'https://other.test'))).toBe(403);
    expect(await get(path, await token('es', scope, '--audience', 'ANY'))).toBe('contents');
    expect(
      await get(path, await token('es', scope, '--audience', 'ANY', '--profile', 'scitoken:1.0')),
    ).toBe(403);
  });

  it('with storage.create makes a file and does not replace it', async () => {
    const bearer = await token('es', 'storage.create:/home/alice', '--profile', 'wlcg:1.0');
    const path = fresh();
    expect([await put(path, bearer), await put(path, bearer)]).toEqual([200, 403]);
  });

  it('of an issuer that is not listed is refused', async () => {
    expect(await put(fresh(), await token('unlisted', 'write:/home/alice'))).toBe(403);
  });
});

const PROFILE_CLAIMS: Readonly<Record<string, object>> = {
  'scitoken:2.0': { ver: 'scitoken:2.0' },
  'wlcg:1.0': { 'wlcg.ver': '1.0', scope: 'storage.read:/home/alice storage.modify:/home/alice' },
};
const COMBINATIONS = ['es', 'rs'].flatMap((issuer) =>
  Object.keys(PROFILE_CLAIMS).map((profile) => [issuer, profile] as const),
);

describe.skipIf(missing).each(COMBINATIONS)(
  'a token of %s, profile %s, is refused by XRootD',
  (issuer, profile) => {
    const now = Math.floor(Date.now() / 1000);
    const claimsOf = (changes: object): JsonObject =>
      claims({ iss: `${rig.issuers}/${issuer}`, ...PROFILE_CLAIMS[profile], ...changes });

    it.each<[string, object, number]>([
      ['never when nothing is wrong with it', {}, 200],
      [
        'for a path it does not name',
        { scope: 'read:/home/bob write:/home/bob storage.modify:/home/bob' },
        403,
      ],
      [
        'for PUT when it may only read',
        { scope: 'read:/home/alice storage.read:/home/alice' },
        403,
      ],
      ['for another audience', { aud: 'https://other.test' }, 403],
      ['without an audience', { aud: undefined }, 403],
      ['expired', { iat: now - 700, nbf: now - 700, exp: now - 100 }, 403],
      ['not yet valid', { nbf: now + 500 }, 403],
      ['without exp', { exp: undefined }, 403],
      ['without nbf', { nbf: undefined }, 403],
      ['without iat', { iat: undefined }, 403],
      ['without sub', { sub: undefined }, 403],
      ['of an unlisted issuer', { iss: 'https://localhost:1/unlisted' }, 403],
    ])('%s', async (_title, changes, status) => {
      expect(await put(fresh(), signUnchecked(keyOf(issuer), claimsOf(changes)))).toBe(status);
    });

    it.each<[string, () => string]>([
      [
        "with another issuer's key",
        () => signUnchecked({ ...keyOf('osg'), kid: keyOf(issuer).kid }, claimsOf({})),
      ],
      [
        'under a name that is not published',
        () => signUnchecked({ ...keyOf(issuer), kid: 'nobody' }, claimsOf({})),
      ],
      [
        'with alg none',
        () =>
          `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${signUnchecked(keyOf(issuer), claimsOf({})).split('.')[1]}.`,
      ],
    ])('%s', async (_title, forge) => {
      expect(await put(fresh(), forge())).toBe(403);
    });
  },
);

describe.skipIf(missing)('a token without the version of a profile is refused by XRootD', () => {
  it.each<[string, object, number]>([
    ['never when nothing is wrong with it', {}, 200],
    ['with ver scitoken:1.0', { ver: 'scitoken:1.0' }, 403],
    ['with ver 1', { ver: 1 }, 403],
    ['with an unknown claim', { client_id: 'x' }, 403],
    ['for everybody', { aud: 'ANY' }, 403],
  ])('%s', async (_title, changes, status) => {
    expect(await put(fresh(), signUnchecked(keyOf('es'), claims(changes)))).toBe(status);
  });
});
