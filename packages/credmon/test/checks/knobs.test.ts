// Misspelt knobs, and knobs of providers that there are not.
import { expect, it } from 'vitest';
import { distance, nearest } from '@credmon/core/base';
import { knownKnobs } from '../../src/checks/knobs.ts';
import { unusedKnobs } from '../../src/checks/knobs.ts';

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
  'CREDMON_OAUTH.CREDMON_RENEW_FRACTION',
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
])('from %j to %j it takes %d letters', (a, b, count) => {
  expect([distance(a, b), distance(b, a)]).toEqual([count, count]);
});

it('a short name is not similar to every other', () => {
  expect([nearest('a', ['bc']), nearest('abc', ['abd', 'xyz'])]).toEqual([undefined, 'abd']);
});
