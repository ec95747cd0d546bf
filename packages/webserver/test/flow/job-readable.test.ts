// R43 at a login: `.use` contains no refresh token, and an ID token only if configured.
import { loadConfig } from '@credmon/core/config';
import { afterEach, expect, it } from 'vitest';
import { readSettings } from '../../src/settings/read.ts';
import { KEY, ad, startPortal, tokens, type Portal } from '../support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

/** The knobs CREDMON_<PROVIDER>_* as the portal reads them. */
function providersOf(knobs: Record<string, string>): ReturnType<typeof readSettings>['providers'] {
  const env = Object.fromEntries(
    Object.entries(knobs).map(([name, value]) => [`_CONDOR_${name}`, value]),
  );
  const config = loadConfig({
    subsystem: 'CREDMON_WEB',
    env: { CONDOR_CONFIG: 'ONLY_ENV', _CONDOR_SEC_CREDENTIAL_DIRECTORY_OAUTH: '/creds', ...env },
    facts: { fullHostname: () => 'ap.example' },
  });
  return readSettings(config).providers;
}

const IDS = {
  id_token: 'CANARY-id',
  other_tokens: [{ access_token: 'AT2', id_token: 'CANARY-id2' }],
};

it.each([
  [{}, { other_tokens: [{ access_token: 'AT2' }] }],
  [{ CREDMON_MYTOK_USE_ID_TOKEN: 'false' }, { other_tokens: [{ access_token: 'AT2' }] }],
  [{ CREDMON_mytok_USE_ID_TOKEN: 'true' }, IDS],
  [{ CREDMON_other_USE_ID_TOKEN: 'true' }, { other_tokens: [{ access_token: 'AT2' }] }],
])('R43 .use of a login with %j', async (knobs, expected) => {
  portal = await startPortal({ providers: providersOf(knobs) });
  portal.writeKey(ad());
  portal.answer = () =>
    tokens({
      access_token: 'AT1',
      refresh_token: 'CANARY-refresh',
      id_token: 'CANARY-id',
      other_tokens: [{ access_token: 'AT2', refreshToken: 'CANARY-other', id_token: 'CANARY-id2' }],
      copy: ['CANARY-other', { hint: 'x CANARY-refresh' }, 'canary-code'],
    });
  const browser = portal.browser();
  await browser.open(`/key/${KEY}`);
  await browser.complete(await browser.login('mytok'));
  const { 'mytok.use': use, 'mytok.top': top } = portal.tokenFiles() as Record<
    string,
    { content: unknown }
  >;
  expect([use?.content, top?.content]).toEqual([
    {
      access_token: 'AT1',
      token_type: 'bearer',
      copy: [{}],
      ...expected,
      expires_in: 600,
      issued_at: portal.now,
      expires_at: portal.now + 600,
    },
    { refresh_token: 'CANARY-refresh', scopes: 'read, write' },
  ]);
});

it('a value of CREDMON_<PROVIDER>_USE_ID_TOKEN that is not a boolean is an error that names the knob', async () => {
  portal = await startPortal();
  expect(() => providersOf({ CREDMON_MYTOK_USE_ID_TOKEN: 'perhaps so' })).toThrow(
    /CREDMON_MYTOK_USE_ID_TOKEN/,
  );
});
