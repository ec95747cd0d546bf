// Renewals with unusual contents of .top, and with client secrets that look like
// scopes.
import { generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { jwtClaims, jwtHeader } from '@credmon/core/base';
import type { Parsed } from '@credmon/core/credential';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginPass } from '../../../src/daemon/pass.ts';
import { bench, json, meta, noAnswer, useText, type Bench } from '../../support/bench.ts';

let on: Bench;
beforeEach(() => {
  on = bench();
});
afterEach(() => rmSync(on.directory, { recursive: true, force: true }));

async function renew(top: unknown, metaText = meta(), scope?: string): Promise<void> {
  const use = useText(on.clock.now() - 600, 1000);
  on.seed('alice', 'mytok', { top: JSON.stringify(top), use, meta: metaText });
  on.answer = async () =>
    json({
      access_token: 'new',
      token_type: 'bearer',
      expires_in: 600,
      ...(scope === undefined ? {} : { scope }),
    });
  await (
    await beginPass(on.context, on.lookup, on.memory)
  ).settled;
}

describe('R14 .top with "scopes"', () => {
  it.each([
    ['a number', 7],
    ['an object', {}],
    ['a list with a number', ['a', 7]],
    ['a boolean', true],
  ])('that are %s sends no request and says which file is wrong', async (_, scopes) => {
    await renew({ refresh_token: 'r1', scopes });
    expect(on.asked).toEqual([]);
    expect(on.lines.join('\n')).toContain(
      'alice/mytok: .top has "scopes" that are neither text nor a list of texts',
    );
    expect(JSON.parse(on.read('alice', '.mytok.renewal'))).toMatchObject({
      code: 'CRED_FILE_INVALID',
    });
  });

  it.each([
    ['a text', 'a, b'],
    ['a list of texts', ['a', 'b']],
    ['nothing', null],
  ])('that are %s is renewed', async (_, scopes) => {
    await renew({ refresh_token: 'r1', scopes }, meta(), 'a b');
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({
      access_token: 'new',
      scope: 'a b',
    });
  });

  it('that are a list are the requested scopes', async () => {
    await renew({ refresh_token: 'r1', scopes: ['a', 'b'] }, meta(), 'a b admin');
    expect(on.lines.join('\n')).toContain('granted more scopes than requested (admin)');
  });
});

describe('R14 R30 a short client secret that is also a word of a scope', () => {
  it.each([
    ['a', 'a'],
    ['condor', 'condor:/READ'],
    ['read', 'storage.read:/ read'],
  ])('secret %s, scope %s: the scope is stored and is not wider', async (secret, scope) => {
    const client = JSON.stringify({ ...JSON.parse(meta()), client_secret: secret });
    await renew({ refresh_token: 'refresh-token-1', scopes: scope }, client, scope);
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({ access_token: 'new', scope });
  });
});

const CLIENT = { mytok_CLIENT_ID: 'me', CREDMON_mytok_ISSUER: 'https://issuer.example' };
const unsigned = (claims: unknown): string =>
  `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.AAAA`;

async function pass(): Promise<void> {
  await (
    await beginPass(on.context, on.lookup, on.memory)
  ).settled;
}

/** Another bench, with these knobs. */
function withKnobs(knobs: Readonly<Record<string, string>>): void {
  rmSync(on.directory, { recursive: true, force: true });
  on = bench({ knobs });
}

/** Seeds a token that is due, of the account alice-1 at the issuer. */
function due(changes: Readonly<Record<string, unknown>> = {}): void {
  const client = JSON.stringify({ ...JSON.parse(meta()), subject: 'alice-1' });
  const top = JSON.stringify({
    refresh_token: 'r1',
    scopes: 'a',
    audience: 'https://s.example',
    ...changes,
  });
  on.seed('alice', 'mytok', { top, use: useText(on.clock.now() - 600, 1000), meta: client });
}

describe('R28 the ID token of a refresh', () => {
  it.each([
    ['another user', { iss: 'https://issuer.example', sub: 'bob-1' }, {}],
    ['another user, without a configured client', { sub: 'bob-1' }, undefined],
    ['another issuer', { iss: 'https://evil.example', sub: 'alice-1' }, {}],
  ])('of %s stores the rotated .top, no .use, and stops', async (_, claims, knobs) => {
    on = bench({
      knobs:
        knobs === undefined
          ? {}
          : {
              ...CLIENT,
              CREDMON_mytok_CLIENT_AUTH: 'post',
              mytok_TOKEN_URL: 'https://issuer.example/token',
            },
    });
    due();
    on.answer = async () =>
      json({
        access_token: 'new',
        token_type: 'bearer',
        refresh_token: 'r2',
        id_token: unsigned(claims),
      });
    await pass();
    expect(JSON.parse(on.read('alice', 'mytok.top'))).toMatchObject({ refresh_token: 'r2' });
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({ access_token: 'old-access' });
    expect(JSON.parse(on.read('alice', '.mytok.renewal'))).toMatchObject({
      code: 'ISSUER_MISMATCH',
      stopped: true,
    });
    on.clock.advance(100_000);
    await pass();
    expect(on.asked).toHaveLength(1);
  });

  it.each([
    [
      'without a secret',
      { mytok_CLIENT_ID: 'me', mytok_TOKEN_URL: 'https://login.microsoftonline.com/t' },
    ],
    ['of .meta', {}],
  ])('of a tenant does not stop a client %s while the metadata is not known', async (_, knobs) => {
    withKnobs({
      ...knobs,
      CREDMON_mytok_PROFILE: 'microsoft',
      CREDMON_mytok_ISSUER: 'https://login.microsoftonline.com/common/v2.0',
    });
    due();
    const idToken = unsigned({
      iss: 'https://login.microsoftonline.com/t-1/v2.0',
      tid: 't-1',
      sub: 'alice-1',
    });
    on.answer = async ({ url }) =>
      url.includes('.well-known')
        ? json({}, 503)
        : json({ access_token: 'new', token_type: 'bearer', id_token: idToken });
    await pass();
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({ access_token: 'new' });
  });

  it('of the same user is not verified: a wrong signature does not stop the renewal', async () => {
    due();
    const idToken = unsigned({ iss: 'https://issuer.example', sub: 'alice-1', exp: 1 });
    on.answer = async () => json({ access_token: 'new', token_type: 'bearer', id_token: idToken });
    await pass();
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({ access_token: 'new' });
    expect(on.read('alice', 'mytok.use')).not.toContain('id_token');
  });
});

describe('a client without a token URL', () => {
  const issuer = 'https://issuer.example';
  const document = {
    issuer,
    token_endpoint: `${issuer}/found`,
    token_endpoint_auth_methods_supported: ['client_secret_basic'],
  };

  it('is renewed at the endpoint in the metadata of its issuer, which is asked once', async () => {
    withKnobs(CLIENT);
    due();
    on.answer = async ({ url }) =>
      url.includes('.well-known')
        ? json(document)
        : json({ access_token: 'new', token_type: 'bearer', expires_in: 600 });
    await pass();
    on.clock.advance(400);
    await pass();
    expect(on.asked.map(({ url }) => url)).toEqual([
      `${issuer}/.well-known/openid-configuration`,
      `${issuer}/found`,
      `${issuer}/found`,
    ]);
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({ access_token: 'new' });
  });

  it('keeps its refresh token while the issuer does not answer', async () => {
    withKnobs(CLIENT);
    due();
    on.answer = async ({ url }) => Promise.reject(noAnswer(url));
    await pass();
    expect(on.asked.every(({ url }) => url.includes('.well-known'))).toBe(true);
    expect(JSON.parse(on.read('alice', '.mytok.renewal'))).toMatchObject({
      code: 'ISSUER_UNREACHABLE',
      stopped: false,
    });
  });

  it('R29 repeats scope and audience as the provider says', async () => {
    const knobs = {
      CREDMON_mytok_REFRESH_PARAMETERS: 'scope audience',
      CREDMON_mytok_AUDIENCE_PARAMETER: 'audience',
      CREDMON_mytok_TOKEN_PARAMETERS: 'x=1',
    };
    withKnobs(knobs);
    due();
    await pass();
    expect(on.asked[0]?.form).toMatchObject({ scope: 'a', audience: 'https://s.example', x: '1' });
  });
});

describe('R29 a login provider whose client proves itself by a key', () => {
  it('renews with an assertion by the key of CLIENT_KEY_FILE, read in whole', async () => {
    const knobs = {
      ...CLIENT,
      mytok_TOKEN_URL: 'https://issuer.example/token',
      CREDMON_mytok_CLIENT_AUTH: 'private_key_jwt',
      CREDMON_mytok_CLIENT_KEY_FILE: '/client.pem',
      CREDMON_mytok_CLIENT_KEY_ID: 'k1',
    };
    withKnobs(knobs);
    due();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const readSecret = (path: string, form?: string): Parsed<string> =>
      path === '/client.pem' && form === 'whole'
        ? { ok: true, value: pem }
        : { ok: false, reason: 'is missing' };
    await (
      await beginPass({ ...on.context, readSecret }, on.lookup, on.memory)
    ).settled;
    const { client_assertion: assertion = '', client_secret: secret } = on.asked[0]?.form ?? {};
    expect([jwtHeader(assertion), jwtClaims(assertion), secret]).toEqual([
      { alg: 'ES256', typ: 'JWT', kid: 'k1' },
      expect.objectContaining({ iss: 'me', aud: 'https://issuer.example' }),
      undefined,
    ]);
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({
      access_token: 'new-access-1',
    });
  });
});
