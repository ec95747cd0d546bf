// What `check` says of an issuer: one that it does not reach, in words, with a fix, and
// the metadata of one that it reaches.
import { metadataFindings } from '../../src/checks/issuer.ts';
import { loginChecks } from '../../src/checks/logins.ts';
import { type CheckBench, checkBench } from '../support/check-bench.ts';
import type { IssuerMetadata } from '@credmon/core/oauth';
import { GENERIC_POLICY, type IssuerPolicy } from '@credmon/core/profiles';
import {
  type CertificateOptions,
  makeCertificates,
} from '@credmon/test-fixtures/servers/certificates';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let on: CheckBench;
const endings: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  on = checkBench();
});
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
  on.close();
});

/** The last finding about a provider whose issuer has this certificate. */
async function finding(
  options: CertificateOptions,
  knobs: (caFile: string) => Record<string, string>,
): Promise<string> {
  const folder = join(on.root, 'tls');
  mkdirSync(folder);
  const { keyFile, certificateFile, caFile } = makeCertificates(folder, options);
  const tls = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  const server = createServer(tls, (_, response) => void response.end());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  endings.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const findings = await on.findings(
    {
      mytok_CLIENT_ID: 'me',
      mytok_TOKEN_URL: `https://localhost:${port}/token`,
      CREDMON_mytok_ISSUER: `https://localhost:${port}`,
      ...knobs(caFile),
    },
    loginChecks,
  );
  return (findings.at(-1) ?? '').replaceAll(`:${port}`, ':PORT');
}

const trusted = (caFile: string): Record<string, string> => ({ AUTH_SSL_CLIENT_CAFILE: caFile });

it.each<[string, CertificateOptions, (caFile: string) => Record<string, string>, RegExp]>([
  [
    'an expired certificate: its date',
    { until: '20240201030405Z' },
    trusted,
    /: certificate expired on 2024-02-01 03:04:05 UTC \(CERT_HAS_EXPIRED\); fix: renew it at localhost, /,
  ],
  [
    'another name: the names in the certificate',
    { names: 'DNS:login.example' },
    trusted,
    /: certificate is for login\.example, not for localhost \(ERR_TLS_CERT_ALTNAME_INVALID\); fix: /,
  ],
  [
    'an unknown authority: its name, and the knob for it',
    {},
    () => ({}),
    /: certificate authority "CN=credmon test authority" not trusted \(\w+\); fix: .*AUTH_SSL_CLIENT_CAFILE$/,
  ],
  [
    'a refused connection: host and port',
    {},
    () => ({ CREDMON_mytok_ISSUER: 'https://localhost:1' }),
    /: connection refused by localhost, port 1 \(ECONNREFUSED\); fix: correct host and port/,
  ],
])('R45 %s', async (_, options, knobs, expected) => {
  const text = await finding(options, knobs);
  expect(text).toMatch(/^error mytok \(login\): cannot reach https:\/\/localhost:(PORT|1): /);
  expect(text).toMatch(expected);
});

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
      'ok: its metadata offers nothing optional; it does not offer refresh tokens (not listed; tokens may ' +
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
