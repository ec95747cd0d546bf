// What `check` says of providers whose users log in.
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { looksAtLogins } from '../../src/checks/logins.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
let on: CheckBench;
beforeEach(() => {
  on = checkBench();
});
afterEach(() => on.close());

const login = (): Record<string, string> => ({
  mytok_CLIENT_ID: 'condor-ap',
  mytok_CLIENT_SECRET_FILE: on.file('secret', 'CANARY'),
  mytok_TOKEN_URL: issuer.tokenUrl,
  mytok_AUTHORIZATION_URL: issuer.authorizationUrl,
  mytok_RETURN_URL_SUFFIX: '/return/mytok',
  CREDMON_mytok_ISSUER: issuer.url,
});

it('R45 all is well: what the daemon does, what the portal uses', async () => {
  expect(await on.findings(login(), looksAtLogins)).toEqual([
    'ok mytok (login): refreshes the tokens of users who logged in, as client condor-ap (post)',
    'ok mytok (login): its secret in $R/secret can be read',
    `ok mytok (login): users log in at ${issuer.authorizationUrl} and come back to https://ap.invalid/return/mytok`,
    `ok mytok (login): ${issuer.url} answers, and its metadata fits`,
  ]);
});

it.each<[string, () => Record<string, string>, RegExp]>([
  [
    'another issuer',
    () => ({ CREDMON_mytok_ISSUER: `${issuer.url}/` }),
    /^error .* issuer mismatch: configured/,
  ],
  [
    'another token endpoint',
    () => ({ mytok_TOKEN_URL: `${issuer.url}/other` }),
    /^warning .* another token endpoint/,
  ],
  ['no issuer', () => ({ CREDMON_mytok_ISSUER: '' }), /^ok .*: http:\/\/127\.0\.0\.1:\d+ answers$/],
  [
    'a dead issuer',
    () => ({ CREDMON_mytok_ISSUER: 'http://127.0.0.1:1' }),
    /^error .*: cannot reach http:\/\/127\.0\.0\.1:1: /,
  ],
  [
    'no authorization URL',
    () => ({ mytok_AUTHORIZATION_URL: '' }),
    /^warning .*: nobody can log in with a browser before mytok_AUTHORIZATION_URL is set$/,
  ],
  [
    'no return URL',
    () => ({ mytok_RETURN_URL_SUFFIX: '' }),
    /^warning .* before mytok_RETURN_URL_SUFFIX is set$/,
  ],
  [
    'a return URL elsewhere',
    () => ({ mytok_RETURN_URL_SUFFIX: '/elsewhere' }),
    /^error .*: nobody can log in: mytok_RETURN_URL_SUFFIX must begin with \/return$/,
  ],
  [
    'an authorization URL over http',
    () => ({ mytok_AUTHORIZATION_URL: 'http://login.example/' }),
    /^error .*: nobody can log in: .* use https$/,
  ],
  [
    'a missing secret',
    () => ({ mytok_CLIENT_SECRET_FILE: '/no/such' }),
    /^error .*: its secret file \/no\/such is missing: give it the secret, and Ctrl-D; fix: install -m 600 \/dev\/stdin \/no\/such$/,
  ],
])('R45 %s', async (_, change, expected) => {
  const findings = await on.findings({ ...login(), ...change() }, looksAtLogins);
  expect(findings.filter((line) => expected.test(line))).toHaveLength(1);
});

it('a name in the list without a client, and a client that no list names', async () => {
  const knobs = { ...login(), OAUTH2_CREDMON_PROVIDER_NAMES: 'other' };
  const findings = await on.findings(knobs, looksAtLogins);
  expect(findings[0]).toBe(
    'warning other (login): other_CLIENT_ID and other_TOKEN_URL are not set: its tokens are renewed only where a .meta stands',
  );
  expect(findings[2]).toBe(
    'error mytok (login): its tokens are not refreshed: OAUTH2_CREDMON_PROVIDER_NAMES does not name mytok',
  );
});

it('R45 nobody can log in by device code with a client that has a secret', async () => {
  const lists = { CREDMON_DEVICE_PROVIDER_NAMES: 'mytok', VAULT_CREDMON_PROVIDER_NAMES: 'mytok' };
  const errors = async (more: Record<string, string>): Promise<string[]> =>
    (await on.findings({ ...login(), ...more }, looksAtLogins)).filter((line) =>
      line.includes('nobody can log in: mytok has a client secret'),
    );
  expect(await errors({})).toEqual([]);
  expect(await errors({ ...lists, mytok_CLIENT_SECRET_FILE: '/no/such' })).toEqual([
    expect.stringMatching(/^error mytok \(device login\)/),
  ]);
});

it('a device name needs no portal, but an endpoint to begin at', async () => {
  const knobs = {
    ...login(),
    mytok_AUTHORIZATION_URL: '',
    CREDMON_DEVICE_PROVIDER_NAMES: 'mytok',
    VAULT_CREDMON_PROVIDER_NAMES: 'mytok',
  };
  const last = async (more: Record<string, string>): Promise<string | undefined> =>
    (await on.findings({ ...knobs, ...more }, looksAtLogins)).at(-1);
  expect(await last({})).toMatch(
    /^(ok mytok \(device login\): condor_submit begins a login at http|error mytok \(device login\): nobody can log in: the metadata)/,
  );
  expect(await last({ CREDMON_mytok_DEVICE_URL: 'https://issuer.example/device' })).toBe(
    'ok mytok (device login): condor_submit begins a login at https://issuer.example/device',
  );
  expect(await last({ CREDMON_mytok_ISSUER: '' })).toMatch(
    /^error mytok \(device login\): nobody can log in: set /,
  );
});
