// Debian's own verifiers of SciTokens accept what we issue, and allow whatever we allow.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createKey, enforce, readKeySet, verifyWithKeys, writeKey } from '@credmon/scitokens';
import { signUnchecked } from '../../../packages/scitokens/src/token/sign.ts';
import { AUDIENCE, BIN, claims, command, keyOf, missing, rig, run, token } from './world.ts';

describe.skipIf(missing)("Debian's scitokens-cpp", () => {
  it.each([
    ['es', 'scitoken:2.0', 'read:/home/alice', 'read:/home/alice'],
    ['rs', 'scitoken:2.0', 'write:/home/alice', 'write:/home/alice'],
    ['es', 'wlcg:1.0', 'storage.read:/home/alice', 'read:/home/alice'],
    ['rs', 'wlcg:1.0', 'storage.modify:/home/alice', 'write:/home/alice'],
  ])(
    'scitokens-verify and scitokens-list-access accept %s %s',
    async (issuer, profile, scope, listed) => {
      const bearer = await token(issuer, scope, '--profile', profile);
      const url = `${rig.issuers}/${issuer}`;
      expect(await rig.trusting('scitokens-verify', bearer)).toMatchObject({ code: 0 });
      const list = await rig.trusting('scitokens-list-access', bearer, url, AUDIENCE);
      expect(list.code).toBe(0);
      expect(list.output.replaceAll(/[(,)]/g, ' ')).toMatch(
        new RegExp(listed.replace(':', '\\s*:?\\s*')),
      );
    },
  );

  const SCOPES = [
    'read:/home/alice',
    'read:/home/alice/',
    'read:home/alice',
    'read:',
    'read',
    'read:/home/./alice',
    'read://home//alice',
    'READ:/home/alice',
    'write:/home/alice',
    'read:/home/alice:/x',
    ' read:/home/alice',
    'read:/a  read:/home/alice',
    'storage.read:/home/alice',
  ];
  const PATHS = [
    '/home/alice',
    '/home/alice/f',
    '/home/alicebob/f',
    '/home',
    '/',
    '//home//alice//f',
    '/home/bob/../alice/f',
  ];

  it.each(SCOPES)('allows everything that we allow for the scope %j', async (scope) => {
    const claimsOfScope = claims({ scope, ver: 'scitoken:2.0' });
    const bearer = signUnchecked(keyOf('es'), claimsOfScope);
    const jwks = JSON.parse(
      readFileSync(join(rig.directory, 'web/es/.well-known/jwks.json'), 'utf8'),
    ) as unknown;
    const now = Date.now() / 1000;
    const enforcer = enforce(verifyWithKeys(bearer, readKeySet(jwks), { now, issuers: 'any' }), {
      audience: AUDIENCE,
    });
    for (const path of PATHS.filter((one) => enforcer.test('read', one))) {
      const theirs = await rig.trusting(
        'scitokens-test-access',
        bearer,
        `${rig.issuers}/es`,
        AUDIENCE,
        'read',
        path,
      );
      expect([path, theirs.code]).toEqual([path, 0]);
    }
  });

  it('accepts RSA keys of 1024 bits, which is why verify does unless told otherwise', async () => {
    const weak = createKey({ algorithm: 'RS256', rsaBits: 1024, kid: 'weak' });
    const pem = join(rig.directory, 'weak.pem');
    writeFileSync(pem, writeKey({ ...weak, key: weak.privateKey }, 'pem-public'));
    const issuer = `${rig.issuers}/weak`;
    await command(
      'scitokens',
      'key',
      'publish',
      join(rig.directory, 'web/weak'),
      '--issuer',
      issuer,
      '--key',
      pem,
      '--kid',
      'weak',
    );
    const bearer = signUnchecked(weak, claims({ iss: issuer }));
    expect(await rig.trusting('scitokens-verify', bearer)).toMatchObject({ code: 0 });
  });

  it('and our own verify finds the same issuer by the same files', async () => {
    const bearer = await token('es', 'read:/home/alice');
    const verify = [
      join(BIN, 'scitokens.js'),
      'token',
      'verify',
      '--no-cache',
      '--test',
      'read:/home/alice',
      bearer,
    ];
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(rig.directory, 'ca.pem') };
    expect((await run(process.execPath, verify, { env })).stdout).toMatch(
      /^accepted: scitoken:2\.0/,
    );
  });
});
