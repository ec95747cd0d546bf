// R19 R26 in the portal: a token whose name matches two providers is rejected; users can
// sign in for all others.
import { judgeProviderNames } from '@credmon/core/credential';
import { afterEach, expect, it } from 'vitest';
import { KEY, ad, startPortal, type Ad, type Portal } from '../support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

const request = (name: string, host: string, fields: Ad = {}): string =>
  ad({
    Provider: name,
    ClientId: name,
    ClientSecret: `canary-secret-of-${name}`,
    TokenUrl: `https://${host}/token`,
    AuthorizationUrl: `https://${host}/auth`,
    ReturnUrl: `https://ap.example/return/${name}`,
    ...fields,
  });

/**
 * A portal with these providers: one request for keycloak, one for keycloak_extra and one
 * with a handle.
 */
async function opened(
  specialNames: boolean,
  names = ['keycloak', 'keycloak_extra'],
  handle: Ad = { Handle: 'h1' },
): Promise<ReturnType<Portal['browser']>> {
  const providers = names.map((name) => ({ name, knob: `${name}_CLIENT_ID` }));
  portal = await startPortal({ names: judgeProviderNames({ providers, specialNames }) });
  portal.writeKey(
    [
      request('keycloak', 'kc.example'),
      request('keycloak_extra', 'extra.example'),
      request('keycloak', 'kc.example', handle),
    ].join('\n'),
  );
  const browser = portal.browser();
  await browser.open(`/key/${KEY}`);
  return browser;
}

/**
 * Signs in for each token; returns the status of the page, the error code if any, and
 * where the code was sent.
 */
async function signIn(
  browser: ReturnType<Portal['browser']>,
  stem: string,
): Promise<[number, string, string]> {
  const before = portal.sent.length;
  const login = await browser.login(stem);
  const page = login.status === 303 ? await browser.open(browser.returnFrom(login)) : login;
  const code = /[A-Z]+_[A-Z_]+(?=<)/.exec(page.text)?.[0] ?? '';
  return [
    page.status,
    page.status === 200 ? '' : code,
    portal.sent
      .slice(before)
      .map(({ url }) => new URL(url).host)
      .join(),
  ];
}

it.each<[string, boolean, string[], string[]]>([
  ['both configured', false, ['keycloak', 'keycloak_extra'], ['keycloak', 'keycloak_h1']],
  ['in another case', false, ['KEYCLOAK', 'Keycloak_Extra'], ['keycloak', 'keycloak_h1']],
  [
    'only one configured: a warning, no rejection',
    false,
    ['keycloak_extra'],
    ['keycloak', 'keycloak_extra', 'keycloak_h1'],
  ],
  ['only the first part configured here', false, ['keycloak'], ['keycloak', 'keycloak_h1']],
  [
    'with the knob: no handles',
    true,
    ['keycloak', 'keycloak_extra'],
    ['keycloak', 'keycloak_extra'],
  ],
])('%s', async (_, specialNames, names, allowed) => {
  const browser = await opened(specialNames, names);
  const list = (await browser.get('/')).text;
  // The rejected ones first: a complete list has no form.
  const stems = ['keycloak', 'keycloak_extra', 'keycloak_h1'];
  for (const stem of stems.sort(
    (a, b) => Number(allowed.includes(a)) - Number(allowed.includes(b)),
  )) {
    const good = allowed.includes(stem);
    const host = stem === 'keycloak_extra' ? 'extra.example' : 'kc.example';
    expect([stem, list.includes(`action="/login/${stem}"`)]).toEqual([stem, good]);
    const [status, , sentTo] = await signIn(browser, stem);
    expect([stem, status, sentTo]).toEqual([stem, good ? 200 : 422, good ? host : '']);
  }
  const toKeycloak = portal.sent.filter(({ url }) => new URL(url).host === 'kc.example');
  expect(JSON.stringify(toKeycloak)).not.toContain('secret-of-keycloak_extra');
});

it('shows the reason on the list, on the page and in the log', async () => {
  const browser = await opened(false);
  const why =
    'keycloak_extra is ambiguous: it is also the handle &quot;extra&quot; of the provider &quot;keycloak&quot;';
  expect((await browser.get('/')).text).toContain(why);
  const page = await browser.login('keycloak_extra');
  expect([
    page.status,
    page.text.includes('This token has an ambiguous name'),
    page.text.includes(why),
  ]).toEqual([422, true, true]);
  expect(portal.log.join('\n')).toContain('PROVIDER_REFUSED');
});
