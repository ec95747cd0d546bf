// Rejected requests: each gets a page with an explanation, changes nothing in the
// credential directory and reveals no secret.
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CodedError } from '@credmon/core/base';
import type { Page } from './support/browser.ts';
import { KEY, ad, json, startPortal, tokens, type Portal } from './support/portal.ts';

let portal: Portal;
beforeEach(async () => {
  portal = await startPortal();
});
afterEach(() => portal.close());

/** The files in the credential directory, without key files and files of the test. */
const written = (): string[] =>
  readdirSync(portal.credentials).filter((name) => !/^[0-9a-f]{64}$/.test(name));

/** The status and title of a page, and the parts of the explanation that are missing. */
function explained(page: Page): readonly (number | string | undefined)[] {
  const wrong = [];
  if (!page.text.includes('What you can do')) wrong.push('does not say what to do');
  if (/canary|\bat [\w.]+ \(|node_modules|\.ts:/.test(page.text)) wrong.push('tells too much');
  return [page.status, /<h1>([^<]*)<\/h1>/.exec(page.text)?.[1], ...wrong];
}

describe('a key link', () => {
  const link = 'This link is no longer valid';
  it.each([
    ['two digits', '/key/aa', 404, link],
    ['other characters', `/key/${'z'.repeat(64)}`, 404, link],
    ['65 digits', `/key/${'a'.repeat(65)}`, 404, link],
    ['capital digits', `/key/${'AB'.repeat(32)}`, 404, link],
    ['an unknown key', `/key/${'0'.repeat(64)}`, 404, link],
    ['another file of the directory', '/key/CREDMON_COMPLETE', 404, link],
    ['a path upwards', '/key/..%2f..%2fetc%2fpasswd', 404, link],
    ['a NUL', `/key/%00${'a'.repeat(63)}`, 404, link],
    ['a very long key', `/key/${'a'.repeat(600)}`, 400, 'Invalid request'],
    ['an impossible escape', '/key/%zz', 400, 'Invalid request'],
    ['no key', '/key/', 404, link],
    ['something else', '/wp-admin?code=canary', 404, 'Page not found'],
  ])('R37 R41 with %s is rejected', async (_title, path, status, title) => {
    expect(explained(await portal.browser().get(path))).toEqual([status, title]);
    expect(written()).toEqual([]);
  });

  it('R37 to a directory is rejected', async () => {
    mkdirSync(join(portal.credentials, KEY));
    expect(explained(await portal.browser().get(`/key/${KEY}`))).toEqual([
      422,
      'This request was rejected',
    ]);
  });

  it('R37 to a symbolic link is rejected', async () => {
    writeFileSync(join(portal.directory, 'elsewhere'), ad());
    symlinkSync(join(portal.directory, 'elsewhere'), join(portal.credentials, KEY));
    expect(explained(await portal.browser().get(`/key/${KEY}`))).toEqual([
      422,
      'This request was rejected',
    ]);
  });

  it('R37 that is 12 hours old is rejected', async () => {
    portal.writeKey(ad());
    portal.now += 12 * 3600;
    expect(explained(await portal.browser().get(`/key/${KEY}`))).toEqual([404, link]);
  });

  it.each([
    ['a handle with a path', { Handle: '../../bob/x' }],
    ['a user with a path', { LocalUser: '../x' }],
    ['a user with a slash', { LocalUser: 'alice/bob' }],
    ['a provider of two dots', { Provider: '..' }],
    ['a provider with a space', { Provider: 'my prov' }],
    ['an injected line', { Scopes: 'x"\nLocalUser = Handle\nZZ = 1' }],
    ['http beyond loopback', { TokenUrl: 'http://issuer.example/token' }],
  ])(
    'R38 R41 to a key file with %s is rejected with a page and a log line, and nothing is written',
    async (_title, fields) => {
      portal.writeKey(ad(fields));
      const browser = portal.browser();
      expect(explained(await browser.get(`/key/${KEY}`))).toEqual([
        422,
        'This request was rejected',
      ]);
      expect(portal.log.filter((line) => line.includes('KEY_FILE_INVALID'))).toHaveLength(1);
      expect([written(), browser.cookies.size]).toEqual([[], 0]);
    },
  );
});

describe('a request that cannot be used', () => {
  it.each([
    ['TokenUrl', { TokenUrl: 'http://issuer.example/token' }],
    ['ClientId', { ClientId: '' }],
    ['LocalUser', { LocalUser: 'a/b' }],
    ['Handle', { Handle: '..' }],
  ])(
    'R41 because of %s: the page names the attribute and who can correct it',
    async (name, fields) => {
      portal.writeKey(ad(fields));
      const { text } = await portal.browser().get(`/key/${KEY}`);
      expect(text).toMatch(new RegExp(`<dt>Message</dt><dd>[^<]*${name}`));
      expect(text).toContain('If it names Handle, Scopes or Audience');
      expect(text).toContain('All other values are set by your administrator');
      expect(text).not.toContain('in the submit file cannot be used');
    },
  );
});

describe('beginning a login', () => {
  it('R39 by GET only shows a page with a button', async () => {
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const page = await browser.get('/login/mytok');
    expect([page.status, page.text.includes('Sign in for alice')]).toEqual([200, true]);
  });

  it.each([
    ['no CSRF token', {}],
    ['a wrong CSRF token', { _csrf: 'aaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' }],
  ])('R39 with %s is rejected', async (_title, fields) => {
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    expect(explained(await browser.post('/login/mytok', fields))).toEqual([
      403,
      'This form has expired',
    ]);
  });

  it('R39 with the CSRF token of another session is rejected', async () => {
    portal.writeKey(ad());
    const [alice, mallory] = [portal.browser(), portal.browser()];
    for (const browser of [alice, mallory]) await browser.open(`/key/${KEY}`);
    const stolen = /name="_csrf" value="([^"]+)"/.exec((await mallory.get('/')).text)?.[1] ?? '';
    expect(explained(await alice.post('/login/mytok', { _csrf: stolen }))).toEqual([
      403,
      'This form has expired',
    ]);
  });

  it('R41 for a token that was not requested is rejected', async () => {
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    expect(explained(await browser.login('other'))).toEqual([
      404,
      'Your request does not name this provider',
    ]);
  });

  it('R41 without a session is rejected', async () => {
    expect(explained(await portal.browser().get('/login/mytok'))).toEqual([
      410,
      'This sign-in is no longer valid',
    ]);
    expect(explained(await portal.browser().post('/login/mytok', {}))).toEqual([
      403,
      'This form has expired',
    ]);
  });

  it.each([
    'https://elsewhere.example/return/mytok',
    'https://ap.example.evil.example/return/mytok',
    'https://ap.example/other',
    'https://ap.example/returned',
    'https://ap.example/return/../key/x',
  ])('R24 with the ReturnUrl %s is rejected', async (returnUrl) => {
    portal.writeKey(ad({ ReturnUrl: returnUrl }));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    expect(explained(await browser.login('mytok'))).toEqual([
      422,
      'This provider is not set up completely',
    ]);
  });

  it('is rejected if the key file has changed to another user', async () => {
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    portal.writeKey(ad({ LocalUser: 'bob' }));
    expect(explained(await browser.get('/'))).toEqual([422, 'This request was rejected']);
    expect((await browser.login('mytok')).status).toBe(403);
  });
});

describe('the return', () => {
  const begin = async (fields = {}) => {
    portal.writeKey(ad(fields));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    return { browser, login: await browser.login('mytok') };
  };

  it.each([
    ['no state', '/return/mytok?code=canary', 400, 'Invalid request'],
    ['two states', '/return/mytok?code=canary&state=a&state=b', 400, 'Invalid request'],
    ['two codes', '/return/mytok?code=canary&code=b&state=a', 400, 'Invalid request'],
    [
      'an unknown state',
      '/return/mytok?code=canary&state=aaaa',
      410,
      'This sign-in is no longer valid',
    ],
    [
      'a state called __proto__',
      '/return/mytok?code=canary&state=__proto__',
      410,
      'This sign-in is no longer valid',
    ],
  ])('R23 R41 with %s is rejected', async (_title, path, status, title) => {
    const { browser } = await begin();
    expect(explained(await browser.get(path))).toEqual([status, title]);
    expect([written(), portal.sent]).toEqual([[], []]);
  });

  it('R41 without a session is rejected', async () => {
    const { browser, login } = await begin();
    expect(explained(await portal.browser().get(browser.returnFrom(login)))).toEqual([
      410,
      'This sign-in is no longer valid',
    ]);
    expect(portal.sent).toEqual([]);
  });

  it('R33 with the session of another user is rejected, and the owner can still finish', async () => {
    const { browser, login } = await begin();
    const mallory = portal.browser();
    await mallory.open(`/key/${KEY}`);
    expect(explained(await mallory.get(browser.returnFrom(login)))).toEqual([
      410,
      'This sign-in is no longer valid',
    ]);
    expect((await browser.complete(login)).status).toBe(303);
  });

  it.each(['access_denied', 'server_error', '<script>alert(1)</script>'])(
    'R41 with the error %s is explained and can be tried again',
    async (error) => {
      const { browser, login } = await begin();
      const description = '<b>You are not a member</b> of token canaryCANARYcanary123';
      const page = await browser.complete(login, { error, error_description: description });
      expect(explained(page)).toEqual([403, 'You were not signed in']);
      expect(page.text).toContain('You are not a member');
      expect(page.text).not.toMatch(/<script|<b>/);
      expect((await browser.get('/')).text).toContain(
        'The last attempt failed: You were not signed in',
      );
      expect((await browser.complete(await browser.login('mytok'))).status).toBe(303);
    },
  );

  it('R23 R41 twice with the same state sends one request to the issuer', async () => {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const path = browser.returnFrom(await browser.login('mytok'));
    expect((await browser.follow(path)).status).toBe(303);
    expect(explained(await browser.get(path))).toEqual([410, 'This sign-in is no longer valid']);
    expect(portal.sent).toHaveLength(1);
  });

  it('R23 after the timeout is rejected', async () => {
    const { browser, login } = await begin();
    portal.now += 600;
    expect(explained(await browser.complete(login))).toEqual([
      410,
      'This sign-in is no longer valid',
    ]);
    expect(portal.sent).toEqual([]);
  });

  it('R24 with the path of another provider is rejected', async () => {
    const { browser, login } = await begin();
    const path = browser.returnFrom(login).replace('/return/mytok', '/return/other');
    expect(explained(await browser.get(path))).toEqual([403, 'You were not signed in']);
    expect(portal.sent).toEqual([]);
  });

  it('R24 with the iss of another issuer is rejected', async () => {
    const { browser, login } = await begin();
    const page = await browser.get(
      browser.returnFrom(login, { code: 'canary', iss: 'https://evil.example' }),
    );
    expect(explained(page)).toEqual([403, 'The provider has another name']);
    expect(portal.sent).toEqual([]);
  });

  it.each([
    ['500', json('<h1>canary</h1>', 500), 502, 'The provider does not answer'],
    [
      '503 with Retry-After',
      { ...json({}, 503), headers: { 'retry-after': '5' } },
      503,
      'The provider is busy',
    ],
    ['HTML', json('<html>canary</html>'), 502, 'Invalid response from the provider'],
    ['an empty answer', json(''), 502, 'Invalid response from the provider'],
    ['no access token', json({ token_type: 'bearer' }), 502, 'Invalid response from the provider'],
    [
      'invalid_grant',
      json({ error: 'invalid_grant' }, 400),
      403,
      'The provider did not accept the sign-in',
    ],
    [
      'invalid_client',
      json({ error: 'invalid_client' }, 401),
      502,
      'The provider rejected this server',
    ],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://evil.example' }, body: new Uint8Array() },
      502,
      'Invalid response from the provider',
    ],
  ])(
    'R41 if the token endpoint answers %s is explained, and nothing is written',
    async (_title, answer, status, title) => {
      const { browser, login } = await begin();
      portal.answer = () => answer;
      expect(explained(await browser.complete(login))).toEqual([status, title]);
      expect(written()).toEqual([]);
      portal.answer = () => tokens();
      expect((await browser.complete(await browser.login('mytok'))).status).toBe(303);
    },
  );

  const SECRET_ADVICE =
    'fix for the administrator: correct mytok_CLIENT_ID, or the secret in the file of mytok_CLIENT_SECRET_FILE; ' +
    'the key file of this sign-in keeps the old secret until alice submits again';
  it.each([
    ['invalid_client', json({ error: 'invalid_client' }, 401), true],
    ['status 401', json({}, 401), true],
    ['invalid_scope', json({ error: 'invalid_scope' }, 400), false],
    ['invalid_grant', json({ error: 'invalid_grant' }, 400), false],
  ])('R41 %s: the log, not the page, names where the secret is', async (_, answer, isNamed) => {
    const { browser, login } = await begin();
    portal.answer = () => answer;
    const page = await browser.complete(login);
    expect(portal.log.join('\n').includes(SECRET_ADVICE)).toBe(isNamed);
    expect(page.text).not.toContain('CLIENT_SECRET_FILE');
  });

  it('R41 when the token endpoint is down is explained', async () => {
    const { browser, login } = await begin();
    portal.answer = () => {
      throw new CodedError('ISSUER_UNREACHABLE', 'https://issuer.example: ECONNREFUSED');
    };
    expect(explained(await browser.complete(login))).toEqual([502, 'The provider does not answer']);
  });

  it('R30 with more scopes than requested is rejected', async () => {
    const { browser, login } = await begin();
    portal.answer = () => tokens({ scope: 'read write admin' });
    expect(explained(await browser.complete(login))).toEqual([
      403,
      'The provider granted too many permissions',
    ]);
    expect(written()).toEqual([]);
  });

  it('R41 if the session directory does not exist is explained', async () => {
    portal.writeKey(ad());
    rmSync(join(portal.directory, 'sessions'), { recursive: true });
    const page = await portal.browser().get(`/key/${KEY}`);
    expect(explained(page)).toEqual([503, 'Something went wrong on this server']);
  });

  it('is rejected if the directory of the user is a link', async () => {
    const { browser, login } = await begin();
    mkdirSync(join(portal.directory, 'elsewhere'));
    symlinkSync(join(portal.directory, 'elsewhere'), join(portal.credentials, 'alice'));
    expect(explained(await browser.complete(login))).toEqual([
      503,
      'The token could not be stored',
    ]);
    expect(readdirSync(join(portal.directory, 'elsewhere'))).toEqual([]);
  });
});
