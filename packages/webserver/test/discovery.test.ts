// A sign-in at a provider of which little is configured: endpoints, PKCE, keys and names
// come from the issuer's metadata.
import {
  idTokenKey,
  ISSUER_KEY,
  signedIdToken,
} from '@credmon/test-fixtures/issuer/signed-id-token';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { compactVerify } from 'jose';
import { CodedError } from '@credmon/core/base';
import type { Ports } from '../src/flow/ports.ts';
import type { Settings } from '../src/settings/settings.ts';
import type { Browser, Page } from './support/browser.ts';
import { ad, json, KEY, providerWith, startPortal, tokens, type Portal } from './support/portal.ts';

const ISSUER = 'https://issuer.example';
const BARE = { AuthorizationUrl: '', TokenUrl: '' };
let portal: Portal;
afterEach(() => portal.close());

/** A browser with an open list; the request has these fields, the provider these knobs. */
async function opened(
  knobs: Parameters<typeof providerWith>[0],
  fields: Readonly<Record<string, string>> = BARE,
  changes: Partial<Settings> = {},
  ports: Partial<Ports> = {},
): Promise<Browser> {
  const provider = providerWith({
    issuer: ISSUER,
    userClaim: 'sub',
    extraScopes: ['openid'],
    ...knobs,
  });
  portal = await startPortal(
    {
      providers: new Map([
        ['MYTOK', provider],
        ['OTHER', provider],
      ]),
      ...changes,
    },
    ports,
  );
  portal.writeKey(ad(fields));
  const browser = portal.browser();
  await browser.open(`/key/${KEY}`);
  return browser;
}

/** Signs in; the ID token has these claims besides the usual ones. */
async function signIn(
  browser: Browser,
  claims: Readonly<Record<string, unknown>> = {},
  sign: (all: Readonly<Record<string, unknown>>) => unknown = signedIdToken,
  back: Readonly<Record<string, string>> = { code: 'c', iss: ISSUER },
  stem = 'mytok',
): Promise<Page> {
  const login = await browser.login(stem);
  const nonce = new URL(login.location).searchParams.get('nonce');
  const all = {
    iss: ISSUER,
    aud: 'condor',
    sub: 'alice',
    iat: portal.now,
    exp: portal.now + 60,
    nonce,
    ...claims,
  };
  portal.answer = () => tokens({ id_token: sign(all) });
  return browser.complete(login, back);
}

const isStored = (): boolean => existsSync(join(portal.credentials, 'alice', 'mytok.use'));

describe('R45 with an issuer and no URLs', () => {
  it('the browser is sent to the endpoint of the metadata, and the token is stored', async () => {
    const browser = await opened({});
    const page = await browser.get('/login/mytok');
    expect(page.text).toContain('issuer.example');
    const login = await browser.login('mytok');
    expect(login.location).toMatch(/^https:\/\/issuer\.example\/authorize\?/);
    expect((await signIn(browser)).status).toBe(303);
    expect(portal.sent.map(({ url }) => url)).toEqual([`${ISSUER}/token`]);
    expect(portal.tokenFiles()['mytok.meta']).toMatchObject({
      content: { token_url: `${ISSUER}/token`, subject: 'alice' },
    });
  });

  it.each<[string, Portal['metadata'], RegExp]>([
    ['the issuer does not answer', undefined, /does not answer/],
    [
      'the metadata has no such endpoint',
      { authorization_endpoint: undefined },
      /cannot be used at the moment/,
    ],
    [
      'R26 the endpoint is on another server',
      { authorization_endpoint: 'https://evil.example/a' },
      /not set up safely/,
    ],
    [
      'R25 the metadata names another issuer',
      { issuer: `${ISSUER}/` },
      /The provider has another name/,
    ],
  ])('nothing is sent if %s', async (_, metadata, expected) => {
    const browser = await opened({});
    portal.metadata = metadata;
    const page = await browser.login('mytok');
    expect(page.text).toMatch(expected);
    expect(portal.sent).toEqual([]);
  });

  it('without an issuer the page says that the provider is not set up', async () => {
    const browser = await opened({ issuer: undefined, userClaim: undefined });
    const page = await browser.login('mytok');
    expect([page.status, page.text.includes('mytok_TOKEN_URL is not set')]).toEqual([422, true]);
  });
});

describe('explicit URLs', () => {
  it('win over the metadata', async () => {
    const browser = await opened(
      {},
      { TokenUrl: 'https://own.example/t', AuthorizationUrl: 'https://own.example/a' },
    );
    expect((await browser.login('mytok')).location).toMatch(/^https:\/\/own\.example\/a\?/);
    await signIn(browser);
    expect(portal.sent.map(({ url }) => url)).toEqual(['https://own.example/t']);
  });

  it('work while the metadata is not available, if no ID token is requested; a warning is logged', async () => {
    const browser = await opened({ extraScopes: [], userClaim: undefined, issuer: ISSUER }, {});
    portal.metadata = undefined;
    expect((await browser.login('mytok')).status).toBe(303);
    expect(portal.log.join('\n')).toContain('the metadata of mytok is not available');
  });
});

describe('R29 a client that proves itself by a key', () => {
  it('signs an assertion for the issuer with the key of CLIENT_KEY_FILE, and sends no secret', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const asked: string[] = [];
    const clientKey = { path: '/client.pem', keyId: 'k1' };
    const browser = await opened(
      { authentication: 'private_key_jwt', clientKey },
      BARE,
      {},
      {
        readClientKey: (path) => {
          asked.push(path);
          return pem;
        },
      },
    );
    expect((await signIn(browser)).status).toBe(303);
    const form = new URLSearchParams(String(portal.sent[0]?.body));
    const assertion = form.get('client_assertion') ?? '';
    const { payload, protectedHeader } = await compactVerify(assertion, publicKey);
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: 'k1' });
    expect(JSON.parse(Buffer.from(payload).toString('utf8'))).toMatchObject({
      iss: 'condor',
      sub: 'condor',
      aud: ISSUER,
      exp: portal.now + 60,
    });
    expect([form.has('client_secret'), asked[0]]).toEqual([false, '/client.pem']);
  });

  it('and that is rejected: the log names the file of the key', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const clientKey = { path: '/client.pem', keyId: undefined };
    const knobs = { authentication: 'private_key_jwt', clientKey } as const;
    const browser = await opened(knobs, BARE, {}, { readClientKey: () => pem });
    const login = await browser.login('mytok');
    portal.answer = () => json({ error: 'invalid_client' }, 401);
    expect((await browser.complete(login, { code: 'c', iss: ISSUER })).status).toBe(502);
    expect(portal.log.join('\n')).toContain(
      'the client of mytok was rejected; fix for the administrator: correct mytok_CLIENT_ID, or the key in the file of CREDMON_mytok_CLIENT_KEY_FILE (read again at each sign-in)',
    );
  });

  it('cannot sign in while the key cannot be read; nothing is sent', async () => {
    const clientKey = { path: '/client.pem', keyId: undefined };
    const browser = await opened(
      { authentication: 'private_key_jwt', clientKey },
      BARE,
      {},
      {
        readClientKey: () => {
          throw new CodedError('SECRET_UNREADABLE', 'cannot read /client.pem');
        },
      },
    );
    expect((await browser.login('mytok')).status).toBe(503);
    expect(portal.sent).toEqual([]);
  });
});

describe('R23 PKCE', () => {
  it.each([
    ['the metadata lists S256', {}, { code_challenge_methods_supported: ['S256'] }, true],
    ['the metadata is silent', {}, {}, true],
    [
      'the metadata lists other methods',
      {},
      { code_challenge_methods_supported: ['plain'] },
      false,
    ],
    ['P23 the knob is false', { pkce: false }, {}, false],
  ])('if %s', async (_, knobs, metadata, expected) => {
    const browser = await opened(knobs);
    portal.metadata = metadata;
    const { searchParams } = new URL((await browser.login('mytok')).location);
    expect(searchParams.has('code_challenge')).toBe(expected);
    expect((await signIn(browser)).status).toBe(303);
    const form = new URLSearchParams(String(portal.sent.at(-1)?.body));
    expect(form.has('code_verifier')).toBe(expected);
  });
});

describe('R27 R28 R33 the ID token, whose claim names the user', () => {
  const thief = idTokenKey(ISSUER_KEY.kid);
  it.each<
    [
      string,
      Record<string, unknown>,
      ((all: Readonly<Record<string, unknown>>) => unknown) | undefined,
      number,
    ]
  >([
    ['C1 valid', {}, undefined, 303],
    ['C11 for another client (azp)', { azp: 'other' }, undefined, 502],
    ['C14 C17 signed by another key', {}, (all) => signedIdToken(all, thief), 502],
    ['C16 with an unknown kid', {}, (all) => signedIdToken(all, idTokenKey('new')), 502],
    ['C25 issued in a day', { iat: 1_800_086_400 }, undefined, 502],
    ['C29 with an empty subject', { sub: '' }, undefined, 502],
    ['C34 missing although openid was requested', {}, () => undefined, 502],
  ])('%s', async (_, claims, sign, status) => {
    const browser = await opened({});
    expect((await signIn(browser, claims, sign)).status).toBe(status);
    expect(isStored()).toBe(status === 303);
  });

  it('C34 that is missing is named on the page', async () => {
    const browser = await opened({});
    const page = await signIn(browser, {}, () => undefined);
    expect(page.text).toContain('sent no ID token, although the scope openid was requested');
  });

  it('C39 without the iss that the metadata promises is refused', async () => {
    const browser = await opened({});
    portal.metadata = { authorization_response_iss_parameter_supported: true };
    expect((await signIn(browser, {}, signedIdToken, { code: 'c' })).status).toBe(403);
    expect(portal.sent).toEqual([]);
  });

  it('C61 with a new key of the issuer is accepted a minute after the last look', async () => {
    expect((await signIn(await opened({}))).status).toBe(303);
    const next = idTokenKey('next');
    portal.keys = [ISSUER_KEY.jwk, next.jwk];
    portal.now += 61;
    const another = 'f'.repeat(64);
    portal.writeKey(ad({ ...BARE, Provider: 'other' }), another);
    const browser = portal.browser();
    await browser.open(`/key/${another}`);
    const sign = (all: Readonly<Record<string, unknown>>): string => signedIdToken(all, next);
    const answer = await signIn(browser, {}, sign, undefined, 'other');
    expect(answer.status).toBe(303);
  });

  it('cannot be verified without a key set; the page names the knob', async () => {
    const browser = await opened({});
    portal.metadata = { jwks_uri: undefined };
    const page = await signIn(browser);
    expect([page.status, page.text.includes('set CREDMON_mytok_JWKS_URL')]).toEqual([502, true]);
  });

  it('C39 is refused without the promised iss also if the metadata is gone meanwhile', async () => {
    const browser = await opened({ extraScopes: [], userClaim: undefined }, {});
    portal.metadata = { authorization_response_iss_parameter_supported: true };
    const login = await browser.login('mytok');
    portal.metadata = undefined;
    const again = await portal.replica();
    const page = await browser.at(again).complete(login, { code: 'c' });
    expect([page.status, portal.sent]).toEqual([403, []]);
  });

  it('costs no code if the key set is not known because of an outage', async () => {
    const browser = await opened({}, {});
    const login = await browser.login('mytok');
    portal.metadata = undefined;
    const again = await portal.replica();
    const page = await browser.at(again).complete(login, { code: 'c', iss: ISSUER });
    expect([page.status, portal.sent]).toEqual([502, []]);
  });

  it('P4 may name the issuer by an alias of the profile', async () => {
    const browser = await opened({ issuerAliases: ['issuer.example'] });
    expect((await signIn(browser, { iss: 'issuer.example' })).status).toBe(303);
  });
});

describe('R30 a wider grant', () => {
  it('is refused; the page has the whole line for EXTRA_SCOPES', async () => {
    const browser = await opened({ issuer: undefined, userClaim: undefined, extraScopes: [] }, {});
    portal.answer = () =>
      tokens({ scope: 'read write storage.read:/store/user https://a.example/auth/x' });
    const page = await browser.complete(await browser.login('mytok'));
    expect(page.status).toBe(403);
    expect(page.text).toContain(
      'CREDMON_mytok_EXTRA_SCOPES = storage.read:/store/user https://a.example/auth/x',
    );
  });
});
