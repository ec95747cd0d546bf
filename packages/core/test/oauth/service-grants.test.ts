// Client credentials, token exchange and revocation: requests, accepted responses, and no
// secret in an error.
import { afterEach, describe, expect, it } from 'vitest';
import type { CodedError } from '../../src/base/errors/errors.ts';
import type { ClientRegistration } from '../../src/oauth/client.ts';
import { clientCredentialsGrant, revokeToken, tokenExchangeGrant } from '../../src/oauth/grants.ts';
import type { TokenAnswer } from '../../src/credential/token-response.ts';
import { everythingIn } from '../base/local-server.ts';
import { outcomeOf, SECRETS, startIssuer, type Reply, type TestIssuer } from './issuer.ts';

const NOW = 1_800_000_000;
const subjectToken = 'CANARY-subject-token';
const good = { access_token: 'new-token', token_type: 'Bearer', expires_in: 3600 };
const nothing = { scope: '', audience: [], resources: [], now: NOW };
let issuer: TestIssuer | undefined;
afterEach(() => issuer?.close());

const asked = (): Record<string, string[]> => {
  const form = new URLSearchParams(issuer?.server.asked[0]?.body);
  return Object.fromEntries([...new Set(form.keys())].map((name) => [name, form.getAll(name)]));
};

async function credentials(
  reply: Reply | undefined,
  wish: object = {},
  changes: Partial<ClientRegistration> = {},
): Promise<TokenAnswer | CodedError> {
  issuer = await startIssuer(reply, changes);
  const { send, registration } = issuer;
  return outcomeOf(clientCredentialsGrant(send, registration, { ...nothing, ...wish }));
}

async function exchange(
  reply: Reply | undefined,
  wish: object = {},
): Promise<TokenAnswer | CodedError> {
  issuer = await startIssuer(reply);
  const { send, registration } = issuer;
  return outcomeOf(tokenExchangeGrant(send, registration, { ...nothing, subjectToken, ...wish }));
}

describe('client credentials', () => {
  it('ask with scope (not scopes), audience and every resource', async () => {
    const wish = {
      scope: 'a, b',
      audience: ['x', 'y'],
      resources: ['https://r.example', 'https://s.example'],
    };
    expect(await credentials({ body: good }, wish)).toMatchObject({ accessToken: 'new-token' });
    expect(asked()).toEqual({
      grant_type: ['client_credentials'],
      scope: ['a b'],
      audience: ['x y'],
      resource: ['https://r.example', 'https://s.example'],
      client_id: ['client'],
      client_secret: [SECRETS.clientSecret],
    });
  });

  it('have no optional parameters unless configured', async () => {
    await credentials({ body: good }, {}, { authentication: 'basic' });
    expect(asked()).toEqual({ grant_type: ['client_credentials'] });
    expect(issuer?.server.asked[0]?.headers.authorization).toMatch(/^Basic /);
  });

  it('R29 authenticate with an assertion for the issuer, and send no secret', async () => {
    const audiences: string[] = [];
    const assertion = (audience: string): string => `assertion-${audiences.push(audience)}`;
    await credentials({ body: good }, {}, { issuer: 'https://i.example', assertion });
    expect(audiences).toEqual(['https://i.example']);
    expect(asked()).toEqual({
      grant_type: ['client_credentials'],
      client_id: ['client'],
      client_assertion_type: ['urn:ietf:params:oauth:client-assertion-type:jwt-bearer'],
      client_assertion: ['assertion-1'],
    });
  });

  it.each<[string, Reply | undefined, string]>([
    ['HTML', { body: '<html>' }, 'ISSUER_ANSWER_INVALID'],
    ['no access token', { body: { token_type: 'Bearer' } }, 'ISSUER_ANSWER_INVALID'],
    [
      'a redirect',
      { status: 307, headers: { location: 'http://127.0.0.1:9/' } },
      'ISSUER_ANSWER_INVALID',
    ],
    ['a refusal', { status: 401, body: { error: 'invalid_client' } }, 'CLIENT_REFUSED'],
    ['429', { status: 429, headers: { 'retry-after': '9' } }, 'ISSUER_BUSY'],
    ['500', { status: 500 }, 'ISSUER_UNREACHABLE'],
    ['nothing in time', undefined, 'ISSUER_UNREACHABLE'],
  ])('R9 R14 R26 with the response %s have the right result', async (_, reply, code) => {
    const error = await credentials(reply);
    expect(error).toMatchObject({ code });
    expect(issuer?.server.asked).toHaveLength(1);
    expect(everythingIn(error)).not.toContain('CANARY');
  });
});

describe('token exchange', () => {
  it('sends the subject token and its type, and keeps the refresh token', async () => {
    const answer = {
      ...good,
      refresh_token: 'r1',
      issued_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    };
    const wish = { scope: 'storage.read:/a', audience: ['x', 'y'] };
    expect(await exchange({ body: answer }, wish)).toMatchObject({ refreshToken: 'r1' });
    expect(asked()).toMatchObject({
      grant_type: ['urn:ietf:params:oauth:grant-type:token-exchange'],
      subject_token: [subjectToken],
      subject_token_type: ['urn:ietf:params:oauth:token-type:access_token'],
      scope: ['storage.read:/a'],
      audience: ['x', 'y'],
    });
  });

  it.each<[string, Reply, string]>([
    [
      'another kind of token',
      { body: { ...good, issued_token_type: 'urn:x' } },
      'ISSUER_ANSWER_INVALID',
    ],
    ['a revoked subject', { status: 400, body: { error: 'invalid_grant' } }, 'GRANT_REVOKED'],
    [
      'a quotation',
      { status: 400, body: { error: 'invalid_request', error_description: `no ${subjectToken}` } },
      'CLIENT_REFUSED',
    ],
  ])('with the response %s has the right result', async (_, reply, code) => {
    const error = await exchange(reply);
    expect(error).toMatchObject({ code });
    expect(everythingIn(error)).not.toContain('CANARY');
  });
});

describe('revocation', () => {
  const revoke = async (reply: Reply): Promise<void | CodedError> => {
    issuer = await startIssuer(reply);
    const { send, registration, server } = issuer;
    const what = { token: SECRETS.refreshToken, hint: 'refresh_token', now: NOW } as const;
    return outcomeOf(revokeToken(send, registration, `${server.origin}/revoke`, what));
  };

  it('R31 sends token, hint and client to the revocation endpoint', async () => {
    expect(await revoke({})).toBe(undefined);
    expect(issuer?.server.asked[0]?.path).toBe('/revoke');
    expect(asked()).toMatchObject({
      token: [SECRETS.refreshToken],
      token_type_hint: ['refresh_token'],
    });
  });

  it.each<[string, Reply, string]>([
    ['a refusal', { status: 401, body: { error: 'invalid_client' } }, 'CLIENT_REFUSED'],
    ['an outage', { status: 503 }, 'ISSUER_UNREACHABLE'],
  ])('R31 with the response %s reports it', async (_, reply, code) => {
    const error = await revoke(reply);
    expect(error).toMatchObject({ code });
    expect(everythingIn(error)).not.toContain('CANARY');
  });
});
