// What `check` says of the configuration itself: mistakes, and knobs that nobody reads.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkConfig } from '../../src/checks/config.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

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
