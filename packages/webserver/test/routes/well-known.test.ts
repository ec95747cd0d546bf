// The public keys of the local issuer, as verifiers get them.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  activeKey,
  initKeyDirectory,
  issueToken,
  publicKeys,
  publishInPlace,
  readKeySet,
  rotateKeys,
  verifyWithKeys,
} from '@credmon/scitokens';
import { openPublicKeys } from '../../src/host/served-files.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startPortal, type Portal } from '../support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

const pem = (key: {
  publicKey: { export(options: { type: 'spki'; format: 'pem' }): string | Buffer };
}): string => String(key.publicKey.export({ type: 'spki', format: 'pem' }));

describe('.well-known', () => {
  it('contains the issuer and the URL of its keys', async () => {
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
    const page = await portal
      .browser()
      .get('/.well-known/jwks-uri', { 'x-forwarded-proto': 'http' });
    const { keys } = JSON.parse(page.text) as { keys: Record<string, string>[] };
    expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([members]);
    expect(keys[0]).toMatchObject({ alg, kid: 'local', use: 'sig' });
  });

  it.each([
    ['no key', 'nonsense'],
    ['a key of another type', pem(generateKeyPairSync('ed25519'))],
  ])('with %s answers 503 and logs the reason', async (_title, text) => {
    portal = await startPortal({}, { readPublicKey: () => text });
    expect((await portal.browser().get('/.well-known/jwks-uri')).status).toBe(503);
    expect(portal.log.join()).toContain('LOCAL_CREDMON_PUBLIC_KEY');
  });
});

describe('an answer that does not depend on the request', () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    portal.browser().get(path, headers);

  it.each([
    ['/.well-known/openid-configuration', 'public, max-age=300'],
    ['/.well-known/jwks-uri', 'public, max-age=300'],
    ['/style.css', 'public, max-age=3600'],
    ['/icon.svg', 'public, max-age=3600'],
  ])('%s has an ETag, and 304 without a body for who has it', async (path, cache) => {
    const text = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    portal = await startPortal({}, { readPublicKey: () => text });
    const { status, headers } = await get(path);
    const etag = String(headers['etag']);
    expect([status, headers['cache-control'], etag]).toEqual([
      200,
      cache,
      expect.stringMatching(/^"[\w-]{43}"$/),
    ]);
    for (const known of [etag, `W/${etag}`, `"x", W/${etag}`, '*']) {
      const page = await get(path, { 'if-none-match': known });
      expect([page.status, page.text, page.headers['etag'], page.headers['cache-control']]).toEqual(
        [304, '', etag, cache],
      );
      expect(page.headers['x-content-type-options']).toBe('nosniff');
    }
    for (const other of ['"x"', etag.slice(1), ''])
      expect((await get(path, { 'if-none-match': other })).status).toBe(200);
  });

  it('of the keys changes with them, and is not made again for each request', async () => {
    const texts = [1, 2].map(() => pem(generateKeyPairSync('ec', { namedCurve: 'P-256' })));
    let [now = ''] = texts;
    portal = await startPortal({}, { readPublicKey: () => now });
    const first = await get('/.well-known/jwks-uri');
    const known = { 'if-none-match': String(first.headers['etag']) };
    expect((await get('/.well-known/jwks-uri', known)).status).toBe(304);
    now = texts[1] ?? '';
    const second = await get('/.well-known/jwks-uri', known);
    expect(second.status).toBe(200);
    expect(second.text).not.toBe(first.text);
    now = 'nonsense';
    expect((await get('/.well-known/jwks-uri', known)).status).toBe(503);
  });
});

describe('R32 .well-known with a key directory', () => {
  const DAY = 86_400;
  const now = 1_800_000_000;
  const ISSUER = 'https://ap.example';
  let root: string;
  let keys: string;
  let pemFile: string;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'credmon-portal-keys-'));
    [keys, pemFile] = [join(root, 'keys'), join(root, 'old.pem')];
    initKeyDirectory(keys);
    rotateKeys(keys, { now });
    const localIssuer = {
      issuer: ISSUER,
      publicKeyFile: pemFile,
      keyId: 'local',
      keyDirectories: [keys],
    };
    portal = await startPortal({ localIssuer }, openPublicKeys(localIssuer));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const fetched = async (): Promise<{
    status: number;
    text: string;
    keys: Record<string, string>[];
  }> => {
    const { status, text } = await portal.browser().get('/.well-known/jwks-uri');
    return { status, text, keys: status === 200 ? (JSON.parse(text) as { keys: [] }).keys : [] };
  };
  const kids = async (): Promise<(string | undefined)[]> =>
    (await fetched()).keys.map(({ kid }) => kid);
  const sign = (): string =>
    issueToken(
      activeKey(keys, 600),
      {
        profile: 'scitoken:2.0',
        issuer: ISSUER,
        subject: 'alice',
        scope: ['read:/'],
        audience: 'https://d.example',
        lifetime: 600,
      },
      { now, random: (bytes) => new Uint8Array(bytes) },
    );
  const verified = async (token: string): Promise<unknown> =>
    verifyWithKeys(token, readKeySet(JSON.parse((await fetched()).text)), {
      now,
      issuers: [ISSUER],
    }).claims.sub ?? '';

  it('follows a rotation without a restart: publishes both keys, the new one before it signs', async () => {
    publishInPlace(keys, now);
    rotateKeys(keys, { now });
    const old = sign();
    expect([await kids(), await verified(old)]).toEqual([[activeKey(keys, 600).kid], 'alice']);
    rotateKeys(keys, { now: now + 1, begin: true });
    publishInPlace(keys, now + 1);
    expect(await kids()).toHaveLength(2);
    rotateKeys(keys, { now: now + 1 + 4 * DAY });
    expect([await verified(sign()), await verified(old)]).toEqual(['alice', 'alice']);
    rotateKeys(keys, { now: now + 6 * DAY });
    publishInPlace(keys, now + 6 * DAY);
    expect(await kids()).toEqual([activeKey(keys, 600).kid]);
  });

  it('publishes nothing private, with any contents of the key set', async () => {
    publishInPlace(keys, now);
    const [key] = publicKeys(keys);
    writeFileSync(
      join(keys, 'jwks.json'),
      JSON.stringify({ keys: [{ ...key, d: 'CANARY', p: 'CANARY' }] }),
    );
    const { status, text } = await fetched();
    expect([
      status,
      text.includes('CANARY'),
      Object.keys(JSON.parse(text).keys[0] as object).toSorted(),
    ]).toEqual([200, false, Object.keys(key ?? {}).toSorted()]);
  });

  it('also publishes the key of the PEM file, even with the id of another key, but no key twice', async () => {
    publishInPlace(keys, now);
    rotateKeys(keys, { now });
    const own = activeKey(keys, 600).kid ?? '';
    const write = (set: object[]): void =>
      writeFileSync(join(keys, 'jwks.json'), JSON.stringify({ keys: set }));
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(pemFile, pem(pair));
    expect(await kids()).toEqual([own, 'local']);
    write(publicKeys(keys).map((key) => ({ ...key, kid: 'local' })));
    expect(await kids()).toEqual(['local', 'local']);
    write([{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'local', alg: 'ES256' }]);
    expect(await kids()).toEqual(['local']);
  });

  it.each([
    ['has not been published', undefined],
    ['is not a key set', '{"keys":"none"}'],
    ['is not JSON', 'nonsense'],
    ['is empty', '{"keys":[]}'],
  ])(
    'that %s answers 503, so that verifiers keep their cached keys, and logs the reason',
    async (_, text) => {
      if (text !== undefined) writeFileSync(join(keys, 'jwks.json'), text);
      expect((await fetched()).status).toBe(503);
      expect(portal.log.join()).toMatch(/condor_credmon keys publish|no public key/);
    },
  );
});
