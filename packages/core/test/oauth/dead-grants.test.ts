// Which errors of an issuer mean that the refresh token is dead, by the table of the
// profile, and which do not.
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../src/base/errors/errors.ts';
import type { ClientRegistration } from '../../src/oauth/client.ts';
import { exchangeCode } from '../../src/oauth/authorization-code.ts';
import { refreshGrant } from '../../src/oauth/grants.ts';
import type { TokenAnswer } from '../../src/credential/token-response.ts';
import { GENERIC_POLICY, type IssuerPolicy } from '../../src/profiles/policy.ts';
import { outcomeOf, SECRETS, startIssuer, type Reply, type TestIssuer } from './issuer.ts';

let issuer: TestIssuer | undefined;
afterEach(() => issuer?.close());

const policyWith = (changes: Partial<IssuerPolicy>): IssuerPolicy => ({
  ...GENERIC_POLICY,
  ...changes,
});

async function refresh(
  changes: Partial<ClientRegistration>,
  reply: Reply,
): Promise<TokenAnswer | CodedError> {
  issuer = await startIssuer(reply, changes);
  const request = { refreshToken: SECRETS.refreshToken, now: 1 };
  return outcomeOf(refreshGrant(issuer.send, issuer.registration, request));
}

describe('R9 a dead refresh token', () => {
  const answer = (error: string, description?: string, status = 400): Reply => ({
    status,
    body: { error, error_description: description },
  });

  it.each<[string, Reply]>([
    ['invalid_grant', answer('invalid_grant')],
    ['1: invalid_request', answer('invalid_request', 'Invalid refresh token')],
    ['2: invalid_token', answer('invalid_token', 'Token expired', 401)],
    ['3: bad_refresh_token with status 200', answer('bad_refresh_token', 'incorrect', 200)],
    ['4: access_denied', answer('access_denied')],
    ['invalid_request of league', answer('invalid_request', 'The refresh token is invalid.', 401)],
    ['invalid_request, expired', answer('invalid_request', 'Refresh token has expired')],
    ['invalid_request, unknown', answer('invalid_request', 'refresh_token not found')],
    ['invalid_request, used', answer('invalid_request', 'This refresh token was already used')],
    ['token_expired', answer('token_expired')],
    ['token_revoked with status 200', answer('token_revoked', undefined, 200)],
    ['invalid_refresh_token', answer('invalid_refresh_token', undefined, 403)],
    ['unauthorized_client', answer('unauthorized_client', 'refresh token revoked')],
    ['invalid_request of LemonLDAP::NG, which says no more', answer('invalid_request')],
    ['status 400 of Glewlwyd, which says nothing', { status: 400, headers: {} }],
  ])('is recognised by %s', async (_, reply) => {
    expect(await refresh({}, reply)).toMatchObject({ code: 'GRANT_REVOKED' });
  });

  it.each<[string, Reply, string]>([
    ['a missing parameter', answer('invalid_request', 'scope is required'), 'CLIENT_REFUSED'],
    ['a missing token', answer('invalid_request', 'refresh_token is missing'), 'CLIENT_REFUSED'],
    ['a wrong secret', answer('invalid_client', 'refresh token expired', 401), 'CLIENT_REFUSED'],
    ['an outage', answer('access_denied', undefined, 503), 'ISSUER_UNREACHABLE'],
    ['a limit', answer('access_denied', undefined, 429), 'ISSUER_BUSY'],
    ['an unknown code', answer('something'), 'ISSUER_ANSWER_INVALID'],
    ['an empty 403', { status: 403, headers: {} }, 'ISSUER_ANSWER_INVALID'],
    ['a page with status 400', { status: 400, headers: {}, body: '<p>' }, 'ISSUER_ANSWER_INVALID'],
    ['an object without an error', { status: 400, body: {} }, 'ISSUER_ANSWER_INVALID'],
  ])('is not assumed for %s', async (_, reply, code) => {
    expect(await refresh({}, reply)).toMatchObject({ code });
  });

  it.each<[string, Reply, string]>([
    ['invalid_request', answer('invalid_request'), 'invalid_request'],
    ['status 400', { status: 400, headers: {} }, 'HTTP status 400'],
  ])(
    'may be the fault of the client, and the message says so: %s alone',
    async (_, reply, said) => {
      expect(await refresh({}, reply)).toMatchObject({
        message:
          `the issuer of mytok answered ${said} without a reason: the refresh token is dead, or ` +
          'the client id or the client secret is wrong',
      });
    },
  );

  it('is not assumed for the code of a login', async () => {
    issuer = await startIssuer({ status: 400, headers: {} });
    const request = { query: 'code=c&state=s', state: 's', codeVerifier: undefined, now: 1 };
    const redirectUri = 'https://portal.example/return/mytok';
    expect(
      await outcomeOf(exchangeCode(issuer.send, issuer.registration, { redirectUri, ...request })),
    ).toMatchObject({ code: 'ISSUER_ANSWER_INVALID' });
  });

  it.each<[string, Partial<IssuerPolicy>, Reply, string]>([
    [
      'a code of the knob',
      { errors: [{ error: 'E7', grant: 'refresh', means: 'GRANT_REVOKED' }] },
      answer('E7'),
      'GRANT_REVOKED',
    ],
    [
      'a text, whatever the case',
      { errors: [{ text: 'aadsts50173', means: 'GRANT_REVOKED' }] },
      answer('invalid_client', 'AADSTS50173: password changed'),
      'GRANT_REVOKED',
    ],
    [
      'the first row that fits',
      {
        errors: [
          { error: 'x', text: 'app', means: 'CLIENT_REFUSED' },
          { error: 'x', means: 'GRANT_REVOKED' },
        ],
      },
      answer('x', 'the app is disabled'),
      'CLIENT_REFUSED',
    ],
  ])('is recognised by the table of the profile: %s', async (_, changes, reply, code) => {
    expect(await refresh({ policy: policyWith(changes) }, reply)).toMatchObject({ code });
  });
});
