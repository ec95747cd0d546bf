// What is configured of a client, completed from the profile and the issuer's metadata.
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../src/base/errors/errors.ts';
import type { Send } from '../../src/base/http/send.ts';
import {
  completeRegistration,
  type CompleteRegistration,
  sendsChallenge,
  type RegistrationDraft,
} from '../../src/oauth/complete-registration.ts';
import { createMetadataCache, type IssuerMetadata } from '../../src/oauth/metadata.ts';
import { GENERIC_POLICY, type IssuerPolicy } from '../../src/profiles/policy.ts';
import { outcomeOf } from './issuer.ts';

const ISSUER = 'https://issuer.example';
const document = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  device_authorization_endpoint: `${ISSUER}/device`,
};
const withIssuer: IssuerPolicy = { ...GENERIC_POLICY, issuer: ISSUER };
const draft: RegistrationDraft = {
  provider: 'mytok',
  policy: withIssuer,
  clientId: 'client',
  clientSecret: 'CANARY-secret',
  allowLoopbackHttp: false,
  needs: ['authorizationUrl'],
};

interface Issuer {
  readonly asked: string[];
  readonly complete: (changes?: Partial<RegistrationDraft>) => Promise<unknown>;
}

/** An issuer with this metadata; without it, it does not answer. */
function issuerWith(metadata: unknown, origins: readonly string[] = []): Issuer {
  const asked: string[] = [];
  const send: Send = async ({ url }) => {
    asked.push(url);
    if (metadata === undefined) throw new CodedError('ISSUER_UNREACHABLE', 'down');
    return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(metadata)) };
  };
  const cache = createMetadataCache({ lifetime: 60, allowLoopbackHttp: false, origins });
  return {
    asked,
    complete: (changes = {}) =>
      outcomeOf(completeRegistration({ ...draft, ...changes }, { metadata: cache, send, now: 0 })),
  };
}

describe('a client id, a secret and an issuer', () => {
  it.each(['', undefined])(
    'are enough: endpoints that are %j come from the metadata',
    async (url) => {
      const { complete } = issuerWith(document);
      expect(await complete({ tokenUrl: url, authorizationUrl: url })).toMatchObject({
        registration: {
          issuer: ISSUER,
          tokenUrl: `${ISSUER}/token`,
          authorizationUrl: `${ISSUER}/authorize`,
          clientSecret: 'CANARY-secret',
        },
        problem: undefined,
      });
    },
  );

  it('and explicit URLs: these win', async () => {
    const { complete } = issuerWith(document);
    const own = { tokenUrl: 'https://own.example/t', authorizationUrl: 'https://own.example/a' };
    expect(await complete({ ...own, login: true })).toMatchObject({ registration: own });
  });

  it('and explicit URLs need the metadata for a login, but not necessarily', async () => {
    const own = { tokenUrl: 'https://own.example/t', authorizationUrl: 'https://own.example/a' };
    const down = issuerWith(undefined);
    expect(await down.complete({ ...own, login: true })).toMatchObject({
      registration: { ...own, authentication: 'post' },
      metadata: undefined,
      problem: { code: 'ISSUER_UNREACHABLE' },
    });
    expect(down.asked).toHaveLength(1);
  });

  it('and a token URL wait for the metadata at a renewal, unless the issuer has none', async () => {
    const own = { tokenUrl: 'https://own.example/t', needs: [] };
    expect(await issuerWith(undefined).complete(own)).toMatchObject({ code: 'ISSUER_UNREACHABLE' });
    expect(await issuerWith({ other: true }).complete(own)).toMatchObject({
      registration: { authentication: 'post' },
    });
    const policy: IssuerPolicy = { ...withIssuer, authentication: 'post' };
    expect(await issuerWith(undefined).complete({ ...own, policy })).toMatchObject({
      registration: { authentication: 'post' },
    });
  });

  it('with a configured method and URLs do not ask for the metadata', async () => {
    const { complete, asked } = issuerWith(document);
    const policy: IssuerPolicy = { ...withIssuer, authentication: 'basic' };
    const own = { tokenUrl: 'https://own.example/t', needs: [] };
    expect(await complete({ ...own, policy })).toMatchObject({
      registration: { authentication: 'basic' },
    });
    expect(asked).toEqual([]);
  });

  it.each<[string, unknown, Partial<RegistrationDraft>, string, RegExp]>([
    [
      'no issuer',
      document,
      { policy: GENERIC_POLICY },
      'CONFIG_INVALID',
      /mytok_TOKEN_URL is not set, and neither CREDMON_mytok_ISSUER nor the profile generic/,
    ],
    ['an issuer that is down', undefined, {}, 'ISSUER_UNREACHABLE', /down/],
    [
      'no such endpoint in the metadata',
      { ...document, authorization_endpoint: undefined },
      {},
      'ISSUER_METADATA_INVALID',
      /mytok_AUTHORIZATION_URL is not set, and the metadata .* has no authorization_endpoint/,
    ],
    [
      'no device endpoint in the metadata',
      { ...document, device_authorization_endpoint: undefined },
      { needs: ['deviceUrl'] },
      'ISSUER_METADATA_INVALID',
      /CREDMON_mytok_DEVICE_URL is not set/,
    ],
    [
      'R26 an endpoint on another server',
      { ...document, authorization_endpoint: 'https://evil.example/a' },
      {},
      'ENDPOINT_REFUSED',
      /authorization_endpoint .* on another server .*CREDMON_ENDPOINT_ORIGINS/,
    ],
    [
      'R25 another issuer in the metadata',
      { ...document, issuer: `${ISSUER}/` },
      {},
      'ISSUER_MISMATCH',
      /must match exactly/,
    ],
  ])('are refused with %s', async (_, metadata, changes, code, message) => {
    const error = await issuerWith(metadata).complete(changes);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('the profile', () => {
  it('names the endpoints of an issuer without metadata', async () => {
    const { complete, asked } = issuerWith(document);
    const endpoints = { tokenUrl: `${ISSUER}/p/t`, authorizationUrl: `${ISSUER}/p/a` };
    const policy: IssuerPolicy = { ...GENERIC_POLICY, endpoints };
    expect(await complete({ policy })).toMatchObject({ registration: endpoints });
    expect(asked).toEqual([]);
  });

  it('R26 names further origins of the issuer', async () => {
    const metadata = { ...document, token_endpoint: 'https://oauth2.example/token' };
    const policy: IssuerPolicy = { ...withIssuer, origins: ['https://oauth2.example'] };
    expect(await issuerWith(metadata).complete({ policy })).toMatchObject({
      registration: { tokenUrl: 'https://oauth2.example/token' },
    });
    expect(await issuerWith(metadata).complete()).toMatchObject({ code: 'ENDPOINT_REFUSED' });
  });

  it.each([
    ['https://login.example/common/v2.0', true, undefined],
    ['https://login.example/t-1/v2.0', true, undefined],
    ['https://login.example/a/b/v2.0', true, 'ISSUER_MISMATCH'],
    ['https://login.example//v2.0', true, 'ISSUER_MISMATCH'],
    ['https://other.example/common/v2.0', true, 'ISSUER_MISMATCH'],
    ['https://login.example/common/v2.0', false, 'ISSUER_MISMATCH'],
  ])(
    'P20 {tenantid} in the metadata of %s is accepted: %s',
    async (issuer, tenantIssuers, code) => {
      const { origin } = new URL(issuer);
      const metadata = {
        issuer: 'https://login.example/{tenantid}/v2.0',
        authorization_endpoint: `${origin}/a`,
        token_endpoint: `${origin}/t`,
      };
      const policy: IssuerPolicy = { ...GENERIC_POLICY, issuer, tenantIssuers };
      const found = await issuerWith(metadata).complete({ policy });
      const expected =
        code === undefined ? { metadata: { issuer, template: metadata.issuer } } : { code };
      expect(found).toMatchObject(expected);
    },
  );
});

describe('how the client authenticates', () => {
  const [post, basic] = ['client_secret_post', 'client_secret_basic'];
  it.each([
    [undefined, undefined, 'post', undefined],
    [undefined, [basic, post], 'post', 'basic'],
    [undefined, [post], 'post', undefined],
    [undefined, [basic], 'basic', undefined],
    [undefined, ['private_key_jwt'], 'post', undefined],
    ['post', [basic, post], 'post', undefined],
    ['basic_plain', [post], 'basic_plain', undefined],
    ['none', [post], 'none', undefined],
  ] as const)(
    'configured %s, in the metadata %j: %s, and %s is also offered',
    async (authentication, methods, expected, otherAuthentication) => {
      const metadata = { ...document, token_endpoint_auth_methods_supported: methods };
      const policy: IssuerPolicy = { ...withIssuer, authentication };
      const found = await issuerWith(metadata).complete({ policy });
      const { registration } = found as CompleteRegistration;
      expect([registration.authentication, registration.otherAuthentication]).toEqual([
        expected,
        otherAuthentication,
      ]);
    },
  );
});

it.each([
  [true, undefined, true],
  [true, ['S256', 'plain'], true],
  [true, ['plain'], false],
  [true, [], false],
  [false, ['S256'], false],
])('R23 with PKCE %s and the methods %j a challenge is sent: %s', (pkce, methods, expected) => {
  const metadata = { challengeMethods: methods } as unknown as IssuerMetadata;
  expect(sendsChallenge({ ...GENERIC_POLICY, pkce }, metadata)).toBe(expected);
  expect(sendsChallenge({ ...GENERIC_POLICY, pkce }, undefined)).toBe(pkce);
});
