// What `check` says of providers whose users log in.
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { loginChecks } from '../../src/checks/logins.ts';
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

it('R45 without problems: shows what the daemon does and what the portal uses', async () => {
  expect(await on.findings(login(), loginChecks)).toEqual([
    'ok mytok (login): refreshes the tokens of users who logged in, as client condor-ap (post)',
    'ok mytok (login): its secret in $R/secret can be read',
    `ok mytok (login): users log in at ${issuer.authorizationUrl} and return to https://ap.invalid/return/mytok`,
    `ok mytok (login): ${issuer.url} is reachable, and its metadata matches`,
    'ok mytok (login): its metadata offers refresh tokens, PKCE with S256, a key set, iss in callbacks, device logins, revocation',
    'ok mytok (login): the issuer offers the scope offline_access; if users get no refresh token, add it to CREDMON_mytok_EXTRA_SCOPES',
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
    /^warning .* token endpoint mismatch: /,
  ],
  [
    'no issuer',
    () => ({ CREDMON_mytok_ISSUER: '' }),
    /^ok .*: http:\/\/127\.0\.0\.1:\d+ is reachable$/,
  ],
  [
    'a dead issuer',
    () => ({ CREDMON_mytok_ISSUER: 'http://127.0.0.1:1' }),
    /^error .*: cannot reach http:\/\/127\.0\.0\.1:1: /,
  ],
  [
    'no authorization URL',
    () => ({ mytok_AUTHORIZATION_URL: '', CREDMON_mytok_ISSUER: '' }),
    /^warning .*: browser logins do not work: mytok_AUTHORIZATION_URL is not set$/,
  ],
  [
    'a prefix with a slash at its end',
    () => ({ CREDMON_WEB_PREFIX: 'https://ap.invalid/' }),
    /^error .*: logins do not work: CREDMON_WEB_PREFIX ends with a slash/,
  ],
  [
    'no return URL',
    () => ({ mytok_RETURN_URL_SUFFIX: '' }),
    /^warning .*: mytok_RETURN_URL_SUFFIX is not set$/,
  ],
  [
    'a return URL elsewhere',
    () => ({ mytok_RETURN_URL_SUFFIX: '/elsewhere' }),
    /^error .*: logins do not work: mytok_RETURN_URL_SUFFIX must begin with \/return$/,
  ],
  [
    'an authorization URL over http',
    () => ({ mytok_AUTHORIZATION_URL: 'http://login.example/' }),
    /^error .*: logins do not work: .* use https$/,
  ],
  [
    'a missing secret',
    () => ({ mytok_CLIENT_SECRET_FILE: '/no/such' }),
    /^error .*: its secret file \/no\/such is missing: paste the secret, then Ctrl-D; fix: install -D -m 600 \/dev\/stdin \/no\/such$/,
  ],
  [
    'a secret in quotes',
    () => ({ mytok_CLIENT_SECRET_FILE: on.file('quoted', '"CANARY"') }),
    /^warning .*: its secret file \$R\/quoted has quotes around the secret, which are sent as part of it; fix: remove the quotes$/,
  ],
  [
    'a JSON export as the secret',
    () => ({ mytok_CLIENT_SECRET_FILE: on.file('json', '{"web":{"client_secret":"CANARY"}}') }),
    /^error .*: its secret file \$R\/json is a JSON file, .*; fix: put only the value of web\.client_secret into it$/,
  ],
])('R45 %s', async (_, change, expected) => {
  const findings = await on.findings({ ...login(), ...change() }, loginChecks);
  expect(findings.filter((line) => expected.test(line))).toHaveLength(1);
});

it('a listed name without a client, and a client that is not listed', async () => {
  const knobs = { ...login(), OAUTH2_CREDMON_PROVIDER_NAMES: 'other' };
  const findings = await on.findings(knobs, loginChecks);
  expect(findings[0]).toBe(
    'warning other (login): other_CLIENT_ID is not set, and neither other_TOKEN_URL nor CREDMON_other_ISSUER is: its tokens are renewed only if they have a .meta',
  );
  expect(findings[2]).toBe(
    'error mytok (login): its tokens are not refreshed: mytok is not listed in OAUTH2_CREDMON_PROVIDER_NAMES',
  );
});

it.each([
  ['LOCAL_CREDMON_PROVIDER_NAMES', 'signs its tokens'],
  ['LOCAL_CREDMON_PROVIDER_NAME', 'signs its tokens'],
  ['EXEC_CREDMON_PROVIDER_NAMES', 'runs a program for its tokens'],
])('R45 a name with a client that %s lists too is an error', async (list, does) => {
  const knobs = { ...login(), [list]: 'mytok', EXEC_CREDMON_mytok_COMMAND: '/bin/x' };
  expect(await on.findings(knobs, loginChecks)).toEqual([
    `error mytok (login): users cannot log in: ${list} lists mytok, so the daemon ${does}, but mytok_CLIENT_ID is set; fix: remove mytok from that list, or remove mytok_CLIENT_ID`,
  ]);
});

it('R45 the name that is local by default cannot be a login', async () => {
  const knobs = Object.fromEntries(
    Object.entries(login()).map(([name, value]) => [name.replace('mytok', 'scitokens'), value]),
  );
  expect(await on.findings(knobs, loginChecks)).toEqual([
    expect.stringMatching(
      /^error scitokens \(login\): users cannot log in: LOCAL_CREDMON_PROVIDER_NAMES \(by default\) lists scitokens, /,
    ),
  ]);
});

it('R45 a device login does not work with a client that has a secret', async () => {
  const lists = { CREDMON_DEVICE_PROVIDER_NAMES: 'mytok', VAULT_CREDMON_PROVIDER_NAMES: 'mytok' };
  const errors = async (more: Record<string, string>): Promise<string[]> =>
    (await on.findings({ ...login(), ...more }, loginChecks)).filter((line) =>
      line.includes('logins do not work: mytok has a client secret'),
    );
  expect(await errors({})).toEqual([]);
  expect(await errors({ ...lists, mytok_CLIENT_SECRET_FILE: '/no/such' })).toEqual([
    expect.stringMatching(/^error mytok \(device login\)/),
  ]);
});

it('a device login needs no portal, but a device endpoint', async () => {
  const knobs = {
    ...login(),
    mytok_AUTHORIZATION_URL: '',
    CREDMON_DEVICE_PROVIDER_NAMES: 'mytok',
    VAULT_CREDMON_PROVIDER_NAMES: 'mytok',
  };
  const last = async (more: Record<string, string>): Promise<string | undefined> =>
    (await on.findings({ ...knobs, ...more }, loginChecks)).at(-1);
  expect(await last({})).toMatch(
    /^(ok mytok \(device login\): condor_submit starts a login at http|error mytok \(device login\): logins do not work: the metadata)/,
  );
  expect(await last({ CREDMON_mytok_DEVICE_URL: 'https://issuer.example/device' })).toBe(
    'ok mytok (device login): condor_submit starts a login at https://issuer.example/device',
  );
  expect(await last({ CREDMON_mytok_ISSUER: '' })).toMatch(
    /^error mytok \(device login\): logins do not work: set /,
  );
});

it('R45 a provider of a standing token needs no portal and no list, but a device endpoint', async () => {
  const knobs = {
    ...login(),
    mytok_AUTHORIZATION_URL: '',
    mytok_RETURN_URL_SUFFIX: '',
    OAUTH2_CREDMON_PROVIDER_NAMES: 'other',
    CREDMON_mytok_DEVICE_URL: 'https://issuer.example/device',
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_ce1_PROVIDER: 'MYTOK',
    CREDMON_STANDING_ce1_PATH: '/t/ce1',
  };
  const findings = (await on.findings(knobs, loginChecks)).filter((line) => line.includes('mytok'));
  expect(findings[0]).toMatch(
    /^ok mytok \(login\): refreshes standing tokens only, as client \S+ \(post\): jobs cannot use it$/,
  );
  expect(findings.at(-1)).toBe(
    'ok mytok (login): condor_credmon standing login starts a login at https://issuer.example/device',
  );
  expect(findings.join('\n')).not.toMatch(/browser logins|not refreshed/);
});
