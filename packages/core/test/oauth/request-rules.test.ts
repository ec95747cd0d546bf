// What requests carry, per provider: authentication, further parameters, scope and
// audience, and what an answer or an error of the issuer means.
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../src/base/errors/errors.ts';
import { authorizationUrl } from '../../src/oauth/authorization-url.ts';
import type { ClientRegistration } from '../../src/oauth/client.ts';
import { exchangeCode, refreshGrant, type CodeExchange } from '../../src/oauth/grants.ts';
import type { TokenAnswer } from '../../src/credential/token-response.ts';
import { GENERIC_POLICY, type IssuerPolicy } from '../../src/profiles/policy.ts';
import { outcomeOf, SECRETS, startIssuer, type Reply, type TestIssuer } from './issuer.ts';

const good = { access_token: 'new-token', token_type: 'Bearer', expires_in: 3600 };
const AUDIENCE = 'https://storage.example,https://other.example';
let issuer: TestIssuer | undefined;
afterEach(() => issuer?.close());

const policyWith = (changes: Partial<IssuerPolicy>): IssuerPolicy => ({
  ...GENERIC_POLICY,
  ...changes,
});

async function refresh(
  changes: Partial<ClientRegistration> = {},
  reply: Reply = { body: good },
): Promise<TokenAnswer | CodedError> {
  issuer = await startIssuer(reply, changes);
  const request = {
    refreshToken: SECRETS.refreshToken,
    scope: 'read:/a, write:/b',
    audience: AUDIENCE,
    now: 1,
  };
  return outcomeOf(refreshGrant(issuer.send, issuer.registration, request));
}

async function exchange(
  changes: Partial<ClientRegistration> = {},
  more: Partial<CodeExchange> = {},
): Promise<TokenAnswer | CodedError> {
  issuer = await startIssuer({ body: good }, changes);
  return outcomeOf(
    exchangeCode(issuer.send, issuer.registration, {
      redirectUri: 'https://portal.example/return/mytok',
      query: `code=${SECRETS.code}&state=s`,
      state: 's',
      codeVerifier: SECRETS.codeVerifier,
      now: 1,
      scope: 'read:/a, write:/b',
      audience: AUDIENCE,
      ...more,
    }),
  );
}

const sent = (): [string, string][] => [
  ...new URLSearchParams(issuer?.server.asked[0]?.body).entries(),
];
const sentNames = (): string[] => sent().map(([name]) => name);

describe('R29 authentication of the client', () => {
  it.each([
    [
      '796d8fae-a42f-4e4f-ab25-d6205b6d4fa2',
      'p-w_d.x',
      '796d8fae-a42f-4e4f-ab25-d6205b6d4fa2:p-w_d.x',
    ],
    ['cilogon:/client_id/42', 'a+b/c=d%e', 'cilogon%3A%2Fclient_id%2F42:a%2Bb%2Fc%3Dd%25e'],
    [' %&+£€', 'x', '+%25%26%2B%C2%A3%E2%82%AC:x'],
    ['a*b', '~!', 'a*b:%7E%21'],
  ])('basic: %j and %j are sent as %s', async (clientId, clientSecret, expected) => {
    await refresh({ authentication: 'basic', clientId, clientSecret });
    const header = issuer?.server.asked[0]?.headers.authorization ?? '';
    expect(Buffer.from(header.replace(/^Basic /, ''), 'base64').toString('utf8')).toBe(expected);
    expect(sentNames()).not.toContain('client_secret');
  });

  it('basic_plain: id and secret are sent as they are', async () => {
    await refresh({ authentication: 'basic_plain', clientId: 'a:/b', clientSecret: 'c+d%€' });
    const header = issuer?.server.asked[0]?.headers.authorization ?? '';
    expect(Buffer.from(header.replace(/^Basic /, ''), 'base64').toString('utf8')).toBe(
      'a:/b:c+d%€',
    );
  });

  it('none: no secret is sent, even if there is one', async () => {
    await refresh({ authentication: 'none' });
    expect(issuer?.server.asked[0]?.headers.authorization).toBeUndefined();
    expect(sentNames()).toEqual(['refresh_token', 'grant_type', 'client_id']);
  });

  it('private_key_jwt: the assertion is for the issuer, not for the name in the callback', async () => {
    const policy = policyWith({ issuerAliases: ['alias.example'] });
    const assertion = (audience: string): string => `for ${audience}`;
    await exchange(
      { policy, issuer: 'https://issuer.example', authentication: 'private_key_jwt', assertion },
      { query: `code=${SECRETS.code}&state=s&iss=alias.example` },
    );
    expect(Object.fromEntries(sent())).toMatchObject({
      client_assertion: 'for https://issuer.example',
    });
  });

  it('private_key_jwt: the assertion takes the place of the secret', async () => {
    await refresh({
      authentication: 'private_key_jwt',
      assertion: (audience) => `for ${audience}`,
    });
    expect(Object.fromEntries(sent())).toMatchObject({
      client_id: 'client',
      client_assertion: `for ${issuer?.server.origin}`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    expect(sentNames()).not.toContain('client_secret');
  });
});

describe('R29 a refresh', () => {
  it('carries nothing but the refresh token by default', async () => {
    await refresh();
    expect(sentNames()).toEqual(['refresh_token', 'grant_type', 'client_id', 'client_secret']);
  });

  it.each<[string, Partial<IssuerPolicy>, [string, string][]]>([
    ['the scope', { refreshParameters: ['scope'] }, [['scope', 'read:/a write:/b']]],
    [
      'each audience as a resource',
      { refreshParameters: ['audience'] },
      [
        ['resource', 'https://storage.example'],
        ['resource', 'https://other.example'],
      ],
    ],
    [
      'one audience for all',
      { refreshParameters: ['audience'], audienceParameter: 'audience' },
      [['audience', 'https://storage.example https://other.example']],
    ],
    ['no audience', { refreshParameters: ['audience'], audienceParameter: 'none' }, []],
    ['further parameters', { tokenParameters: { revoke_old: 'false' } }, [['revoke_old', 'false']]],
  ])('carries %s if the policy says so; so does the code', async (_, changes, expected) => {
    const added = (): [string, string][] =>
      sent().filter(([name]) => /^(?:scope|resource|audience|revoke_old)$/.test(name));
    expect(await refresh({ policy: policyWith(changes) })).toMatchObject({
      accessToken: 'new-token',
    });
    expect(added()).toEqual(expected);
    await issuer?.close();
    await exchange({ policy: policyWith(changes) });
    expect(added()).toEqual(expected);
  });
});

describe('R23 the authorization URL', () => {
  const urlWith = (
    changes: Partial<IssuerPolicy>,
    authorizationUrlText?: string,
  ): URLSearchParams =>
    authorizationUrl(
      {
        provider: 'mytok',
        authorizationUrl: authorizationUrlText ?? 'https://issuer.example/authorize',
        tokenUrl: 'https://issuer.example/token',
        clientId: 'client',
        authentication: 'post',
        allowLoopbackHttp: false,
        policy: policyWith(changes),
      },
      {
        redirectUri: 'https://portal.example/return',
        scope: 'a',
        audience: AUDIENCE,
        state: 's',
        codeChallenge: 'c',
      },
    ).searchParams;

  it('has the parameters of the provider; one in the configured URL wins', () => {
    const authorizationParameters = { access_type: 'offline', prompt: 'consent' };
    const url = urlWith({ authorizationParameters }, 'https://issuer.example/a?prompt=none');
    expect([url.getAll('access_type'), url.getAll('prompt')]).toEqual([['offline'], ['none']]);
  });

  it.each<[IssuerPolicy['audienceParameter'], string[], string[]]>([
    ['resource', ['https://storage.example', 'https://other.example'], []],
    ['audience', [], ['https://storage.example https://other.example']],
    ['none', [], []],
  ])('sends the audience as %s', (audienceParameter, resources, audiences) => {
    const url = urlWith({ audienceParameter });
    expect([url.getAll('resource'), url.getAll('audience')]).toEqual([resources, audiences]);
  });

  it('has no code challenge if there is none, and the code then no verifier', async () => {
    const registration = { ...(await startIssuer({ body: good })).registration };
    const url = authorizationUrl(registration, {
      redirectUri: 'https://portal.example/return',
      scope: 'a',
      audience: '',
      state: 's',
      codeChallenge: undefined,
    });
    expect([...url.searchParams.keys()].filter((name) => name.startsWith('code_'))).toEqual([]);
    expect(await exchange({}, { codeVerifier: undefined })).toMatchObject({
      accessToken: 'new-token',
    });
    expect(sentNames()).not.toContain('code_verifier');
  });
});

describe('R24 the issuer in the callback', () => {
  const query = `code=${SECRETS.code}&state=s`;
  const issued = { issuer: 'https://issuer.example' };
  it('C39 must be there if the metadata promises it', async () => {
    expect(await exchange(issued, { sendsIssuer: true })).toMatchObject({
      code: 'ISSUER_MISMATCH',
      message: expect.stringContaining('has no "iss", which its metadata promises'),
    });
    expect(issuer?.server.asked).toEqual([]);
  });

  it('may be another name of the issuer that the profile lists', async () => {
    const policy = policyWith({ issuerAliases: ['issuer.example'] });
    const aliased = { query: `${query}&iss=issuer.example`, sendsIssuer: true };
    expect(await exchange({ ...issued, policy }, aliased)).toMatchObject({
      accessToken: 'new-token',
    });
    await issuer?.close();
    expect(await exchange(issued, aliased)).toMatchObject({ code: 'ISSUER_MISMATCH' });
  });
});

describe('R41 a refused login', () => {
  it.each([
    ['access_denied', 'You are not a member', 'access_denied (You are not a member)'],
    ['access_denied', undefined, 'access_denied'],
    [
      'invalid_scope',
      'AADSTS70011: scope foo\nis not valid',
      'invalid_scope (AADSTS70011: scope foo is not valid); the administrator must correct',
    ],
    ['access_denied', 'token eyJhbGciOiJub25lIn0eyJzdWIi', 'access_denied (token [...])'],
  ])('%s with %j is explained', async (error, description, expected) => {
    const back = new URLSearchParams({ error, state: 's' });
    if (description !== undefined) back.set('error_description', description);
    expect(await exchange({}, { query: back.toString() })).toMatchObject({
      code: 'LOGIN_REFUSED',
      message: expect.stringContaining(`rejected the login: ${expected}`),
    });
  });
});

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

describe('the answer', () => {
  it.each(['DPoP', 'mac', 'PoP'])('R29 P25 with the token type %s is refused', async (type) => {
    const error = await refresh({}, { body: { ...good, token_type: type } });
    expect(error).toMatchObject({ code: 'ISSUER_ANSWER_INVALID' });
  });

  const several = {
    ...good,
    scope: 'openid',
    resource_server: 'auth.example',
    other_tokens: [
      {
        access_token: 'transfer-token',
        refresh_token: 'CANARY-transfer',
        scope: 'transfer:all',
        resource_server: 'transfer.example',
        token_type: 'Bearer',
        expires_in: 60,
      },
    ],
  };

  it('P17 with several tokens grants the scopes of all of them', async () => {
    const answer = await refresh({}, { body: several });
    expect(answer).toMatchObject({ accessToken: 'new-token', scope: 'openid transfer:all' });
    expect(JSON.stringify(answer)).not.toContain('CANARY');
  });

  it.each([
    ['transfer.example', 'transfer-token', 'CANARY-transfer'],
    ['auth.example', 'new-token', undefined],
  ])(
    'P17 of several tokens that of %s is taken',
    async (resourceServer, accessToken, refreshToken) => {
      const answer = await refresh({ policy: policyWith({ resourceServer }) }, { body: several });
      expect(answer).toMatchObject({ accessToken, refreshToken, scope: 'openid transfer:all' });
      expect(answer).toHaveProperty('answer.access_token', accessToken);
    },
  );

  it('with scopes of another token only grants these too', async () => {
    const [other] = several.other_tokens;
    const body = { ...good, other_tokens: [{ ...other, scope: 'storage.modify:/' }] };
    expect(await refresh({}, { body })).toMatchObject({ scope: 'storage.modify:/' });
  });

  it('with more than 1000 scopes is refused', async () => {
    const scope = Array.from({ length: 1001 }, (_, index) => `s${index}`).join(' ');
    expect(await refresh({}, { body: { ...good, scope } })).toMatchObject({
      code: 'ISSUER_ANSWER_INVALID',
      message: expect.stringContaining('more than 1000 scopes'),
    });
  });

  it.each([
    ['transfer.example', 'CANARY-transfer'],
    ['none.example', undefined],
  ])(
    'R16 that is refused saves the refresh token of %s alone: %s',
    async (resourceServer, expected) => {
      const [other] = several.other_tokens;
      const body = {
        ...several,
        refresh_token: 'CANARY-first',
        other_tokens: [{ ...other, token_type: 'DPoP' }],
      };
      issuer = await startIssuer({ body }, { policy: policyWith({ resourceServer }) });
      const saved: string[] = [];
      const request = {
        refreshToken: 'r1',
        now: 1,
        salvage: (token: string) => void saved.push(token),
      };
      await outcomeOf(refreshGrant(issuer.send, issuer.registration, request));
      expect(saved).toEqual(expected === undefined ? [] : [expected]);
    },
  );

  it('P17 without the token of the wanted resource server is refused', async () => {
    const policy = policyWith({ resourceServer: 'none.example' });
    expect(await refresh({ policy }, { body: several })).toMatchObject({
      code: 'ISSUER_ANSWER_INVALID',
      message: expect.stringContaining('no token of the resource server none.example'),
    });
  });
});
