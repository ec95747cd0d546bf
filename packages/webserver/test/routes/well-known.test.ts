// The local issuer's public key, as verifiers fetch it.
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { startPortal, type Portal } from '../support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

const pem = (key: {
  publicKey: { export(options: { type: 'spki'; format: 'pem' }): string | Buffer };
}): string => String(key.publicKey.export({ type: 'spki', format: 'pem' }));

describe('.well-known', () => {
  it('names the issuer and where its keys are', async () => {
    portal = await startPortal({
      localIssuer: { issuer: 'https://ap.example/x', publicKeyFile: '/p', keyId: 'k1' },
    });
    const page = await portal.browser().get('/.well-known/openid-configuration');
    expect(JSON.parse(page.text)).toEqual({
      issuer: 'https://ap.example/x',
      jwks_uri: 'https://ap.example/.well-known/jwks-uri',
    });
  });

  it.each([
    [
      'ES256',
      pem(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    ],
    [
      'RS256',
      pem(generateKeyPairSync('rsa', { modulusLength: 2048 })),
      ['alg', 'e', 'kid', 'kty', 'n', 'use'],
    ],
  ])('publishes a key for %s', async (alg, text, members) => {
    portal = await startPortal({}, { readPublicKey: () => text });
    const page = await portal.browser().get('/.well-known/jwks-uri', { 'x-forwarded-proto': 'http' });
    const { keys } = JSON.parse(page.text) as { keys: Record<string, string>[] };
    expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([members]);
    expect(keys[0]).toMatchObject({ alg, kid: 'local', use: 'sig' });
  });

  it.each([
    ['no key', 'nonsense'],
    ['a key of another kind', pem(generateKeyPairSync('ed25519'))],
  ])('with %s answers 503 and says why in the log', async (_title, text) => {
    portal = await startPortal({}, { readPublicKey: () => text });
    expect((await portal.browser().get('/.well-known/jwks-uri')).status).toBe(503);
    expect(portal.log.join()).toContain('LOCAL_CREDMON_PUBLIC_KEY');
  });
});
