// The authorization code: the authorization URL, the callback, and the token request.
import { ISSUER_KEY, signedIdToken } from '@credmon/test-fixtures/issuer/signed-id-token';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../src/base/errors/errors.ts';
import type { ClientRegistration } from '../../src/oauth/client.ts';
import {
  authorizationUrl,
  exchangeCode,
  type CodeExchange,
} from '../../src/oauth/authorization-code.ts';
import type { TokenAnswer } from '../../src/credential/token-response.ts';
import { everythingIn } from '../base/local-server.ts';
import { jwt, outcomeOf, SECRETS, startIssuer, type Reply, type TestIssuer } from './issuer.ts';

const ISSUER = 'https://issuer.example';
const good = {
  access_token: 'new-token',
  token_type: 'Bearer',
  expires_in: 3600,
  refresh_token: 'first',
};
let issuer: TestIssuer | undefined;
afterEach(() => issuer?.close());

async function exchange(
  query: string,
  reply: Reply | undefined = { body: good },
  changes: Partial<ClientRegistration> = {},
  more: Partial<CodeExchange> = {},
): Promise<TokenAnswer | CodedError> {
  issuer = await startIssuer(reply, changes);
  const { codeVerifier } = SECRETS;
  const redirectUri = 'https://portal.example/return/mytok';
  const asked = {
    redirectUri,
    query,
    state: 'the-state',
    codeVerifier,
    now: 1_800_000_000,
    ...more,
  };
  return outcomeOf(exchangeCode(issuer.send, issuer.registration, asked));
}

const back = `code=${SECRETS.code}&state=the-state`;

describe('the authorization URL', () => {
  const registration: ClientRegistration = {
    provider: 'mytok',
    authorizationUrl: 'https://issuer.example/authorize?tenant=7',
    tokenUrl: 'https://issuer.example/token',
    clientId: 'client',
    clientSecret: SECRETS.clientSecret,
    authentication: 'post',
    allowLoopbackHttp: false,
  };
  const request = {
    redirectUri: 'https://Portal.example:443/return?x=1',
    scope: 'a, b c',
    audience: 'https://storage.example',
    state: 'the-state',
    nonce: 'the-nonce',
    codeChallenge: 'the-challenge',
  };

  it('R23 has all parameters, with PKCE, and keeps the parameters that the administrator wrote into it', () => {
    const url = authorizationUrl(registration, request);
    expect(`${url.origin}${url.pathname}`).toBe('https://issuer.example/authorize');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      tenant: '7',
      response_type: 'code',
      client_id: 'client',
      redirect_uri: request.redirectUri,
      scope: 'a b c',
      resource: 'https://storage.example',
      state: 'the-state',
      nonce: 'the-nonce',
      code_challenge: 'the-challenge',
      code_challenge_method: 'S256',
    });
    expect(url.href).not.toContain('CANARY');
  });

  it('omits what was not requested', () => {
    const { nonce: _none, ...without } = request;
    const url = authorizationUrl(registration, { ...without, scope: ' ', audience: '' });
    expect([...url.searchParams.keys()].filter((key) => /scope|resource|nonce/.test(key))).toEqual(
      [],
    );
  });

  it('R26 is never plain http', () => {
    expect(() =>
      authorizationUrl({ ...registration, authorizationUrl: 'http://issuer.example/' }, request),
    ).toThrow(/https/);
  });
});

describe('exchanging a code', () => {
  it('R23 sends code, verifier, redirect URI and client, once', async () => {
    expect(await exchange(back)).toEqual({
      accessToken: 'new-token',
      refreshToken: 'first',
      answer: { access_token: 'new-token', token_type: 'Bearer', expires_in: 3600 },
    });
    expect(
      issuer?.server.asked.map(({ body }) => Object.fromEntries(new URLSearchParams(body))),
    ).toEqual([
      {
        grant_type: 'authorization_code',
        code: SECRETS.code,
        code_verifier: SECRETS.codeVerifier,
        redirect_uri: 'https://portal.example/return/mytok',
        client_id: 'client',
        client_secret: SECRETS.clientSecret,
      },
    ]);
  });

  it.each([
    'https://Portal.example/return',
    'https://portal.example:443/return/',
    'https://portal.example/r?x=1',
  ])('sends the redirect URI %s exactly as in the authorization request', async (redirectUri) => {
    await exchange(back, undefined, {}, { redirectUri });
    expect(new URLSearchParams(issuer?.server.asked[0]?.body).get('redirect_uri')).toBe(
      redirectUri,
    );
  });

  const local = 'http://127.0.0.1';
  const refused: [string, string, Partial<ClientRegistration>, string][] = [
    [
      'R24 iss differs from the configured issuer',
      `${back}&iss=https://evil.example`,
      { issuer: ISSUER },
      'ISSUER_MISMATCH',
    ],
    [
      'R24 iss has an additional slash',
      `${back}&iss=${ISSUER}/`,
      { issuer: ISSUER },
      'ISSUER_MISMATCH',
    ],
    [
      'R24 iss is of another origin, and no issuer is configured',
      `${back}&iss=${local}:1`,
      {},
      'ISSUER_MISMATCH',
    ],
    [
      'R24 iss is repeated',
      `${back}&iss=${ISSUER}&iss=https://evil.example`,
      { issuer: ISSUER },
      'ISSUER_MISMATCH',
    ],
    [
      'R24 an error is from another issuer',
      `error=access_denied&state=the-state&iss=https://evil.example`,
      { issuer: ISSUER },
      'ISSUER_MISMATCH',
    ],
    ['R41 the user declined', 'error=access_denied&state=the-state', {}, 'LOGIN_REFUSED'],
    ['R41 an error is not a valid code', 'error=%3Cscript%3E&state=the-state', {}, 'LOGIN_REFUSED'],
    ['R23 the state differs', `code=${SECRETS.code}&state=other`, {}, 'LOGIN_REFUSED'],
    ['R23 there is no state', `code=${SECRETS.code}`, {}, 'LOGIN_REFUSED'],
    ['there is no code', 'state=the-state', {}, 'LOGIN_REFUSED'],
    ['there is no parameter', '', {}, 'LOGIN_REFUSED'],
    [
      'R26 the token URL is http and not loopback',
      back,
      { tokenUrl: 'http://issuer.example/' },
      'ENDPOINT_REFUSED',
    ],
  ];
  it.each(refused)('sends nothing when %s', async (_, query, changes, code) => {
    const error = await exchange(query, undefined, changes);
    expect(error).toMatchObject({ code });
    expect(issuer?.server.asked).toEqual([]);
    expect(everythingIn(error)).not.toMatch(/CANARY|script/);
  });

  it('R24 accepts an iss that is exactly the configured issuer, or has the origin of the authorization endpoint', async () => {
    expect(await exchange(`${back}&iss=${ISSUER}`, undefined, { issuer: ISSUER })).toMatchObject({
      accessToken: 'new-token',
    });
    await issuer?.close();
    issuer = await startIssuer({ body: good });
    const { origin } = issuer.server;
    const asked = {
      redirectUri: 'https://portal.example/return',
      query: `${back}&iss=${encodeURIComponent(`${origin}/realm`)}`,
      state: 'the-state',
      codeVerifier: SECRETS.codeVerifier,
      now: 1,
    };
    expect(await outcomeOf(exchangeCode(issuer.send, issuer.registration, asked))).toMatchObject({
      accessToken: 'new-token',
    });
  });

  it.each([
    [
      'a used code',
      { status: 400, body: { error: 'invalid_grant', error_description: `${SECRETS.code} used` } },
      'GRANT_REVOKED',
    ],
    [
      'a wrong verifier quoted',
      { status: 400, body: { error: 'invalid_request', error_description: SECRETS.codeVerifier } },
      'CLIENT_REFUSED',
    ],
    [
      'HTML',
      { headers: { 'Content-Type': 'text/html' }, body: `<p>${SECRETS.code}` },
      'ISSUER_ANSWER_INVALID',
    ],
    ['a redirect', { status: 303, headers: { Location: '/again' } }, 'ISSUER_ANSWER_INVALID'],
  ])(
    'R43 the response %s is explained without a secret, after one request',
    async (_, reply, code) => {
      const error = await exchange(back, reply);
      expect(error).toMatchObject({ code });
      expect(issuer?.server.asked).toHaveLength(1);
      expect(everythingIn(error)).not.toContain('CANARY');
    },
  );
});

describe('R27 the ID token of a login', () => {
  const seconds = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    sub: 'alice',
    aud: 'client',
    iat: seconds,
    exp: seconds + 600,
    nonce: 'n1',
  };
  const login = (idToken: unknown, nonce = 'n1'): Promise<TokenAnswer | CodedError> =>
    exchange(
      back,
      { body: { ...good, id_token: idToken } },
      { issuer: ISSUER },
      { nonce, now: seconds, keys: async () => ({ keys: [ISSUER_KEY.jwk] }) },
    );

  it('its claims are returned if it is valid', async () => {
    expect(await login(signedIdToken(claims))).toMatchObject({ claims });
  });

  const wrong: [string, unknown, string][] = [
    [
      'another issuer',
      signedIdToken({ ...claims, iss: 'https://evil.example' }),
      'ISSUER_MISMATCH',
    ],
    ['no issuer', signedIdToken({ ...claims, iss: undefined }), 'ISSUER_MISMATCH'],
    ['another client', signedIdToken({ ...claims, aud: 'other' }), 'ISSUER_ANSWER_INVALID'],
    ['another login', signedIdToken({ ...claims, nonce: 'n2' }), 'ISSUER_ANSWER_INVALID'],
    ['no nonce', signedIdToken({ ...claims, nonce: undefined }), 'ISSUER_ANSWER_INVALID'],
    ['a past expiry', signedIdToken({ ...claims, exp: seconds - 600 }), 'ISSUER_ANSWER_INVALID'],
    ['no subject', signedIdToken({ ...claims, sub: undefined }), 'ISSUER_ANSWER_INVALID'],
    ['no issue time', signedIdToken({ ...claims, iat: undefined }), 'ISSUER_ANSWER_INVALID'],
    ['no signature', jwt(claims, 'none'), 'ISSUER_ANSWER_INVALID'],
    ['a symmetric signature', jwt(claims, 'HS256'), 'ISSUER_ANSWER_INVALID'],
    ['no token at all', undefined, 'ISSUER_ANSWER_INVALID'],
    ['rubbish', 'rubbish', 'ISSUER_ANSWER_INVALID'],
  ];
  it.each(wrong)('is rejected with %s', async (_, idToken, code) => {
    expect(await login(idToken)).toMatchObject({ code });
  });

  it('is not used if no issuer is configured', async () => {
    const outcome = await exchange(back, { body: { ...good, id_token: signedIdToken(claims) } });
    expect(outcome).toMatchObject({ accessToken: 'new-token' });
    expect(outcome).not.toHaveProperty('claims');
  });
});
