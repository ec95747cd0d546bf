// Sessions, cookies, headers and REMOTE_USER: the protection of a login from other users.
import { signedIdToken } from '@credmon/test-fixtures/issuer/signed-id-token';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createHash, generateKeyPairSync } from 'node:crypto';
import type { Settings } from '../src/settings/settings.ts';
import type { Ports } from '../src/flow/ports.ts';
import { csrfOf } from './support/browser.ts';
import { KEY, ad, startPortal, tokens, type Portal, providerWith } from './support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

async function opened(
  changes: Partial<Settings> = {},
  ports: Partial<Ports> = {},
  text: string = ad(),
) {
  portal = await startPortal(changes, ports);
  portal.writeKey(text);
  const browser = portal.browser();
  await browser.open(`/key/${KEY}`);
  return browser;
}

describe('the cookie', () => {
  it('R35 is __Host-, Secure, HttpOnly, SameSite=Lax and small behind TLS', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    const { headers } = await portal.browser().get(`/key/${KEY}`);
    expect(String(headers['set-cookie'])).toMatch(
      /^__Host-credmon=[\w.%-]{32,200}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
  });

  it('R35 is not Secure only with loopback http', async () => {
    portal = await startPortal({
      secure: false,
      prefix: 'http://127.0.0.1:9',
      allowLoopbackHttp: true,
    });
    portal.writeKey(ad({ ReturnUrl: 'http://127.0.0.1:9/return/mytok' }));
    const { headers } = await portal
      .browser()
      .get(`/key/${KEY}`, { 'x-forwarded-proto': 'http', host: '127.0.0.1:9' });
    expect(String(headers['set-cookie'])).toMatch(
      /^credmon=[\w.%-]{32,200}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it('is not set before a link is opened', async () => {
    portal = await startPortal();
    expect((await portal.browser().get('/')).headers['set-cookie']).toBeUndefined();
  });

  it('with a forged signature is ignored', async () => {
    const browser = await opened();
    for (const [name, value] of browser.cookies)
      browser.cookies.set(name, `${value.slice(0, -4)}AAAA`);
    expect((await browser.get('/')).text).toContain('Nothing to sign in for');
  });
});

describe('the session', () => {
  const idOf = (cookies: Map<string, string>): string =>
    decodeURIComponent(cookies.get('__Host-credmon') ?? '').split('.')[0] ?? '';

  it('R34 has an id of 192 random bits that changes at each login, and the old one is invalid', async () => {
    const browser = await opened();
    const before = new Map(browser.cookies);
    expect(Buffer.from(idOf(before).slice(16), 'base64url')).toHaveLength(24);
    await browser.complete(await browser.login('mytok'));
    expect(idOf(browser.cookies)).not.toBe(idOf(before));
    expect((await browser.get('/')).text).toContain('All done');
    const old = portal.browser();
    for (const [name, value] of before) old.cookies.set(name, value);
    expect((await old.get('/')).text).toContain('Nothing to sign in for');
  });

  it('R34 changes its id when a link is opened, against session fixation', async () => {
    const planted = await opened();
    const before = idOf(planted.cookies);
    await planted.open(`/key/${KEY}`);
    expect(idOf(planted.cookies)).not.toBe(before);
  });

  it('R34 of a client without a cookie is made for the user of the link, and stored once', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    const files = (): string[] =>
      readdirSync(join(portal.directory, 'sessions')).filter((name) => name.endsWith('.session'));
    const tag = createHash('sha256').update('alice').digest('hex').slice(0, 16);
    const [one, other] = [portal.browser(), portal.browser()];
    await one.get(`/key/${KEY}`);
    expect(files()).toEqual([expect.stringMatching(`^${tag}-`)]);
    await other.get(`/key/${KEY}`);
    expect(files()).toHaveLength(2);
    const ids = [one, other].map(({ cookies }) => idOf(cookies));
    expect(ids.map((id) => id.slice(0, 16))).toEqual([tag, tag]);
    expect(new Set(ids)).toHaveProperty('size', 2);
  });

  it('R36 R37 a page that is rendered once has the CSRF token of each session and request', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    const [one, other] = [portal.browser(), portal.browser()];
    const pages = [
      await one.open(`/key/${KEY}`),
      await other.open(`/key/${KEY}`),
      await one.get('/'),
    ];
    const tokens = pages.map(csrfOf);
    expect(new Set(tokens)).toHaveProperty('size', 3);
    const [first = '', second = '', third = ''] = tokens;
    const bare = pages.map(({ text }, at) => text.replaceAll(tokens[at] ?? '', ''));
    expect(new Set(bare)).toHaveProperty('size', 1);
    expect((await one.post('/login/mytok', { _csrf: second })).status).toBe(403);
    expect((await one.post('/login/mytok', { _csrf: first })).status).toBe(303);
    expect((await one.post('/login/mytok', { _csrf: third })).status).toBe(303);
  });

  it('R34 a valid cookie does not make another signature valid', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const valid = browser.cookies.get('__Host-credmon') ?? '';
    expect((await browser.get('/')).text).toContain('mytok');
    const [id = ''] = valid.split('.');
    for (const cookie of [id, `${id}.`, `${valid}x`, `${id}x${valid.slice(id.length)}`]) {
      const stranger = await portal
        .browser()
        .get('/', { cookie: `__Host-credmon=${encodeURIComponent(cookie)}` });
      expect(stranger.text).toContain('Nothing to sign in for');
    }
    expect((await browser.get('/')).text).toContain('mytok');
  });

  it('R34 expires after half an hour without use, but not with use', async () => {
    const browser = await opened();
    for (let minutes = 0; minutes < 60; minutes += 20) {
      portal.now += 1200;
      expect((await browser.get('/')).text).toContain('Sign in to mytok');
    }
    portal.now += 1800;
    expect((await browser.get('/')).text).toContain('Nothing to sign in for');
  });

  it('R34 expires eight hours after it began, even with use', async () => {
    const browser = await opened();
    for (let uses = 0; uses < 31; uses += 1) {
      portal.now += 900;
      await browser.get('/');
    }
    expect((await browser.get('/')).text).toContain('Sign in to mytok');
    portal.now += 900;
    expect((await browser.get('/')).text).toContain('Nothing to sign in for');
  });

  it('R43 is stored in private files without ids and client secrets', async () => {
    const browser = await opened();
    const login = await browser.login('mytok');
    const folder = join(portal.directory, 'sessions');
    const names = readdirSync(folder);
    expect(names.map((name) => /\.(\w+)$/.exec(name)?.[1])).toEqual(
      expect.arrayContaining(['flow', 'session']),
    );
    for (const name of names) {
      expect((statSync(join(folder, name)).mode & 0o7777).toString(8)).toBe('600');
      expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(/canary/);
    }
    expect(names).toContain(
      `${idOf(browser.cookies).slice(0, 16)}-${createHash('sha256').update(idOf(browser.cookies)).digest('hex')}.session`,
    );
    expect(login.status).toBe(303);
  });
});

describe('the user of a login', () => {
  it.each([
    ['alice', 303],
    ['alice@EXAMPLE.ORG', 303],
    ['bob', 403],
    ['alice@EVIL.ORG', 403],
    ['Alice', 403],
    ['', 403],
  ])('R33 with REMOTE_USER "%s" from the proxy the link answers %i', async (user, status) => {
    portal = await startPortal({ remoteUser: { header: 'x-remote-user', realm: 'EXAMPLE.ORG' } });
    portal.writeKey(ad());
    expect((await portal.browser().get(`/key/${KEY}`, { 'x-remote-user': user })).status).toBe(
      status,
    );
  });

  it('R33 R40 REMOTE_USER is trusted only from the proxy, and checked at every step', async () => {
    const remoteUser = { header: 'x-remote-user' };
    const trust = { believed: true };
    portal = await startPortal(
      { remoteUser, secure: false },
      { isTrustedProxy: () => trust.believed },
    );
    portal.writeKey(ad());
    const browser = portal.browser();
    const headers = { 'x-remote-user': 'alice' };
    await browser.get(`/key/${KEY}`, headers);
    expect((await browser.get('/', headers)).status).toBe(200);
    expect((await browser.get('/')).status).toBe(403);
    expect((await browser.get('/login/mytok')).status).toBe(403);
    expect((await browser.get('/return/mytok?state=a&code=b')).status).toBe(403);
    trust.believed = false;
    expect((await browser.get('/', headers)).status).toBe(403);
  });

  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const knobs = {
    issuer: 'https://issuer.example',
    userClaim: 'preferred_username',
    extraScopes: ['openid'],
  };
  const provider = providerWith(knobs);

  it.each([
    ['alice', 303],
    ['bob', 403],
    [undefined, 403],
  ])('R27 R33 with the claim preferred_username %s the login answers %i', async (name, status) => {
    const browser = await opened(
      { providers: new Map([['MYTOK', provider]]) },
      {},
      ad({ Scopes: 'openid' }),
    );
    const login = await browser.login('mytok');
    const seconds = portal.now;
    const claims = {
      iss: knobs.issuer,
      aud: 'condor',
      sub: 'x',
      iat: seconds,
      exp: seconds + 60,
      nonce: new URL(login.location).searchParams.get('nonce'),
      preferred_username: name,
    };
    portal.answer = () => tokens({ id_token: signedIdToken(claims) });
    const page = await browser.complete(login, { code: 'c', iss: knobs.issuer });
    expect([page.status, page.text.includes('belongs to another user')]).toEqual([
      status,
      status === 403,
    ]);
    expect(publicKey.type).toBe('public');
  });

  it('R33 without an ID token, a login with a required claim is rejected', async () => {
    const browser = await opened({
      providers: new Map([['MYTOK', providerWith({ ...knobs, extraScopes: [] })]]),
    });
    expect((await browser.complete(await browser.login('mytok'))).status).toBe(403);
  });

  it('requests the scopes of the submit file and those that the administrator adds', async () => {
    const added = providerWith({ ...knobs, extraScopes: ['openid', 'offline_access'] });
    const browser = await opened(
      { providers: new Map([['MYTOK', added]]) },
      {},
      ad({ Scopes: 'read,write' }),
    );
    const { searchParams } = new URL((await browser.login('mytok')).location);
    expect(searchParams.get('scope')).toBe('read write openid offline_access');
    expect(searchParams.get('nonce')).not.toBeNull();
  });

  it('a configured issuer may send no ID token if none is requested', async () => {
    const known = providerWith({ issuer: knobs.issuer });
    const browser = await opened({ providers: new Map([['MYTOK', known]]) });
    const login = await browser.login('mytok');
    expect((await browser.complete(login, { code: 'c', iss: knobs.issuer })).status).toBe(303);
  });
});

describe('headers and limits', () => {
  it('R37 R39 no page uses another origin, a script or a referrer; forms can only be sent here and redirected to the issuers', async () => {
    const browser = await opened();
    const { headers, text } = await browser.get('/');
    expect(headers['content-security-policy']).toBe(
      "default-src 'none';style-src 'self';img-src 'self';base-uri 'none';frame-ancestors 'none';form-action 'self' https://issuer.example",
    );
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(text).not.toMatch(/<script|style=|(?:src|href)="https?:/);
    expect(text).not.toContain(KEY);
  });

  it('R37 R39 the page for an invalid URL has the same protection', async () => {
    portal = await startPortal();
    const { status, headers } = await portal.browser().get('/key/%zz');
    expect([status, headers['referrer-policy'], headers['cache-control']]).toEqual([
      400,
      'no-referrer',
      'no-store',
    ]);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('R40 a request without https is rejected, except for the health check', async () => {
    portal = await startPortal();
    const browser = portal.browser();
    const plain = { 'x-forwarded-proto': 'http' };
    expect((await browser.get('/', plain)).status).toBe(400);
    expect((await browser.get('/healthz', plain)).text).toBe('{"status":"ok"}');
  });

  it('R40 X-Forwarded-Proto of an untrusted peer is ignored', async () => {
    portal = await startPortal({}, { isTrustedProxy: () => false });
    expect((await portal.browser().get('/')).status).toBe(400);
  });

  it('R40 X-Forwarded-Host and Host never determine a link or redirect', async () => {
    const browser = await opened();
    for (const lies of [{ host: 'evil.example' }, { 'x-forwarded-host': 'evil.example' }]) {
      const { text, headers } = await browser.get('/', lies);
      expect(text + JSON.stringify(headers)).not.toContain('evil.example');
    }
  });

  it.each([
    [{ host: 'other.example' }, 421],
    [{ host: '192.0.2.1:8081' }, 421],
    [{ host: 'ap.example.evil.example' }, 421],
    [{ host: 'x@y' }, 421],
    [{ host: 'other.example', 'x-forwarded-host': 'evil.example' }, 421],
    [{ host: 'AP.example:8443' }, 303],
    [{ host: 'backend', 'x-forwarded-host': 'evil.example, ap.example' }, 303],
  ])(
    'a link opened as %j answers %i: with a wrong host name nothing is started, and the page links to the right one',
    async (names, status) => {
      portal = await startPortal();
      portal.writeKey(ad());
      const browser = portal.browser();
      const page = await browser.get(`/key/${KEY}`, names);
      expect(page.status).toBe(status);
      if (status === 303) return;
      expect(page.text).toContain(
        `<a class="button" href="https://ap.example/key/${KEY}">Continue at ap.example</a>`,
      );
      expect([browser.cookies.size, readdirSync(join(portal.directory, 'sessions'))]).toEqual([
        0,
        [],
      ]);
      for (const path of ['/', '/login/mytok', '/return/mytok?state=a&code=b'])
        expect((await browser.get(path, names)).text).toContain('href="https://ap.example/"');
      expect(portal.log.join('\n')).toMatch(/421 wrong-host, .*is not ap\.example, .*; fix: /);
      for (const path of [
        '/style.css',
        '/icon.svg',
        '/healthz',
        '/.well-known/openid-configuration',
      ])
        expect((await browser.get(path, names)).status).toBe(200);
    },
  );

  it('X-Forwarded-Host of an untrusted peer is ignored', async () => {
    portal = await startPortal({ secure: false }, { isTrustedProxy: () => false });
    const names = { host: 'other.example', 'x-forwarded-host': 'ap.example' };
    expect((await portal.browser().get('/', names)).status).toBe(421);
  });

  it('R40 the 301st request in a minute gets a page with status 429', async () => {
    portal = await startPortal({ requestsPerMinute: 3 });
    const browser = portal.browser();
    const statuses = [];
    for (let count = 0; count < 4; count += 1)
      statuses.push((await browser.get('/no-such-page')).status);
    expect(statuses).toEqual([404, 404, 404, 429]);
    const page = await browser.get('/');
    expect([page.status, page.text.includes('Wait a minute'), page.headers['retry-after']]).toEqual(
      [429, true, '60'],
    );
    expect((await browser.get('/healthz')).status).toBe(200);
  });

  it('R37 a HEAD request opens no session', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    expect((await portal.browser().head(`/key/${KEY}`)).status).toBe(404);
    expect(readdirSync(join(portal.directory, 'sessions'))).toEqual([]);
  });
});

describe('the redirect to the issuer', () => {
  it('R39 is a page with a refresh header in a browser, so that form-action does not apply to the redirects of a federation', async () => {
    const browser = await opened();
    const list = await browser.get('/');
    const page = await browser.post(
      '/login/mytok',
      { _csrf: csrfOf(list) },
      { 'sec-fetch-dest': 'document' },
    );
    const to =
      /^0; url=(https:\/\/issuer\.example\/auth\?\S+)$/.exec(
        String(page.headers['refresh']),
      )?.[1] ?? 'nowhere';
    expect(page.status).toBe(200);
    expect(page.text).toContain(`href="${to.replaceAll('&', '&amp;')}"`);
    expect((await browser.complete({ ...page, location: to })).status).toBe(303);
  });
});

describe('under a path', () => {
  it('all routes are under the path of CREDMON_WEB_PREFIX', async () => {
    portal = await startPortal({ prefix: 'https://ap.example/credmon', mount: '/credmon' });
    portal.writeKey(ad({ ReturnUrl: 'https://ap.example/credmon/return/mytok' }));
    const browser = portal.browser();
    const key = await browser.get(`/credmon/key/${KEY}`);
    expect([key.status, key.location]).toEqual([303, '/credmon/']);
    const list = await browser.get('/credmon/');
    expect(
      list.text
        .match(/(?:href|src|action)="[^"]*"/g)
        ?.filter((link) => !/="(\/credmon\/|#)/.test(link)),
    ).toEqual([]);
    const back = await browser.complete(await browser.login('mytok', '/credmon'));
    expect([back.status, back.location]).toEqual([303, '/credmon/']);
    for (const path of [
      '/credmon',
      '/credmon/style.css',
      '/credmon/healthz',
      '/credmon/.well-known/openid-configuration',
    ])
      expect((await browser.get(path)).status).toBe(200);
    expect((await browser.get('/')).status).toBe(404);
  });

  it('paths with two slashes, from a prefix with a trailing slash, work too', async () => {
    portal = await startPortal();
    portal.writeKey(ad({ ReturnUrl: 'https://ap.example//return/mytok' }));
    const browser = portal.browser();
    expect((await browser.get(`//key/${KEY}`)).status).toBe(303);
    expect((await browser.complete(await browser.login('mytok'))).status).toBe(303);
  });
});

describe('the log', () => {
  it('R43 never contains a code, state, verifier, token, secret or key', async () => {
    const browser = await opened({}, {}, [ad(), ad({ Provider: 'other' })].join('\n'));
    const login = await browser.login('mytok');
    await browser.complete(login, { error: 'access_denied', code: 'canary-code' });
    await browser.complete(login);
    const again = await browser.login('mytok');
    await browser.complete(again);
    await browser.complete(again);
    await browser.get('/return/mytok?code=canary&state=canary');
    await browser.get('/canary?code=canary');
    await browser.get('/key/canary');
    await browser.post(
      '/login/canary',
      { _csrf: 'canary' },
      { 'content-type': 'application/json' },
    );
    const states = [login, again].map(
      ({ location }) => new URL(location).searchParams.get('state') ?? '',
    );
    const text = portal.log.join('\n');
    expect(text).toContain('login of alice for mytok done');
    for (const secret of ['canary', KEY, ...states]) expect(text).not.toContain(secret);
  });

  it('R43 contains only the name of an error that is not ours, because its text may quote input', async () => {
    const broken = (): never => {
      throw Object.assign(new RangeError('canary'), { code: 'EODD' });
    };
    portal = await startPortal({}, { flows: { append: broken, read: broken, remove: broken } });
    portal.writeKey(ad());
    const page = await portal.browser().get(`/key/${KEY}`);
    expect([page.status, page.text.includes('canary')]).toEqual([503, false]);
    expect(portal.log.join('\n')).toMatch(
      /503 unexpected, reference [0-9a-f]{12}: RangeError EODD$/m,
    );
    expect(portal.log.join('\n')).not.toContain('canary');
  });
});
