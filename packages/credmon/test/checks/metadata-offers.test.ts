// What check says about the metadata of an issuer.
import { GENERIC_POLICY, type IssuerPolicy } from '@credmon/core/profiles';
import type { IssuerMetadata } from '@credmon/core/oauth';
import { describe, expect, it } from 'vitest';
import { metadataFindings } from '../../src/checks/metadata-offers.ts';

const BARE: IssuerMetadata = {
  issuer: 'https://i.example',
  template: undefined,
  tokenUrl: 'https://i.example/t',
  authorizationUrl: undefined,
  revocationUrl: undefined,
  deviceUrl: undefined,
  jwksUrl: undefined,
  challengeMethods: undefined,
  authenticationMethods: undefined,
  scopes: undefined,
  grants: undefined,
  sendsIssuer: false,
  elsewhere: [],
};
const FULL: IssuerMetadata = {
  ...BARE,
  revocationUrl: 'https://i.example/r',
  deviceUrl: 'https://i.example/d',
  jwksUrl: 'https://i.example/k',
  challengeMethods: ['S256'],
  grants: ['authorization_code', 'refresh_token'],
  sendsIssuer: true,
};
const said = (metadata: IssuerMetadata, changes: Partial<IssuerPolicy> = {}): string[] =>
  metadataFindings('provider p', 'p', { ...GENERIC_POLICY, ...changes }, metadata).map(
    ({ state, text }) => `${state}: ${text}`,
  );

describe("R45 an issuer's metadata", () => {
  it('that offers everything', () => {
    expect(said(FULL)).toEqual([
      'ok: its metadata offers refresh tokens, PKCE with S256, a key set, iss in callbacks, ' +
        'device logins, revocation',
    ]);
  });

  it('that offers nothing', () => {
    expect(said(BARE)).toEqual([
      'ok: its metadata offers nothing optional and lacks refresh tokens (not listed; tokens may ' +
        'not be renewable), PKCE with S256 (not listed), a key set (ID tokens cannot be verified), ' +
        'iss in callbacks, device logins, revocation (condor_credmon revoke only removes files)',
    ]);
  });

  it.each([
    [undefined, ['client_secret_basic'], []],
    ['post', undefined, []],
    ['basic_plain', ['client_secret_basic'], []],
    [
      'post',
      ['client_secret_basic', 'private_key_jwt'],
      [
        'does not list client_secret_post (client_secret_basic, private_key_jwt): check CREDMON_p_CLIENT_AUTH',
      ],
    ],
  ] as const)('with CLIENT_AUTH %s and the methods %j', (authentication, methods, expected) => {
    const findings = said({ ...FULL, authenticationMethods: methods }, { authentication });
    expect(findings.slice(1)).toEqual(expected.map((text) => `warning: the issuer ${text}`));
  });

  it('that offers offline_access, unless it is asked for', () => {
    const metadata = { ...FULL, scopes: ['openid', 'offline_access'] };
    expect(said(metadata).slice(1)).toEqual([
      'ok: the issuer offers the scope offline_access; if users get no refresh token, add it to ' +
        'CREDMON_p_EXTRA_SCOPES',
    ]);
    const scopes = { ...GENERIC_POLICY.scopes, extra: ['offline_access'] };
    expect(said(metadata, { scopes })).toHaveLength(1);
  });

  it('with an endpoint on another server', () => {
    expect(said({ ...FULL, elsewhere: ['the revocation_endpoint is elsewhere'] })[1]).toBe(
      'warning: the revocation_endpoint is elsewhere',
    );
  });
});
