// What requests carry, per provider: authentication, further parameters, scope and
// audience, and what an answer or an error of the issuer means.
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../src/base/errors/errors.ts';
import {
  authorizationUrl,
  exchangeCode,
  type CodeExchange,
} from '../../src/oauth/authorization-code.ts';
import type { ClientRegistration } from '../../src/oauth/client.ts';
import { refreshGrant } from '../../src/oauth/grants.ts';
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

describe('R29 a client that the issuer rejects', () => {
  const wrong = { status: 401, body: { error: 'invalid_client' } };
  const hint =
    'the issuer of mytok answered invalid_client; the client id or the client secret is wrong, ' +
    'or the client may not authenticate by post: if it is registered for client_secret_basic, ' +
    'set CREDMON_mytok_CLIENT_AUTH = basic';

  it('may be registered for the other method that the issuer offers', async () => {
    const error = await refresh({ otherAuthentication: 'basic' }, wrong);
    expect(error).toMatchObject({ code: 'CLIENT_REFUSED', message: hint });
  });

  it.each<[string, Partial<ClientRegistration>, Reply]>([
    ['no other method is offered', {}, wrong],
    [
      'the request is at fault',
      { otherAuthentication: 'basic' },
      { status: 400, body: { error: 'invalid_scope' } },
    ],
  ])('is told nothing of methods if %s', async (_, changes, reply) => {
    expect(await refresh(changes, reply)).toMatchObject({
      code: 'CLIENT_REFUSED',
      message: expect.stringMatching(/ answered \w+$/),
    });
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
    scope = 'a',
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
        scope,
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

  it.each<[string, Partial<IssuerPolicy>, string, string[]]>([
    ['with offline_access, as OpenID Connect wants it', {}, 'openid offline_access', ['consent']],
    ['without offline_access', {}, 'openid a', []],
    ['at an issuer that needs no consent', { offlineConsent: false }, 'offline_access', []],
    [
      'if a knob says otherwise',
      { authorizationParameters: { prompt: 'login' } },
      'openid offline_access',
      ['login'],
    ],
  ])('prompts for consent %s', async (_, changes, scope, expected) => {
    expect(urlWith(changes, undefined, scope).getAll('prompt')).toEqual(expected);
  });

  it('has no second prompt if the configured URL has one', () => {
    const url = urlWith({}, 'https://issuer.example/a?prompt=none', 'offline_access');
    expect(url.getAll('prompt')).toEqual(['none']);
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
