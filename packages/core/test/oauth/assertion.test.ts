// Client assertions: contents, uniqueness, and rejected keys.
import { generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { clientAssertion } from '../../src/oauth/assertion.ts';
import { outcomeOf } from './issuer.ts';

const NOW = 1_800_000_000.7;
let drawn = 0;
const random = (size: number): Uint8Array => new Uint8Array(size).fill((drawn += 1));
const pemOf = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1' = 'pkcs8'): string =>
  key.export({ format: 'pem', type }).toString();
const read = (part: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

describe('a client assertion', () => {
  it.each([
    ['ES256', pemOf(ec.privateKey), ec.publicKey, 'sha256'],
    ['ES256', pemOf(ec.privateKey, 'sec1'), ec.publicKey, 'sha256'],
    ['ES384', pemOf(ec384.privateKey), ec384.publicKey, 'sha384'],
    ['RS256', pemOf(rsa.privateKey, 'pkcs1'), rsa.publicKey, 'sha256'],
  ])(
    'R29 is signed with %s and names client, issuer and one minute',
    (alg, pem, publicKey, hash) => {
      const assertion = clientAssertion(
        { clientId: 'me', pem, keyId: 'k1' },
        'https://i.example/',
        NOW,
        () => new Uint8Array(16),
      );
      const [header, claims, signature] = assertion.split('.');
      expect(read(header)).toEqual({ alg, typ: 'JWT', kid: 'k1' });
      expect(read(claims)).toEqual({
        iss: 'me',
        sub: 'me',
        aud: 'https://i.example/',
        jti: 'AAAAAAAAAAAAAAAAAAAAAA',
        iat: 1_800_000_000,
        nbf: 1_800_000_000,
        exp: 1_800_000_060,
      });
      const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
      const input = Buffer.from(`${header}.${claims}`);
      expect(verify(hash, input, key, Buffer.from(signature ?? '', 'base64url'))).toBe(true);
    },
  );

  it('R29 has a new jti each time, and no kid unless configured', () => {
    const make = (): string[] =>
      clientAssertion(
        { clientId: 'me', pem: pemOf(ec.privateKey), keyId: undefined },
        'i',
        NOW,
        random,
      ).split('.');
    expect(read(make()[1])['jti']).not.toBe(read(make()[1])['jti']);
    expect(read(make()[0])).toEqual({ alg: 'ES256', typ: 'JWT' });
  });

  it.each([
    ['is not a PEM private key', 'CANARY-secret'],
    ['is not a PEM private key', ec.publicKey.export({ format: 'pem', type: 'spki' }).toString()],
    ['(ed25519)', pemOf(generateKeyPairSync('ed25519').privateKey)],
  ])('a key that %s is rejected without its text', async (problem, pem) => {
    const make = async (): Promise<string> =>
      clientAssertion({ clientId: 'me', pem, keyId: undefined }, 'i', NOW, random);
    const error = await outcomeOf(make());
    expect(error).toMatchObject({
      code: 'SECRET_UNREADABLE',
      message: expect.stringContaining(problem) as string,
    });
    expect(String(error)).not.toContain('CANARY');
  });
});
