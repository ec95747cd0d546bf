// Misspelt knobs, and knobs of providers that there are not.
import { describe, expect, it } from 'vitest';
import { distance, nearest } from '../../../src/base/values/distance.ts';
import { knownKnobs } from '../../../src/config/mistakes/similar-knobs.ts';
import { unusedKnobs } from '../../../src/config/mistakes/unknown-knobs.ts';

const configured = {
  local: ['scitokens'],
  client: ['site'],
  exchange: ['lab'],
  pelican: [],
  exec: ['own'],
  logins: ['mytok'],
  standing: ['el7_osg35'],
  maps: ['groups'],
  subsystem: 'CREDMON_OAUTH',
};

const said = (name: string): string[] =>
  unusedKnobs([{ name, place: '/c, line 3' }], configured).map(({ text }) => text);

it.each([
  'CREDMON_RENEW_FRACTION',
  'credmon_renew_fraction',
  'CREDMON_OAUTH',
  'CREDMON_OAUTH_ARGS',
  'CREDMON_WEB_PREFIX',
  'MASTER_CREDMON_OAUTH_BACKOFF_CEILING',
  'LOCAL_CREDMON_ISSUER',
  'LOCAL_CREDMON_scitokens_ISSUER',
  'CREDMON_scitokens_KEY_DIRECTORY',
  'CLIENT_CREDMON_SITE_CLIENT_ID',
  'EXEC_CREDMON_own_COMMAND',
  'CREDMON_mytok_ISSUER',
  'CREDMON_STANDING_LIFETIME',
  'CREDMON_STANDING_el7_osg35_LIFETIME',
  'mytok_RETURN_URL_SUFFIX',
  'mytok_SOMETHING_OF_THE_SITE',
  'CONDOR_HOST',
  'SEC_CREDENTIAL_DIRECTORY_KRB',
  'SEC_CREDENTIAL_PRODUCER',
])('%s is known, or none of our business', (name) => {
  expect(said(name)).toEqual([]);
});

it.each([
  [
    'CREDMON_RENEW_FRACTOIN',
    'unknown knob CREDMON_RENEW_FRACTOIN; did you mean CREDMON_RENEW_FRACTION?',
  ],
  [
    'LOCAL_CREDMON_PROVIDERS_NAMES',
    'unknown knob LOCAL_CREDMON_PROVIDERS_NAMES; did you mean LOCAL_CREDMON_PROVIDER_NAMES?',
  ],
  ['LOCL_CREDMON_ISSUER', 'unknown knob LOCL_CREDMON_ISSUER; did you mean LOCAL_CREDMON_ISSUER?'],
  ['CREDMON_WHATEVER', 'unknown knob CREDMON_WHATEVER; see docs/knobs.md'],
  [
    'mytok_CLIENT_SECERT_FILE',
    'unknown knob mytok_CLIENT_SECERT_FILE; did you mean mytok_CLIENT_SECRET_FILE?',
  ],
  ['TRUSTED_VAULTS_HOST', 'unknown knob TRUSTED_VAULTS_HOST; did you mean TRUSTED_VAULT_HOSTS?'],
  [
    'SEC_CREDENTAIL_STORER',
    'unknown knob SEC_CREDENTAIL_STORER; did you mean SEC_CREDENTIAL_STORER?',
  ],
  [
    'SEC_CREDENTIAL_DIRECTORY_OAUHT',
    'unknown knob SEC_CREDENTIAL_DIRECTORY_OAUHT; did you mean SEC_CREDENTIAL_DIRECTORY_OAUTH?',
  ],
  [
    'CLIENT_CREDMON_sit_CLIENT_ID',
    'has no effect: sit is not listed in CLIENT_CREDMON_PROVIDER_NAMES; did you mean CLIENT_CREDMON_site_CLIENT_ID?',
  ],
  [
    'LOCAL_CREDMON_wlcg_TOKEN_LIFETIME',
    'has no effect: wlcg is not listed in LOCAL_CREDMON_PROVIDER_NAMES',
  ],
  ['EXEC_CREDMON_odd_COMMAND', 'has no effect: odd is not listed in EXEC_CREDMON_PROVIDER_NAMES'],
  ['CREDMON_gone_ISSUER', 'has no effect: gone_CLIENT_ID is not set'],
  [
    'CREDMON_STANDING_el8_osg35_PATH',
    'has no effect: el8_osg35 is not listed in CREDMON_STANDING_TOKENS; did you mean CREDMON_STANDING_el7_osg35_PATH?',
  ],
])('R45 %s is reported with its place', (name, text) => {
  const subject = text.startsWith('unknown knob') ? '' : `${name} `;
  expect(said(name)).toEqual([`/c, line 3: ${subject}${text}`]);
});

it.each([
  ['mytok_ISSUER', 'did you mean CREDMON_mytok_ISSUER?'],
  ['mytok_AUTH_URL', 'did you mean mytok_AUTHORIZATION_URL?'],
  ['mytok_AUTHORIZATION_ENDPOINT', 'did you mean mytok_AUTHORIZATION_URL?'],
  ['mytok_TOKEN_ENDPOINT', 'did you mean mytok_TOKEN_URL?'],
  ['mytok_RETURN_URL', 'did you mean mytok_RETURN_URL_SUFFIX?'],
  ['mytok_REDIRECT_URI', 'did you mean mytok_RETURN_URL_SUFFIX?'],
  ['mytok_ID', 'did you mean mytok_CLIENT_ID?'],
  ['mytok_OAUTH_CLIENT_ID', 'did you mean mytok_CLIENT_ID?'],
  ['mytok_ISSUER_URL', 'did you mean CREDMON_mytok_ISSUER?'],
  ['mytok_USER_CLAIM', 'did you mean CREDMON_mytok_USER_CLAIM?'],
  [
    'mytok_AUDIENCE',
    'see docs/knobs.md: similar are mytok_DEFAULT_AUDIENCE, CREDMON_mytok_AUDIENCE_PARAMETER',
  ],
  [
    'mytok_SCOPES',
    'see docs/knobs.md: similar are mytok_DEFAULT_SCOPES, CREDMON_mytok_EXTRA_SCOPES',
  ],
  [
    'mytok_URL',
    'see docs/knobs.md: similar are mytok_TOKEN_URL, mytok_AUTHORIZATION_URL, CREDMON_mytok_REVOCATION_URL, CREDMON_mytok_DEVICE_URL and others',
  ],
  ['LOCAL_CREDMON_AUDIENCE', 'did you mean LOCAL_CREDMON_TOKEN_AUDIENCE?'],
  ['LOCAL_CREDMON_LIFETIME', 'did you mean LOCAL_CREDMON_TOKEN_LIFETIME?'],
  ['LOCAL_CREDMON_TOKEN_TTL', 'did you mean LOCAL_CREDMON_TOKEN_LIFETIME?'],
  ['LOCAL_CREDMON_KEY', 'did you mean LOCAL_CREDMON_PRIVATE_KEY?'],
  ['LOCAL_CREDMON_TOKEN_ISSUER', 'did you mean LOCAL_CREDMON_ISSUER?'],
  ['LOCAL_CREDMON_scitokens_AUDIENCE', 'did you mean LOCAL_CREDMON_scitokens_TOKEN_AUDIENCE?'],
  ['LOCAL_CREDMON_TEMPLATE', 'did you mean LOCAL_CREDMON_AUTHZ_TEMPLATE?'],
  ['CREDMON_STANDING_el7_osg35_AUD', 'did you mean CREDMON_STANDING_el7_osg35_AUDIENCE?'],
  ['mytok_PKCE', 'did you mean CREDMON_mytok_PKCE?'],
  ['mytok_PROFILE', 'did you mean CREDMON_mytok_PROFILE?'],
  ['VAULT_HOSTS', 'did you mean TRUSTED_VAULT_HOSTS?'],
])('R45 %s is reported with the knob of the same words', (name, hint) => {
  expect(said(name)).toEqual([`/c, line 3: unknown knob ${name}; ${hint}`]);
});

describe('R43 a client secret in the configuration', () => {
  const clear = '; the secret is in clear: everyone who may run condor_config_val can read it';
  const texts = (name: string, value: string): string[] =>
    unusedKnobs([{ name, place: '/c', value: () => value }], configured).map(({ text }) => text);
  it.each([
    ['mytok_CLIENT_SECRET', 'did you mean mytok_CLIENT_SECRET_FILE?'],
    ['CREDMON_mytok_CLIENT_SECRET', 'did you mean mytok_CLIENT_SECRET_FILE?'],
    ['mytok_SECRET', 'did you mean mytok_CLIENT_SECRET_FILE?'],
    ['mytok_PASSWORD', 'did you mean mytok_CLIENT_SECRET_FILE?'],
    ['CLIENT_CREDMON_site_CLIENT_SECRET', 'did you mean CLIENT_CREDMON_site_CLIENT_SECRET_FILE?'],
    ['CLIENT_CREDMON_CLIENT_SECRET', 'did you mean CLIENT_CREDMON_CLIENT_SECRET_FILE?'],
  ])('%s is reported, and that everyone can read it', (name, hint) => {
    expect(texts(name, 'CANARY')).toEqual([`/c: unknown knob ${name}${clear}; ${hint}`]);
  });
  it('the path of a file is no secret', () => {
    expect(texts('mytok_CLIENT_SECRET', '/etc/condor/secret')).toEqual([
      '/c: unknown knob mytok_CLIENT_SECRET; did you mean mytok_CLIENT_SECRET_FILE?',
    ]);
  });
  it('the secret of another program is none of our business', () => {
    expect(texts('OTHER_CLIENT_SECRET', 'CANARY')).toEqual([]);
  });
});

it('a knob for logins of a provider in another list names that list', () => {
  expect(said('CREDMON_scitokens_ISSUER')).toEqual([
    '/c, line 3: CREDMON_scitokens_ISSUER has no effect: LOCAL_CREDMON_PROVIDER_NAMES lists scitokens, so users do not log in for it',
  ]);
});

it.each(['CREDMON_site_EXTRA_SCOPES', 'CREDMON_lab_EXTRA_SCOPES', 'CREDMON_own_EXTRA_SCOPES'])(
  '%s is used: not only logins have it',
  (name) => {
    expect(said(name)).toEqual([]);
  },
);

it('every knob of the table is known, with the names filled in', () => {
  const { plain, named } = knownKnobs(configured);
  const names = [
    ...plain,
    ...named.flatMap((one) => one.names.map((name) => one.before + name + one.after)),
  ];
  expect(
    unusedKnobs(
      names.map((name) => ({ name, place: '' })),
      configured,
    ),
  ).toEqual([]);
  expect(names.filter((name) => name.includes('<'))).toEqual([]);
});

it.each([
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['SAME', 'same', 0],
  ['OAUHT', 'OAUTH', 1],
  ['ba', 'abc', 2],
])('from %j to %j it takes %d letters', (a, b, count) => {
  expect([distance(a, b), distance(b, a)]).toEqual([count, count]);
});

it('a short name is not similar to every other', () => {
  expect([nearest('a', ['bc']), nearest('abc', ['abd', 'xyz'])]).toEqual([undefined, 'abd']);
});
