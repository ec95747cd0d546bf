// Quotes around values of our knobs, and where they may be meant.
import { loadConfig } from '../../../src/config/machine/load.ts';
import { quotedKnobs, secretMistake } from '../../../src/config/mistakes/quoted-values.ts';
import { createKnobReader } from '../../../src/config/typed/knob-reader.ts';
import { expect, it, test } from 'vitest';

function found(knobs: Record<string, string>): string[] {
  const env = Object.fromEntries(
    Object.entries(knobs).map(([name, value]) => [`_CONDOR_${name}`, value]),
  );
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env: { CONDOR_CONFIG: 'ONLY_ENV', ...env },
  });
  return quotedKnobs(config).map(({ name, state, text }) => {
    expect(text).not.toContain('CANARY');
    return `${state} ${name}: ${/around (.*?) of/.exec(text)?.[1] ?? ''}`;
  });
}

it.each([
  ['mytok_CLIENT_ID', '"CANARY"', 'the value'],
  ['mytok_TOKEN_URL', '"https://CANARY.example/token"', 'the value'],
  ['mytok_CLIENT_SECRET_FILE', '"/etc/CANARY"', 'the value'],
  ['LOCAL_CREDMON_TOKEN_AUDIENCE', '"ANY"', 'the value'],
  ['LOCAL_CREDMON_TOKEN_AUDIENCE', 'https://a.example "https://b.example"', 'an item'],
  ['LOCAL_CREDMON_loc_ISSUER', '"https://ap.example.org"', 'the value'],
  ['LOCAL_CREDMON_PROVIDER_NAMES', 'a, "b"', 'an item'],
  ['LOCAL_CREDMON_AUTHZ_TEMPLATE', '"read:/ write:/"', 'the value'],
  ['LOCAL_CREDMON_TOKEN_LIFETIME', '"1200"', 'the value'],
  ['CLIENT_CREDMON_site_CLIENT_ID', "'CANARY'", 'the value'],
  ['CREDMON_mytok_ISSUER', '“https://CANARY.example”', 'the value'],
  ['SEC_CREDENTIAL_GETTOKEN_OPTS', '"-a vault.example.org"', 'the value'],
  ['CREDMON_WEB_PREFIX', '"https://ap.example', 'the value'],
  ['CREDMON_STANDING_ce1_PATH', '"/var/lib/ce1"', 'the value'],
  ['CREDMON_OAUTH_LOG', '"/var/log/x"', 'the value'],
  ['CREDMON_OAUTH.LOCAL_CREDMON_ISSUER', '"https://ap.example"', 'the value'],
])('R45 %s = %s is an error', (name, value, where) => {
  expect(found({ [name]: value })).toEqual([
    `error ${name.slice(name.lastIndexOf('.') + 1)}: ${where}`,
  ]);
});

it.each([
  ['CREDMON_WEB_CONTACT', '"the help desk"'],
  ['EXEC_CREDMON_own_COMMAND', '"/usr/local/bin/token"'],
])('R45 quotes are possible in %s: a warning', (name, value) => {
  expect(found({ [name]: value })).toEqual([`warning ${name}: the value`]);
});

it.each([
  ['LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR', '"read:/"'],
  ['DEBUG_TIME_FORMAT', '"%H:%M"'],
  ['CLASSAD_USER_MAPDATA_groups', '"a b" "c"'],
  ['CREDMON_WEB_CONTACT', 'the "help desk"'],
  ['mytok_CLIENT_ID', "o'brien"],
  ['SOMETHING_ELSE', '"x"'],
  ['LOCAL_CREDMON_AUTHZ_TEMPLATE', 'read:/ write:/'],
])('%s = %s is right', (name, value) => {
  expect(found({ [name]: value })).toEqual([]);
});

test('R45 quotes of a macro are found where its value is used', () => {
  expect(found({ AUD: '"ANY"', LOCAL_CREDMON_TOKEN_AUDIENCE: '$(AUD)' })).toEqual([
    'error LOCAL_CREDMON_TOKEN_AUDIENCE: the value',
  ]);
});

it.each([
  ['mytok_TOKEN_URL', '"https://a.example"', ' is not a URL; fix: remove the quotes'],
  ['mytok_TOKEN_URL', 'https//a.example', ' is not a URL'],
  ['mytok_TOKEN_URL', '"x"', ' is wrong; fix: quote it', ' is wrong; fix: quote it'],
  // A ClassAd expression: its quotes are right.
  ['LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR', '"read:/"', ' is not a URL'],
])('R45 at start, an error of %s = %s ends so', (name, value, text, what = 'is not a URL') => {
  const read = createKnobReader(
    loadConfig({
      subsystem: 'CREDMON_OAUTH',
      env: { CONDOR_CONFIG: 'ONLY_ENV', [`_CONDOR_${name}`]: value },
    }),
  );
  read.mistake(name, what.trim());
  expect(() => read.finish()).toThrow(new RegExp(`${text}$`));
});

it('R45 at start, a quoted number is reported with the quotes', () => {
  const read = createKnobReader(
    loadConfig({
      subsystem: 'CREDMON_OAUTH',
      env: { CONDOR_CONFIG: 'ONLY_ENV', _CONDOR_CREDMON_REQUEST_TIMEOUT: '"5"' },
    }),
  );
  read.integer('CREDMON_REQUEST_TIMEOUT');
  expect(() => read.finish()).toThrow(/CREDMON_REQUEST_TIMEOUT = "5" .*; fix: remove the quotes$/);
});

it.each([
  ['a secret', 'abc123'],
  ['a secret with a line end', 'abc123\n'],
  ['a secret of Windows', 'abc123\r\n'],
  ['a second line', 'abc123\n# a remark "here"\n'],
  ['special characters', '{a"b~=+/%\n'],
  ['a secret of one character', 'a'],
])('%s is right', (_, text) => {
  expect(secretMistake(text)).toBe(undefined);
});

it.each<[string, string, 'error' | 'warning', RegExp]>([
  ['double quotes', '"CANARY"\n', 'warning', /quotes around the secret.* remove the quotes$/],
  ['single quotes', "'CANARY'", 'warning', /quotes around/],
  ['typographic quotes', '“CANARY”', 'warning', /quotes around/],
  ['a byte order mark', '\ufeffCANARY\n', 'warning', /byte order mark, which is sent/],
  [
    "the export of Google's console",
    JSON.stringify({ web: { client_id: 'x', client_secret: 'CANARY' } }),
    'error',
    /JSON file.* only the value of web\.client_secret into it$/,
  ],
  [
    "the export of Keycloak's console",
    JSON.stringify({ resource: 'x', credentials: { secret: 'CANARY' } }, null, 2),
    'error',
    /only the value of credentials\.secret into it$/,
  ],
  ['another JSON object', '{"CANARY": 1}', 'error', /the value of its client secret into it$/],
  ['a JSON object after a byte order mark', '\ufeff{"client_secret":"CANARY"}', 'error', /JSON/],
  ['an assignment', 'CLIENT_SECRET=CANARY', 'warning', /a name before the secret/],
  ['an assignment of a shell', 'export MY_SECRET="CANARY"', 'warning', /a name before/],
  ['blanks at the end', 'CANARY  \n', 'warning', /blanks around/],
  ['a PEM key', '-----BEGIN PRIVATE KEY-----\nCANARY', 'warning', /PEM file/],
  ['UTF-16', Buffer.from('CANARY', 'utf16le').toString('utf8'), 'error', /UTF-16/],
  [
    'UTF-16 with a byte order mark',
    Buffer.from('\ufeffCANARY', 'utf16le').toString('utf8'),
    'error',
    /UTF-16/,
  ],
])('R45 %s', (_, text, state, expected) => {
  const mistake = secretMistake(text);
  expect(mistake?.state).toBe(state);
  expect(`${mistake?.text}; ${mistake?.fix}`).toMatch(expected);
  expect(JSON.stringify(mistake)).not.toContain('CANARY');
});
