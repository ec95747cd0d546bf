// The refresh grant against a real server with all known odd responses of issuers.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CodedError } from '../../src/base/errors/errors.ts';
import type { ClientRegistration } from '../../src/oauth/client.ts';
import { refreshGrant } from '../../src/oauth/grants.ts';
import type { TokenAnswer } from '../../src/credential/token-response.ts';
import { everythingIn } from '../base/local-server.ts';
import { jwt, outcomeOf, SECRETS, startIssuer, type Reply, type TestIssuer } from './issuer.ts';

const NOW = 1_800_000_000;
let issuer: TestIssuer | undefined;
afterEach(() => issuer?.close());

async function refresh(
  reply: Reply | undefined,
  changes: Partial<ClientRegistration> = {},
): Promise<TokenAnswer | CodedError> {
  issuer = await startIssuer(reply, changes);
  const { send, registration } = issuer;
  return outcomeOf(
    refreshGrant(send, registration, { refreshToken: SECRETS.refreshToken, now: NOW }),
  );
}

const good = { access_token: 'new-token', token_type: 'Bearer', expires_in: 3600 };

describe('a refresh request', () => {
  it('sends grant, refresh token and client in the body, and asks once', async () => {
    await refresh({ body: good });
    const [asked, ...more] = issuer?.server.asked ?? [];
    expect(more).toEqual([]);
    expect([asked?.method, asked?.path, asked?.headers['content-type']]).toEqual([
      'POST',
      '/token',
      'application/x-www-form-urlencoded;charset=UTF-8',
    ]);
    expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: SECRETS.refreshToken,
      client_id: 'client',
      client_secret: SECRETS.clientSecret,
    });
    expect(asked?.headers.authorization).toBeUndefined();
  });

  it('sends the client in the header if configured', async () => {
    await refresh({ body: good }, { authentication: 'basic', clientSecret: 'a:b c' });
    const [asked] = issuer?.server.asked ?? [];
    expect(asked?.headers.authorization).toBe(
      `Basic ${Buffer.from('client:a%3Ab+c').toString('base64')}`,
    );
    expect(asked?.body).not.toContain('client_secret');
  });

  it('a client without a secret sends only its id', async () => {
    await refresh({ body: good }, { clientSecret: '' });
    expect(Object.fromEntries(new URLSearchParams(issuer?.server.asked[0]?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: SECRETS.refreshToken,
      client_id: 'client',
    });
  });
});

it('a response is parsed once, and the library gets its members', async () => {
  const parse = vi.spyOn(JSON, 'parse');
  try {
    await refresh({ body: good });
    expect(parse.mock.calls.filter(([text]) => text.includes('new-token'))).toHaveLength(1);
  } finally {
    parse.mockRestore();
  }
});

describe('responses that are accepted', () => {
  const accepted: [string, Record<string, unknown>, Partial<TokenAnswer>][] = [
    ['R16 without a refresh token', good, {}],
    ['R16 with a refresh token of null', { ...good, refresh_token: null }, {}],
    ['R16 with an empty refresh token', { ...good, refresh_token: '' }, {}],
    ['with a rotated refresh token', { ...good, refresh_token: 'next' }, { refreshToken: 'next' }],
    ['with scopes', { ...good, scope: 'a b' }, { scope: 'a b' }],
    ['with a list of scopes', { ...good, scope: ['a', 'b'] }, { scope: 'a b' }],
    ['without token_type', { access_token: 'new-token', expires_in: 3600 }, {}],
    ['with an empty token_type', { ...good, token_type: '' }, {}],
    ['with nulls', { ...good, scope: null, id_token: null, token_type: null }, {}],
    ['R15 without expires_in', { access_token: 'new-token', token_type: 'Bearer' }, {}],
    ...[null, '3600', 3599.5, 0, -1, 1e30, 'soon', '', [], {}, true].map(
      (value): [string, Record<string, unknown>, Partial<TokenAnswer>] => [
        `R15 with expires_in ${JSON.stringify(value)}`,
        { ...good, expires_in: value },
        {},
      ],
    ),
    ['with an invalid ID token', { ...good, id_token: 'rubbish' }, {}],
    ['with an ID token of the wrong type', { ...good, id_token: 5 }, {}],
    [
      'with a key that is special in other languages',
      JSON.parse('{"access_token":"new-token","__proto__":1}') as never,
      {},
    ],
  ];
  it.each(accepted)('%s', async (_, body, expected) => {
    const { refresh_token: _gone, ...answer } = body;
    expect(await refresh({ body })).toEqual({ accessToken: 'new-token', ...expected, answer });
  });

  it('R14 R16 a JSON text that nests too deep to be serialised is omitted', async () => {
    const body = { ...good, refresh_token: 'next', x: '['.repeat(20_000) + ']'.repeat(20_000) };
    expect(await refresh({ body })).toEqual({
      accessToken: 'new-token',
      refreshToken: 'next',
      answer: good,
    });
  });

  it('JSON with another content type: the grant is spent, so the token is used', async () => {
    expect(await refresh({ body: good, headers: { 'Content-Type': 'text/plain' } })).toMatchObject({
      accessToken: 'new-token',
    });
    await issuer?.close();
    expect(await refresh({ body: good, headers: {} })).toMatchObject({ accessToken: 'new-token' });
  });

  it.each([
    [
      'of another issuer',
      { iss: 'https://other.example', sub: 's', aud: 'client', iat: 1, exp: 9e9 },
      'ES256',
    ],
    [
      'that has expired by our clock',
      { iss: 'https://me.example', sub: 's', aud: 'client', iat: 1, exp: 2 },
      'ES256',
    ],
    [
      'without a signature',
      { iss: 'https://me.example', sub: 's', aud: 'client', iat: 1, exp: 9e9 },
      'none',
    ],
  ])(
    'R5 an ID token %s does not cost the rotated refresh token: a renewal checks no ID token',
    async (_, claims, alg) => {
      const body = { ...good, refresh_token: 'next', id_token: jwt(claims, alg) };
      const outcome = await refresh({ body }, { issuer: 'https://me.example' });
      expect(outcome).toMatchObject({ accessToken: 'new-token', refreshToken: 'next' });
      expect(outcome).not.toHaveProperty('claims');
    },
  );
});

const html = { 'Content-Type': 'text/html' };
const errorBody = (error: string, description?: string): Reply['body'] =>
  description === undefined ? { error } : { error, error_description: description };

describe('responses that are rejected', () => {
  const refused: [string, Reply, string, string, Record<string, unknown>][] = [
    [
      'R14 HTML',
      { headers: html, body: '<p>hi</p>' },
      'ISSUER_ANSWER_INVALID',
      'invalid token response',
      { status: 200 },
    ],
    ['R14 an empty body', {}, 'ISSUER_ANSWER_INVALID', 'invalid token response', { status: 200 }],
    [
      'R14 no content',
      { status: 204 },
      'ISSUER_ANSWER_INVALID',
      'HTTP status 204',
      { status: 204 },
    ],
    [
      'R14 an array',
      { body: [] },
      'ISSUER_ANSWER_INVALID',
      'invalid token response',
      { status: 200 },
    ],
    [
      'R14 null',
      { body: 'null' },
      'ISSUER_ANSWER_INVALID',
      'invalid token response',
      { status: 200 },
    ],
    ['R14 an empty object', { body: {} }, 'ISSUER_ANSWER_INVALID', 'access_token', { status: 200 }],
    ...[null, '', 5, {}, [], true].map(
      (token): [string, Reply, string, string, Record<string, unknown>] => [
        `R14 an access token of ${JSON.stringify(token)}`,
        { body: { ...good, access_token: token } },
        'ISSUER_ANSWER_INVALID',
        'access_token',
        { status: 200 },
      ],
    ),
    [
      'R14 a refresh token that is a number',
      { body: { ...good, refresh_token: 5 } },
      'ISSUER_ANSWER_INVALID',
      'refresh_token',
      { status: 200 },
    ],
    [
      'R14 scopes that are a number',
      { body: { ...good, scope: 5 } },
      'ISSUER_ANSWER_INVALID',
      'scope',
      { status: 200 },
    ],
    [
      'R14 an access token with a line end',
      { body: { ...good, access_token: 'a\nb' } },
      'ISSUER_ANSWER_INVALID',
      'control',
      {},
    ],
    [
      'R14 an access token of 16 KB',
      { body: { ...good, access_token: 'x'.repeat(16_384) } },
      'ISSUER_ANSWER_INVALID',
      '16 KB',
      {},
    ],
    [
      'R14 a response over the limit',
      { body: { ...good, more: 'x'.repeat(200_000) } },
      'ISSUER_ANSWER_INVALID',
      'larger than',
      {},
    ],
    [
      'R14 unlimited nesting',
      { body: `{"access_token":"t","a":${'['.repeat(40_000)}${']'.repeat(40_000)}}` },
      'ISSUER_ANSWER_INVALID',
      'invalid token response',
      {},
    ],
    [
      'R9 a revoked grant',
      { status: 400, body: errorBody('invalid_grant', 'Token is not active') },
      'GRANT_REVOKED',
      'invalid_grant (Token is not active)',
      { status: 400, error: 'invalid_grant' },
    ],
    [
      'R9 a revoked grant with status 200',
      { body: errorBody('invalid_grant') },
      'GRANT_REVOKED',
      'invalid_grant',
      { status: 200, error: 'invalid_grant' },
    ],
    [
      'R9 a rejected client',
      { status: 401, body: errorBody('invalid_client') },
      'CLIENT_REFUSED',
      'invalid_client',
      { status: 401, error: 'invalid_client' },
    ],
    [
      'R9 a rejected client without a body',
      { status: 401 },
      'CLIENT_REFUSED',
      'HTTP status 401',
      { status: 401 },
    ],
    [
      'R9 a challenge',
      { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } },
      'CLIENT_REFUSED',
      'HTTP status 401',
      { status: 401 },
    ],
    [
      'R8 429 with seconds',
      { status: 429, headers: { 'Retry-After': '77' } },
      'ISSUER_BUSY',
      'HTTP status 429',
      { status: 429, retryAfter: 77 },
    ],
    ['R8 429 without', { status: 429 }, 'ISSUER_BUSY', 'HTTP status 429', { status: 429 }],
    [
      'R8 503 with seconds',
      { status: 503, headers: { 'Retry-After': '5' } },
      'ISSUER_BUSY',
      'HTTP status 503',
      { status: 503, retryAfter: 5 },
    ],
    [
      'R8 500 with seconds',
      { status: 500, headers: { 'Retry-After': '5' } },
      'ISSUER_UNREACHABLE',
      'HTTP status 500',
      { status: 500, retryAfter: 5 },
    ],
    [
      'R9 503',
      { status: 503, headers: html, body: '<p>' },
      'ISSUER_UNREACHABLE',
      'HTTP status 503',
      { status: 503 },
    ],
    [
      'R9 500 with the error of a revoked grant',
      { status: 500, body: errorBody('invalid_grant') },
      'ISSUER_UNREACHABLE',
      'invalid_grant',
      { status: 500, error: 'invalid_grant' },
    ],
    [
      'R26 a redirect',
      { status: 302, headers: { Location: '/token2' } },
      'ISSUER_ANSWER_INVALID',
      'HTTP status 302',
      { status: 302 },
    ],
    [
      'R26 a redirect that keeps the body',
      { status: 307, headers: { Location: '/token2' } },
      'ISSUER_ANSWER_INVALID',
      'HTTP status 307',
      { status: 307 },
    ],
    [
      'R26 a permanent redirect',
      { status: 308, headers: { Location: '/token2' } },
      'ISSUER_ANSWER_INVALID',
      'HTTP status 308',
      { status: 308 },
    ],
    [
      'an unknown status',
      { status: 799 },
      'ISSUER_UNREACHABLE',
      'HTTP status 799',
      { status: 799 },
    ],
  ];
  it.each(refused)('%s', async (_, reply, code, message, fields) => {
    const error = await refresh(reply);
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({ code });
    expect((error as CodedError).message).toContain(message);
    expect((error as CodedError).fields).toMatchObject(fields);
    expect(issuer?.server.asked).toHaveLength(1);
    expect(everythingIn(error)).not.toContain('CANARY');
  });

  it('R1 R2 a hung issuer times out', async () => {
    expect(await refresh(undefined)).toMatchObject({
      code: 'ISSUER_UNREACHABLE',
      message: expect.stringContaining('no answer within 1 s') as string,
    });
  });

  it('R26 an endpoint that is not https is rejected before a request is sent', async () => {
    const error = await refresh({ body: good }, { allowLoopbackHttp: false });
    expect(error).toMatchObject({ code: 'ENDPOINT_REFUSED' });
    expect(issuer?.server.asked).toEqual([]);
  });
});

describe('responses in other forms', () => {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

  it('R14 a form is a valid token response', async () => {
    const body =
      'access_token=new-token&token_type=bearer&expires_in=28800&refresh_token=next&scope=a+b';
    expect(await refresh({ body, headers: form })).toEqual({
      accessToken: 'new-token',
      refreshToken: 'next',
      scope: 'a b',
      answer: {
        access_token: 'new-token',
        token_type: 'bearer',
        expires_in: '28800',
        scope: 'a b',
      },
    });
  });

  it('R14 a byte order mark is ignored', async () => {
    expect(await refresh({ body: `\uFEFF${JSON.stringify(good)}` })).toMatchObject({
      accessToken: 'new-token',
    });
  });

  it('R9 an error in a form is recognised, although its status is 200', async () => {
    const body = 'error=bad_refresh_token&error_description=incorrect+or+expired';
    const error = await refresh({ body, headers: form }, { clientSecret: 'a' });
    expect(error).toMatchObject({ code: 'GRANT_REVOKED', fields: { error: 'bad_refresh_token' } });
  });
});

describe('the rotated refresh token of a rejected response', () => {
  const MIB = 1024 * 1024;
  const refused = (size = 0): string =>
    JSON.stringify({ refresh_token: 'next', more: 'x'.repeat(size) });
  const cases: [string, Reply, string | undefined][] = [
    ['without an access token', { body: refused() }, 'next'],
    ['in a form', { body: 'refresh_token=next' }, 'next'],
    ['after a byte order mark', { body: `\uFEFF${refused()}` }, 'next'],
    ['of status 500', { status: 500, body: refused() }, 'next'],
    [
      'of status 503 beside an error',
      { status: 503, body: { error: 'x', refresh_token: 'next' } },
      'next',
    ],
    ['over the limit', { body: refused(200_000) }, 'next'],
    [
      'over the limit, with an access token',
      { body: { ...good, refresh_token: 'next', more: 'x'.repeat(200_000) } },
      'next',
    ],
    ['over the limit, of status 502', { status: 502, body: refused(200_000) }, 'next'],
    ['just below 4 MiB', { body: refused(4 * MIB - 100) }, 'next'],
    ['over 4 MiB', { body: refused(4 * MIB) }, undefined],
    [
      'of status 400',
      { status: 400, body: { error: 'invalid_scope', refresh_token: 'next' } },
      undefined,
    ],
    ['of status 401', { status: 401, body: refused() }, undefined],
    ['of status 429', { status: 429, body: refused() }, undefined],
    ['of a redirect', { status: 302, body: refused() }, undefined],
    ['with blanks', { body: { refresh_token: 'a b' } }, undefined],
    ['that is not a string', { body: { refresh_token: ['next'] } }, undefined],
    ['that is longer than 16 KiB', { body: { refresh_token: 'x'.repeat(16_385) } }, undefined],
    [
      'in HTML',
      { headers: { 'Content-Type': 'text/html' }, body: 'refresh_token=next' },
      undefined,
    ],
    [
      'in a form with an unencoded bar',
      { body: 'access_token=a&refresh_token=next&scope=a|b' },
      'next',
    ],
    ['twice in a form', { body: 'access_token=a&refresh_token=next&refresh_token=next' }, 'next'],
  ];
  it.each(cases)('R12 R14 %s: the kept token', async (_, reply, expected) => {
    issuer = await startIssuer(reply);
    const kept: string[] = [];
    const outcome = await outcomeOf(
      refreshGrant(issuer.send, issuer.registration, {
        refreshToken: SECRETS.refreshToken,
        now: NOW,
        salvage: (token) => kept.push(token),
      }),
    );
    expect(outcome).toBeInstanceOf(CodedError);
    expect(kept).toEqual(expected === undefined ? [] : [expected]);
  });
});

describe("R43 secrets in an issuer's response", () => {
  const { refreshToken, clientSecret, answered } = SECRETS;
  const echoes: [string, Reply][] = [
    [
      'in the description of an error',
      { status: 400, body: errorBody('invalid_grant', `bad ${refreshToken} of ${clientSecret}`) },
    ],
    ['as the error itself', { status: 400, body: errorBody('CANARY-refresh') }],
    ['as an error that is just the client secret', { status: 400, body: errorBody(clientSecret) }],
    ['in HTML', { status: 500, headers: html, body: `<p>${refreshToken}${clientSecret}</p>` }],
    ['in a token of the wrong type', { body: { ...good, refresh_token: [answered] } }],
    ['in a token type', { body: { ...good, token_type: answered } }],
    [
      'in JSON that breaks off',
      { body: `{"access_token":"${answered}","refresh_token":"${refreshToken}` },
    ],
    ['in an access token with blanks', { body: { ...good, access_token: `${answered} x` } }],
    ['in a header', { status: 401, headers: { 'WWW-Authenticate': `Bearer error="${answered}"` } }],
    ['in a redirect', { status: 302, headers: { Location: `/x?token=${refreshToken}` } }],
  ];
  it.each(echoes)('%s are in no part of the error', async (title, reply) => {
    issuer = await startIssuer(reply);
    const sent = title === 'as the error itself' ? 'CANARY-refresh' : refreshToken;
    const error = await outcomeOf(
      refreshGrant(issuer.send, issuer.registration, { refreshToken: sent, now: NOW }),
    );
    expect(error).toBeInstanceOf(CodedError);
    expect(everythingIn(error)).not.toContain('CANARY');
  });
});
