// The policy of a provider, from its knobs and its profile.
import { describe, expect, it } from 'vitest';
import { createKnobReader } from '../../src/config/typed/knob-reader.ts';
import {
  GENERIC_POLICY,
  policyAt,
  policyOf,
  readIssuerPolicies,
  type IssuerPolicy,
} from '../../src/profiles/policy.ts';
import { PROFILE_NAMES, suggestProfile } from '../../src/profiles/profile.ts';
import { readText } from '../config/read-text.ts';

interface Reading {
  readonly policy: IssuerPolicy;
  readonly mistakes: readonly string[];
}

/** Reads the policy of the provider `p` from these knobs, by the end of their names. */
function reading(knobs: Readonly<Record<string, string>>, provider = 'p'): Reading {
  const lines = Object.entries(knobs).map(([end, value]) => `CREDMON_p_${end} = ${value}\n`);
  const read = createKnobReader(readText(lines.join('')));
  const policy = policyOf(readIssuerPolicies(readText(lines.join('')), read, true), provider);
  try {
    read.finish();
    return { policy, mistakes: [] };
  } catch (error) {
    return { policy, mistakes: String(error).split('\n').slice(1) };
  }
}

describe('the policy of a provider', () => {
  it('is that of the profile generic without any knob', () => {
    expect(reading({}).policy).toBe(GENERIC_POLICY);
    expect(reading({ EXTRA_SCOPES: 'a' }).policy).toEqual({
      ...GENERIC_POLICY,
      scopes: { ...GENERIC_POLICY.scopes, extra: ['a'] },
    });
  });

  it('has no extra scope with quotes, which no issuer grants', () => {
    expect(reading({ EXTRA_SCOPES: '"openid email"' }).mistakes).toEqual([
      expect.stringMatching(
        /CREDMON_p_EXTRA_SCOPES has "\\"openid", an invalid scope; fix: remove the quotes$/,
      ),
    ]);
    expect(reading({ EXTRA_SCOPES: "read:/~a's wlcg.groups:/x[1]" }).mistakes).toEqual([]);
  });

  it('is found by a name in any case', () => {
    expect(reading({ PKCE: 'false' }, 'P').policy.pkce).toBe(false);
  });

  it.each([...PROFILE_NAMES])('has the values of the profile %s', (profile) => {
    const { policy, mistakes } = reading({ PROFILE: profile.toUpperCase() });
    expect(mistakes).toEqual([]);
    expect(policy.profile).toBe(profile);
    expect(policy.scopes.policy).toBe('contained');
  });

  it.each<[string, Record<string, string>, Partial<IssuerPolicy>]>([
    ['ISSUER', { ISSUER: 'https://i.example' }, { issuer: 'https://i.example' }],
    [
      'ISSUER, which wins over the profile',
      { PROFILE: 'cilogon', ISSUER: 'https://test.cilogon.org' },
      { issuer: 'https://test.cilogon.org' },
    ],
    ['ISSUER_ALIASES', { ISSUER_ALIASES: 'a, b' }, { issuerAliases: ['a', 'b'] }],
    ['CLIENT_AUTH', { CLIENT_AUTH: 'Basic_Plain' }, { authentication: 'basic_plain' }],
    ['CLIENT_AUTH none', { CLIENT_AUTH: 'none' }, { authentication: 'none' }],
    [
      'CLIENT_KEY_FILE',
      { CLIENT_AUTH: 'private_key_jwt', CLIENT_KEY_FILE: '/k.pem', CLIENT_KEY_ID: 'k1' },
      { authentication: 'private_key_jwt', clientKey: { path: '/k.pem', keyId: 'k1' } },
    ],
    ['PKCE', { PKCE: 'false' }, { pkce: false }],
    ['AUDIENCE_PARAMETER', { AUDIENCE_PARAMETER: 'none' }, { audienceParameter: 'none' }],
    [
      'AUTHORIZATION_PARAMETERS with blanks',
      { AUTHORIZATION_PARAMETERS: 'access_type=offline prompt=consent' },
      { authorizationParameters: { access_type: 'offline', prompt: 'consent' } },
    ],
    [
      'AUTHORIZATION_PARAMETERS as a query',
      { AUTHORIZATION_PARAMETERS: 'a=1&b=x%20y&c=' },
      { authorizationParameters: { a: '1', b: 'x y', c: '' } },
    ],
    [
      'AUTHORIZATION_PARAMETERS, added to those of the profile',
      { PROFILE: 'google', AUTHORIZATION_PARAMETERS: 'prompt=none hd=lab.example' },
      { authorizationParameters: { access_type: 'offline', prompt: 'none', hd: 'lab.example' } },
    ],
    ['TOKEN_PARAMETERS', { TOKEN_PARAMETERS: 'a=1' }, { tokenParameters: { a: '1' } }],
    [
      'REFRESH_PARAMETERS',
      { REFRESH_PARAMETERS: 'scope, resource' },
      { refreshParameters: ['scope', 'audience'] },
    ],
    ['DEFAULT_TOKEN_LIFETIME', { DEFAULT_TOKEN_LIFETIME: '3600' }, { tokenLifetime: 3600 }],
    [
      'DEFAULT_TOKEN_LIFETIME unlimited',
      { DEFAULT_TOKEN_LIFETIME: 'Unlimited' },
      { tokenLifetime: 'unlimited' },
    ],
    ['REFRESH_REVOKES', { REFRESH_REVOKES: 'true' }, { refreshRevokes: true }],
    ['RESOURCE_SERVER', { RESOURCE_SERVER: 'r.example' }, { resourceServer: 'r.example' }],
    ['USE_ID_TOKEN', { USE_ID_TOKEN: 'true' }, { useIdToken: true }],
    ['TOKEN_USE_JSON', { TOKEN_USE_JSON: 'false' }, { useJson: false }],
    [
      'JWKS_URL, DEVICE_URL and REVOCATION_URL',
      {
        JWKS_URL: 'https://i.example/k',
        DEVICE_URL: 'https://i.example/d',
        REVOCATION_URL: 'https://i.example/r',
      },
      {
        endpoints: {
          authorizationUrl: undefined,
          tokenUrl: undefined,
          jwksUrl: 'https://i.example/k',
          deviceUrl: 'https://i.example/d',
          revocationUrl: 'https://i.example/r',
        },
      },
    ],
  ])('reads %s', (_, knobs, expected) => {
    const { policy, mistakes } = reading(knobs);
    expect(mistakes).toEqual([]);
    expect(policy).toMatchObject(expected);
  });

  it('reads SCOPE_POLICY and SCOPE_ALIASES', () => {
    const { policy } = reading({ SCOPE_POLICY: 'Issuer', SCOPE_ALIASES: 'a=b, c=d=e' });
    expect(policy.scopes).toMatchObject({ policy: 'issuer', aliases: { a: 'b', c: 'd=e' } });
  });

  it('reads each word of DEAD_GRANT_ERRORS as a code and as a part of the text', () => {
    const { policy } = reading({ DEAD_GRANT_ERRORS: 'E+1' });
    expect(policy.errors.slice(0, 2)).toEqual([
      { error: 'E+1', grant: 'refresh', means: 'GRANT_REVOKED' },
      { text: String.raw`E\+1`, grant: 'refresh', means: 'GRANT_REVOKED' },
    ]);
    expect(policy.errors.slice(2)).toEqual(GENERIC_POLICY.errors);
  });

  it.each([
    ['PROFILE', 'gogle', /is "gogle"; it must be one of google, microsoft/],
    ['ISSUER', 'i.example', /= i\.example is not a URL/],
    [
      'CLIENT_AUTH',
      'jwt',
      /is "jwt"; it must be post, basic, basic_plain, private_key_jwt or none/,
    ],
    ['CLIENT_AUTH', 'private_key_jwt', /CREDMON_p_CLIENT_KEY_FILE is not set, but private_key_jwt/],
    ['SCOPE_POLICY', 'any', /is "any"; it must be exact, contained or issuer/],
    ['AUDIENCE_PARAMETER', 'aud', /is "aud"; it must be resource, audience or none/],
    ['AUTHORIZATION_PARAMETERS', 'offline', /has "offline"; write name=value/],
    ['AUTHORIZATION_PARAMETERS', 'state=x', /must not set state: it is part of the protocol/],
    ['TOKEN_PARAMETERS', 'Client_Secret=x', /must not set Client_Secret/],
    ['REFRESH_PARAMETERS', 'scopes', /has "scopes"; it can have scope, audience and resource/],
    ['SCOPE_ALIASES', 'a=', /has "a="; write scope=other-name/],
    ['DEFAULT_TOKEN_LIFETIME', 'never', /is "never"; it must be a number of seconds from 10/],
    ['DEFAULT_TOKEN_LIFETIME', '5', /is "5"; it must be/],
    ['REVOCATION_URL', 'http://i.example/r', /cannot be used: .*https/],
    ['JWKS_URL', 'keys', /cannot be used/],
    ['PKCE', 'off', /must be true or false/],
  ])('reports the mistake %s = %s with its line', (end, value, expected) => {
    const { mistakes } = reading({ [end]: value });
    expect(mistakes).toEqual([expect.stringMatching(expected)]);
  });
});

describe('the endpoints of a profile', () => {
  it.each([
    [{ PROFILE: 'github' }, true, 0],
    [{ PROFILE: 'dropbox', ISSUER: 'https://www.dropbox.com' }, true, 0],
    [{ PROFILE: 'github', ISSUER: 'https://sso.example.org/realms/lab' }, false, 1],
  ])('with %j are used: %s', (knobs, areUsed, warnings) => {
    const lines = Object.entries(knobs).map(([end, value]) => `CREDMON_p_${end} = ${value}\n`);
    const config = readText(lines.join(''));
    const read = createKnobReader(config);
    const { endpoints } = policyOf(readIssuerPolicies(config, read, false), 'p');
    expect([endpoints.tokenUrl !== undefined, read.warnings.length]).toEqual([areUsed, warnings]);
  });
});

describe("HTCondor's built-in providers", () => {
  it.each([
    ['gdrive', 'google'],
    ['ONEDRIVE', 'microsoft'],
    ['box', 'box'],
    ['DropBox', 'dropbox'],
  ])('%s has the profile %s, but no issuer and no endpoint of it', (name, profile) => {
    const { policy } = reading({}, name);
    expect(policy).toMatchObject({ profile, issuer: undefined, endpoints: {} });
    const read = createKnobReader(readText(`CREDMON_${name}_EXTRA_SCOPES = a\n`));
    const config = readText(`CREDMON_${name}_EXTRA_SCOPES = a\n`);
    const withKnob = policyOf(readIssuerPolicies(config, read, false), name);
    expect(withKnob).toMatchObject({ profile, issuer: undefined, scopes: { extra: ['a'] } });
    expect(withKnob.endpoints.tokenUrl).toBeUndefined();
  });
});

it.each([
  ['https://accounts.google.com', 'google'],
  ['https://login.microsoftonline.com/common/v2.0', 'microsoft'],
  ['https://github.com/login/oauth/access_token', 'github'],
  ['https://auth.globus.org', 'globus'],
  ['https://cilogon.org/fermilab', 'cilogon'],
  ['https://cms-auth.web.cern.ch/', 'iam'],
  ['https://sso.example.org/realms/lab', 'keycloak'],
  ['https://aai.egi.eu/auth/realms/egi', 'egi'],
  ['https://api.box.com/oauth2/token', 'box'],
  ['https://www.dropbox.com/oauth2/authorize', 'dropbox'],
  ['https://sandbox.orcid.org', 'orcid'],
  ['https://issuer.example', undefined],
  ['no URL', undefined],
])('for %s the profile %s is suggested', (url, expected) => {
  expect(suggestProfile(url)).toBe(expected);
});

describe('R26 a token endpoint on another server than that of the profile', () => {
  it.each<[Record<string, string>, string, string | undefined, string | undefined]>([
    [{ PROFILE: 'orcid' }, 'https://sandbox.orcid.org/oauth/token', undefined, undefined],
    [{ PROFILE: 'orcid' }, 'https://orcid.org/oauth/token', 'https://orcid.org', undefined],
    [
      { PROFILE: 'orcid', ISSUER: 'https://sandbox.orcid.org' },
      'https://other.example/token',
      'https://sandbox.orcid.org',
      undefined,
    ],
    [{ PROFILE: 'box' }, 'https://box.example/token', undefined, undefined],
    [{ PROFILE: 'box' }, 'https://api.box.com/x', undefined, 'https://api.box.com/oauth2/revoke'],
    [
      { PROFILE: 'box', REVOCATION_URL: 'https://box.example/revoke' },
      'https://box.example/token',
      undefined,
      'https://box.example/revoke',
    ],
    [
      { PROFILE: 'google' },
      'https://oauth2.googleapis.com/token',
      'https://accounts.google.com',
      undefined,
    ],
  ])(
    'with %j and %s has the issuer %s and the revocation endpoint %s',
    (knobs, url, issuer, revocation) => {
      const { issuer: found, endpoints } = policyAt(reading(knobs).policy, url);
      expect([found, endpoints.revocationUrl]).toEqual([issuer, revocation]);
    },
  );

  it('that is not configured changes nothing', () => {
    const { policy } = reading({ PROFILE: 'orcid' });
    expect([policyAt(policy, ''), policyAt(policy, undefined)]).toEqual([policy, policy]);
  });
});

it('the scope offline_access needs no consent at issuers whose documentation names none', () => {
  const without = PROFILE_NAMES.filter((name) => !reading({ PROFILE: name }).policy.offlineConsent);
  expect(without).toEqual(['microsoft', 'cilogon', 'iam', 'keycloak', 'egi']);
});
