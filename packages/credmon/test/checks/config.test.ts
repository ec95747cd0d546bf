// What `check` says of the configuration itself: mistakes, knobs that nobody reads, and
// scope templates that grant something else than was meant.
import { checkConfig, checkTemplates } from '../../src/checks/config.ts';
import { type CheckBench, checkBench } from '../support/check-bench.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';

let on: CheckBench;
beforeEach(() => {
  on = checkBench();
});
afterEach(() => on.close());

const said = (knobs: Record<string, string>): string[] =>
  checkConfig(on.config(knobs), { credDir: undefined }).findings.map(
    ({ state, text }) => `${state}: ${text}`,
  );

it('has no problem with a correct configuration', () => {
  const knobs = {
    mytok_CLIENT_ID: 'me',
    mytok_TOKEN_URL: 'https://issuer.example/token',
    mytok_RETURN_URL_SUFFIX: '/return/mytok',
    CREDMON_mytok_ISSUER: 'https://issuer.example',
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://storage.example',
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_PROVIDER: 'frontend',
    LOCAL_CREDMON_frontend_ISSUER: 'https://frontend.example',
    CREDMON_STANDING_ce1_SCOPE: 'compute.read',
    CREDMON_STANDING_ce1_SUBJECT: 'me',
    CREDMON_STANDING_ce1_PATH: '/tmp/x',
    CREDMON_STANDING_ce1_AUDIENCE: 'ce.example',
    SITE_CREDMON_TOP: '/etc/site',
    mytok_CLIENT_SECRET_FILE: '$(SITE_CREDMON_TOP)/secret',
  };
  expect(said(knobs)).toEqual(['ok: only the environment: no errors']);
});

it('R45 a misspelt knob is reported together with the error that it causes', () => {
  expect(
    said({
      CLIENT_CREDMON_PROVIDER_NAMES: 'site',
      CLIENT_CREDMON_site_CLEINT_ID: 'me',
      CLIENT_CREDMON_site_CLIENT_SECRET_FILE: '/etc/secret',
      CLIENT_CREDMON_site_ISSUER: 'https://issuer.example',
    }),
  ).toEqual([
    'error: CLIENT_CREDMON_site_CLIENT_ID is not set',
    'warning: <Environment>: unknown knob CLIENT_CREDMON_site_CLEINT_ID; did you mean CLIENT_CREDMON_site_CLIENT_ID?',
  ]);
});

it('a misspelt CLIENT_ID is found even if nothing else names the provider', () => {
  expect(
    said({
      mytok_CLEINT_ID: 'me',
      mytok_TOKEN_URL: 'https://issuer.example/token',
      mytok_UNRELATED: 'x',
    }),
  ).toContain(
    'warning: <Environment>: unknown knob mytok_CLEINT_ID; did you mean mytok_CLIENT_ID?',
  );
});

it("warnings of the settings are shown, except those that a provider's check reports better", () => {
  const texts = said({
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
    PELICAN_CREDMON_PROVIDER_NAMES: 'osdf',
    PELICAN_CREDMON_CLIENT_ID: 'me',
    PELICAN_CREDMON_ISSUER: 'https://osdf.example',
    PELICAN_CREDMON_TLS_SKIP_VERIFY: 'true',
  });
  expect(texts).toEqual([
    'ok: only the environment: no errors',
    expect.stringMatching(/PELICAN_CREDMON_TLS_SKIP_VERIFY ignored/),
  ]);
});

it('R45 quotes around values are named once, in place of the errors that follow from them', () => {
  const quotes = (name: string): string =>
    `error: <Environment>: the quotes around the value of ${name} are part of the value: HTCondor's configuration needs none; fix: remove the quotes`;
  expect(
    said({
      mytok_CLIENT_ID: 'me',
      mytok_TOKEN_URL: '"https://issuer.example/token"',
      mytok_CLIENT_SECRET_FILE: '"/etc/secret"',
      LOCAL_CREDMON_TOKEN_AUDIENCE: '"ANY"',
    }),
  ).toEqual(
    ['LOCAL_CREDMON_TOKEN_AUDIENCE', 'mytok_CLIENT_SECRET_FILE', 'mytok_TOKEN_URL'].map(quotes),
  );
});

it.each([
  [
    'a client',
    {
      CLIENT_CREDMON_frontend_CLIENT_ID: 'me',
      CLIENT_CREDMON_frontend_CLIENT_SECRET_FILE: '/etc/secret',
      CLIENT_CREDMON_frontend_ISSUER: 'https://issuer.example',
    },
  ],
  [
    'a local provider',
    {
      LOCAL_CREDMON_frontend_ISSUER: 'https://f.example',
      CREDMON_frontend_KEY_DIRECTORY: '/etc/keys',
    },
  ],
])('R45 knobs of %s that only standing tokens use count', (_, knobs) => {
  expect(
    said({
      ...knobs,
      CREDMON_STANDING_TOKENS: 'ce2',
      CREDMON_STANDING_ce2_PROVIDER: 'frontend',
      CREDMON_STANDING_ce2_SCOPE: 'compute.read',
      CREDMON_STANDING_ce2_SUBJECT: 'me',
      CREDMON_STANDING_ce2_PATH: '/var/lib/x',
      CREDMON_STANDING_ce2_AUDIENCE: 'ce.example',
    }),
  ).toEqual(['ok: only the environment: no errors']);
});

it('an error in an expression is reported once, with its position', () => {
  const knobs = {
    LOCAL_CREDMON_PROVIDER_NAMES: 'frontend',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://ce.example',
    LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR: 'strcat("a: b" + ]',
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_PROVIDER: 'frontend',
    CREDMON_STANDING_ce1_SUBJECT: 'me',
    CREDMON_STANDING_ce1_SCOPE: 'compute.read',
    CREDMON_STANDING_ce1_PATH: '/var/lib/ce1',
    CREDMON_STANDING_ce1_AUDIENCE: 'ce.example',
  };
  const [mistake = '', ...others] = said(knobs);
  expect(others).toEqual([]);
  expect(mistake.split('\n')).toEqual([
    expect.stringMatching(
      /LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR is not an expression: .*line 1, column 17/,
    ),
    '    strcat("a: b" + ]',
    '                    ^',
  ]);
});

const saidOfTemplates = (knobs: Record<string, string>): string[] =>
  checkTemplates(on.config(knobs)).map(({ state, text }) => `${state}: ${text}`);

const LOCAL = 'LOCAL_CREDMON_AUTHZ_TEMPLATE';
const comma = (scope: string): string =>
  `the comma in "${scope}" is part of the scope and its path; fix: separate scopes by blanks`;

it.each([
  [LOCAL, 'read:/user/{username}, write:/user/{username}', comma('read:/user/{username},')],
  [
    LOCAL,
    'read:/user/{username},write:/user/{username}',
    comma('read:/user/{username},write:/user/{username}'),
  ],
  ['LOCAL_CREDMON_loc_AUTHZ_TEMPLATE', 'read:/,', comma('read:/,')],
  ['LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE', 'read:/{groupname}, x', comma('read:/{groupname},')],
  ['CLIENT_CREDMON_AUTHZ_TEMPLATE', 'openid,profile', comma('openid,profile')],
  ['CLIENT_CREDMON_site_AUTHZ_TEMPLATE', 'openid, profile', comma('openid,')],
  ['EXCHANGE_CREDMON_lab_AUTHZ_TEMPLATE', 'read:/, write:/', comma('read:/,')],
  ['PELICAN_CREDMON_AUTHZ_TEMPLATE', 'read:/, write:/', comma('read:/,')],
])('R45 a comma between scopes in %s = %s', (name, value, text) => {
  expect(saidOfTemplates({ [name]: value })).toEqual([`warning: <Environment>: ${name}: ${text}`]);
});

it.each([
  [LOCAL, 'read:/user/{username} write:/user/{username}'],
  [LOCAL, 'read:/data/a,b'],
  [LOCAL, 'read:/user/%s'],
  ['LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR', 'strcat("read:/", Username)'],
  ['LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT', 'member("a", Groups)'],
  ['CREDMON_mytok_EXTRA_SCOPES', 'a, b'],
  ['SITE_TEMPLATE', 'a, $(Username)'],
])('%s = %s is right', (name, value) => {
  expect(saidOfTemplates({ [name]: value })).toEqual([]);
});

it.each([
  [LOCAL, '{username}'],
  ['LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE', '{groupname}'],
  ['CLIENT_CREDMON_site_AUTHZ_TEMPLATE', '{username}'],
  ['LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR', 'Username or Groups'],
  ['LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT', 'Username or Groups'],
])('R45 $(Username) in %s is the user of the daemon', (name, field) => {
  const value = '"read:/user/$(Username)"';
  const user = on.config({}).get('USERNAME') ?? '';
  expect(saidOfTemplates({ [name]: value })).toEqual([
    `warning: <Environment>: ${name}: $(Username) is the user of the daemon (${user}), the same for all users; fix: write ${field}`,
  ]);
});

it.each([
  ['$(Owner)', '$(Owner) is not set and expands to nothing'],
  ['$(GROUP)', '$(GROUP) is not set and expands to nothing'],
  ['$ENV(USER)', '$ENV(USER) is the user of the daemon ('],
  ['$(User:x)', '$(User) is not set'],
])('R45 the macro %s is found, also inside another one', (macro, text) => {
  const expected = [expect.stringContaining(`${LOCAL}: ${text}`) as string];
  expect(saidOfTemplates({ [LOCAL]: `read:/${macro}` })).toEqual(expected);
  expect(saidOfTemplates({ [LOCAL]: '$(SITE)', SITE: `$(MORE)`, MORE: `read:/${macro}` })).toEqual(
    expected,
  );
});

it('other macros are right', () => {
  expect(saidOfTemplates({ [LOCAL]: 'read:/ $(LOG)' })).toEqual([]);
});

it.each(['${username}', '$username', '$$(Username)'])(
  'R45 %s is not a field: its $ is part of the scope',
  (text) => {
    const found = saidOfTemplates({ [LOCAL]: `read:/user/${text}` });
    expect(found.filter((line) => line.includes('the $ of'))).toEqual([
      expect.stringMatching(
        /AUTHZ_TEMPLATE: the \$ of "\$.*" is part of the scope; fix: write \{username\}$/,
      ),
    ]);
  },
);
