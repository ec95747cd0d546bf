// Whole logins over HTTP, from the link to the token files, and concurrent logins.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csrfOf } from './support/browser.ts';
import { KEY, ad, providerWith, startPortal, tokens, type Portal } from './support/portal.ts';

/** The default lifetime of a provider, and the members of an answer. */
interface LifetimeCase {
  readonly tokenLifetime?: number;
  readonly expires_in?: number;
  readonly expires_at?: number;
}

let portal: Portal;
beforeEach(async () => {
  portal = await startPortal();
});
afterEach(() => portal.close());

describe('a whole login', () => {
  it('writes the three files, tells the user to submit again, and removes the key file', async () => {
    portal.writeKey(ad());
    portal.answer = () =>
      tokens({ access_token: 'at-1', refresh_token: 'rt-1', scope: 'read write' });
    const browser = portal.browser();

    const list = await browser.open(`/key/${KEY}`);
    expect(list.status).toBe(200);
    for (const text of [
      'alice',
      'ap.example',
      'mytok',
      'read',
      'write',
      'issuer.example',
      'Sign in to mytok for alice',
    ])
      expect(list.text).toContain(text);

    const login = await browser.login('mytok');
    expect(login.status).toBe(303);
    const asked = Object.fromEntries(new URL(login.location).searchParams);
    expect(login.location).toMatch(/^https:\/\/issuer\.example\/auth\?/);
    expect(asked).toEqual({
      client_id: 'condor',
      response_type: 'code',
      redirect_uri: 'https://ap.example/return/mytok',
      scope: 'read write',
      state: expect.stringMatching(/^[\w-]{32}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(portal.log).toContain(
      'login of alice for mytok begun at https://issuer.example, redirect URI https://ap.example/return/mytok',
    );

    const back = await browser.complete(login);
    expect([back.status, back.location]).toEqual([303, '/']);
    const done = await browser.get('/');
    expect(done.text).toContain('All done');
    expect(done.text).toContain('submit your job again');

    expect(portal.tokenFiles()).toEqual({
      'mytok.top': { mode: '400', content: { refresh_token: 'rt-1', scopes: 'read, write' } },
      'mytok.use': {
        mode: '400',
        content: {
          access_token: 'at-1',
          token_type: 'bearer',
          scope: 'read write',
          expires_in: 600,
          issued_at: 1_800_000_000,
          expires_at: 1_800_000_600,
        },
      },
      'mytok.meta': {
        mode: '400',
        content: {
          client_id: 'condor',
          client_secret: 'canary-client-secret',
          token_url: 'https://issuer.example/token',
          signed_in_at: 1_800_000_000,
          use_refresh_token: true,
        },
      },
    });
    expect(existsSync(join(portal.credentials, KEY))).toBe(false);
    const [request] = portal.sent;
    const body = new URLSearchParams(String(request?.body));
    expect(body.get('code')).toBe('canary-code');
    expect(body.get('redirect_uri')).toBe('https://ap.example/return/mytok');
    expect(body.get('code_verifier')).toMatch(/^[\w-]{64}$/);
  });

  it('signs in for several tokens with one ReturnUrl, shows handles, removes the domain, and keeps the key file until the last token', async () => {
    const shared = {
      ReturnUrl: 'https://ap.example/return/mytok',
      LocalUser: 'alice@pool.example',
    };
    portal.writeKey(
      [ad(shared), ad({ ...shared, Handle: 'h1', Scopes: '', Audience: 'https://a.example' })].join(
        '\n',
      ),
    );
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const [first, second] = [await browser.login('mytok'), await browser.login('mytok_h1')];
    expect(new URL(second.location).searchParams.get('resource')).toBe('https://a.example');
    expect(new URL(second.location).searchParams.has('scope')).toBe(false);
    await browser.complete(second);
    expect(existsSync(join(portal.credentials, KEY))).toBe(true);
    expect((await browser.get('/')).text).toContain('1 is still missing');
    await browser.complete(first);
    expect(Object.keys(portal.tokenFiles()).sort()).toEqual(
      ['mytok', 'mytok_h1'].flatMap((stem) => [`${stem}.meta`, `${stem}.top`, `${stem}.use`]),
    );
    expect(portal.tokenFiles()['mytok_h1.top']).toMatchObject({
      content: { audience: 'https://a.example' },
    });
    expect(existsSync(join(portal.credentials, KEY))).toBe(false);
  });

  it('without a refresh token is shown on the page and recorded in the files', async () => {
    portal.writeKey([ad(), ad({ Handle: 'b' })].join('\n'));
    portal.answer = () => tokens({ refresh_token: undefined });
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    await browser.complete(await browser.login('mytok'));
    expect((await browser.get('/')).text).toContain('cannot be renewed');
    expect(portal.tokenFiles()).toMatchObject({
      'mytok.top': { content: { refresh_token: '', scopes: 'read, write' } },
      'mytok.meta': { content: { use_refresh_token: false } },
    });
  });

  it('without a refresh token, but of a provider whose tokens do not expire, is not called temporary', async () => {
    const providers = new Map([['MYTOK', providerWith({ tokenLifetime: 'unlimited' })]]);
    const browser = await portal.replica({}, { providers });
    portal.writeKey([ad(), ad({ Handle: 'b' })].join('\n'));
    portal.answer = () => tokens({ refresh_token: undefined, expires_in: undefined });
    await browser.open(`/key/${KEY}`);
    await browser.complete(await browser.login('mytok'));
    const { text } = await browser.get('/');
    expect(text).toContain('This token does not expire');
    expect(text).not.toContain('cannot be renewed');
    const { content } = portal.tokenFiles()['mytok.use'] as { content: Record<string, unknown> };
    expect(content).toEqual({
      access_token: expect.stringMatching(/^canary-access-/),
      token_type: 'bearer',
      issued_at: 1_800_000_000,
      does_not_expire: true,
    });
    expect(portal.log).toContain('login of alice for mytok done; it does not expire');
  });

  it.each([
    ['the general default', {}, 1200],
    ['the default of its provider', { tokenLifetime: 7200 }, 7200],
    ['ten years at most', { expires_in: 631_138_518 }, 315_360_000],
    ['the time to expires_at', { expires_at: 1_800_007_200 }, 7200],
  ])(
    'R15 has as its lifetime %s',
    async (_, { tokenLifetime, ...fields }: LifetimeCase, seconds) => {
      const providers = new Map([['MYTOK', providerWith({ tokenLifetime })]]);
      const browser = await portal.replica({}, { providers });
      portal.writeKey(ad());
      portal.answer = () => tokens({ expires_in: undefined, ...fields });
      await browser.open(`/key/${KEY}`);
      await browser.complete(await browser.login('mytok'));
      expect(portal.tokenFiles()).toMatchObject({
        'mytok.use': { content: { expires_in: seconds, expires_at: 1_800_000_000 + seconds } },
      });
    },
  );

  it('R30 shows the scopes that were not granted, and stores the requested scopes in .top', async () => {
    portal.writeKey(ad());
    portal.answer = () => tokens({ scope: 'read' });
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    await browser.complete(await browser.login('mytok'));
    expect((await browser.get('/')).text).toMatch(/did not grant: <code>write<\/code>/);
    expect(portal.tokenFiles()).toMatchObject({
      'mytok.top': { content: { scopes: 'read, write' } },
    });
  });

  it('shows the stored tokens if the link is opened in another browser', async () => {
    portal.writeKey([ad(), ad({ Handle: 'b' })].join('\n'));
    const [first, second] = [portal.browser(), portal.browser()];
    await first.open(`/key/${KEY}`);
    await first.complete(await first.login('mytok'));
    const list = await second.open(`/key/${KEY}`);
    expect(list.text.match(/class="state">[^<]*/g)).toEqual([
      'class="state">Signed in',
      'class="state">Waiting for you',
    ]);
    await second.complete(await second.login('mytok_b'));
    expect((await second.get('/')).text).toContain('All done');
  });

  it('is found by the "provider handle" of older links', async () => {
    portal.writeKey(ad({ Handle: 'h1' }));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    expect((await browser.get('/login/mytok%20h1')).status).toBe(200);
  });
});

describe('R36 at the same time', () => {
  it('two tabs of one browser finish in any order, and no login is lost', async () => {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const logins = await Promise.all([browser.login('mytok'), browser.login('other')]);
    const pages = await Promise.all(logins.map((login) => browser.complete(login)));
    expect(pages.map(({ status }) => status)).toEqual([303, 303]);
    expect((await browser.get('/')).text).toContain('All done');
  });

  it('two tabs at the same provider each get a response, and each code is sent with its own verifier', async () => {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const [one, two] = [await browser.login('mytok'), await browser.login('mytok')];
    expect((await browser.complete(two, { code: 'canary-2' })).status).toBe(303);
    expect((await browser.complete(one, { code: 'canary-1' })).status).toBe(303);
    const challenges = portal.sent.map(({ body }) => {
      const verifier = new URLSearchParams(String(body)).get('code_verifier') ?? '';
      return createHash('sha256').update(verifier).digest('base64url');
    });
    expect(challenges).toEqual(
      [two, one].map(({ location }) => new URL(location).searchParams.get('code_challenge')),
    );
  });

  it('two replicas share the session: a login begins at one and finishes at the other, and a state works once', async () => {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const here = portal.browser();
    await here.open(`/key/${KEY}`);
    const there = here.at(await portal.replica());
    const path = here.returnFrom(await here.login('mytok'));
    const statuses = (await Promise.all([here.get(path), there.get(path)])).map(
      ({ status }) => status,
    );
    expect(statuses.toSorted((one, other) => one - other)).toEqual([303, 410]);
    expect(portal.sent).toHaveLength(1);
  });

  it('R23 a state works once even while its first return is in progress', async () => {
    portal.writeKey(ad());
    const here = portal.browser();
    await here.open(`/key/${KEY}`);
    const there = here.at(await portal.replica());
    const path = here.returnFrom(await here.login('mytok'));
    const asked = new Promise<() => void>((tell) => {
      portal.answer = () => new Promise((resolve) => tell(() => resolve(tokens())));
    });
    const first = here.get(path);
    const release = await asked;
    expect((await there.get(path)).status).toBe(410);
    release();
    expect((await first).status).toBe(303);
    expect(portal.sent).toHaveLength(1);
  });

  it('a return that began before another tab finished is accepted', async () => {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const [one, two] = [await browser.login('mytok'), await browser.login('other')];
    const early = browser.another();
    for (const [name, value] of browser.cookies) early.cookies.set(name, value);
    expect((await browser.complete(one)).status).toBe(303);
    expect((await early.get(browser.returnFrom(two))).status).toBe(303);
  });

  it('a second link of the same account replaces the first in the same browser, and a form of the first is rejected', async () => {
    portal.writeKey(ad());
    portal.writeKey(ad({ Provider: 'other' }), 'cd'.repeat(32));
    const browser = portal.browser();
    const first = await browser.open(`/key/${KEY}`);
    await browser.open(`/key/${'cd'.repeat(32)}`);
    expect((await browser.post('/login/mytok', { _csrf: csrfOf(first) })).status).toBe(403);
  });
});
