// The question before a token is stored: is this account yours?
import { signedIdToken } from '@credmon/test-fixtures/issuer/signed-id-token';
import { appendFileSync, existsSync, readFileSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '@credmon/core/base';
import { openCredentialFiles } from '../src/host/credential-files.ts';
import { readAnswer } from '../src/flow/held-answer.ts';
import type { Ports } from '../src/flow/ports.ts';
import type { Settings } from '../src/settings/settings.ts';
import { csrfOf, type Browser, type Page } from './support/browser.ts';
import {
  KEY,
  ad,
  json,
  settingsFor,
  startPortal,
  tokens,
  type Portal,
  providerWith,
} from './support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

const OTHER = 'cd'.repeat(32);
const words = ({ text }: Page): string =>
  text
    .replace(/<head>[^]*<\/head>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
const stored = (): string[] =>
  readdirSync(portal.credentials).filter((name) => name !== KEY && name !== OTHER);
const sessionFiles = (): string[] => readdirSync(join(portal.directory, 'sessions'));
const heldAnswers = (): string[] => sessionFiles().filter((name) => name.endsWith('.answer'));

/** Opens a link and signs in; returns the browser and the address of the question. */
async function asked(
  changes: Partial<Settings> = {},
  ports: Partial<Ports> = {},
  text: string = ad(),
): Promise<{ browser: Browser; at: string }> {
  portal = await startPortal(changes, ports);
  portal.writeKey(text);
  const browser = portal.browser();
  await browser.open(`/key/${KEY}`);
  const { status, location } = await browser.get(browser.returnFrom(await browser.login('mytok')));
  expect([status, location]).toEqual([303, expect.stringMatching(/^\/confirm\/[\w-]+$/)]);
  return { browser, at: location };
}

const ISSUER = 'https://issuer.example';
const provider = (more: Parameters<typeof providerWith>[0] = {}): Partial<Settings> => ({
  providers: new Map([
    ['MYTOK', providerWith({ issuer: ISSUER, extraScopes: ['openid'], ...more })],
  ]),
});

/**
 * Signs in at an issuer that sends an ID token with these claims; returns the page after
 * the callback.
 */
async function signedInAs(claims: Record<string, unknown>, changes: Partial<Settings>) {
  portal = await startPortal(changes);
  portal.writeKey(ad());
  const browser = portal.browser();
  await browser.open(`/key/${KEY}`);
  const login = await browser.login('mytok');
  const seconds = portal.now;
  const nonce = new URL(login.location).searchParams.get('nonce');
  const all = { iss: ISSUER, aud: 'condor', iat: seconds, exp: seconds + 60, nonce, ...claims };
  portal.answer = () => tokens({ id_token: signedIdToken(all) });
  return {
    browser,
    back: await browser.get(browser.returnFrom(login, { code: 'c', iss: ISSUER })),
  };
}

describe('R33 the question about the account', () => {
  it('shows account, provider, local account, host and granted scopes before anything is stored', async () => {
    const claims = { sub: 's-1', preferred_username: 'alice@lab.example', name: 'Alice A.' };
    const { browser, back } = await signedInAs(claims, provider());
    expect([stored(), heldAnswers().length]).toEqual([[], 1]);
    const page = await browser.get(back.location);
    expect(page.status).toBe(200);
    for (const text of [
      'alice@lab.example (Alice A.)',
      'mytok (issuer.example)',
      'Local account alice',
      'Access Point ap.example',
      'Store for alice',
      'Do not store',
      'read',
      'write',
      'discarded in 10 min',
    ])
      expect(words(page)).toContain(text);
    expect(page.text).not.toMatch(/canary/);
  });

  it('says if the provider does not name the account, and shows the granted scopes', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    portal.answer = () => tokens({ scope: 'read' });
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const back = await browser.get(browser.returnFrom(await browser.login('mytok')));
    const page = await browser.get(back.location);
    expect(words(page)).toContain('Signed in as an account that mytok does not name');
    expect(words(page)).toContain('Scopes read The provider did not grant: write');
  });

  it('stores the files after "store", and removes the answer and the key file', async () => {
    const { browser, at } = await asked();
    const done = await browser.decide(at, 'store');
    expect([done.status, done.location]).toEqual([303, '/']);
    expect((await browser.get('/')).text).toContain('All done');
    expect([stored(), heldAnswers(), existsSync(join(portal.credentials, KEY))]).toEqual([
      ['alice'],
      [],
      false,
    ]);
    expect(portal.tokenFiles()['mytok.use']).toMatchObject({
      content: { issued_at: 1_800_000_000 },
    });
  });

  it('stores the time of the response of the issuer, not of the decision of the user', async () => {
    const { browser, at } = await asked();
    portal.now += 120;
    await browser.decide(at, 'store');
    expect(portal.tokenFiles()['mytok.use']).toMatchObject({
      content: { issued_at: 1_800_000_000, expires_at: 1_800_000_600 },
    });
  });

  it('writes nothing after "do not store", removes the answer, and the list still requests the token', async () => {
    const { browser, at } = await asked();
    const after = await browser.decide(at, 'decline');
    expect([after.status, after.location]).toEqual([303, at]);
    const page = await browser.get(at);
    expect([page.status, words(page)]).toEqual([
      200,
      expect.stringContaining('Nothing was stored'),
    ]);
    expect(words(page)).toContain('is valid until it expires');
    expect([stored(), heldAnswers(), portal.sent.length]).toEqual([[], [], 1]);
    expect((await browser.get('/')).text).toContain('Sign in to mytok for alice');
    expect(words(await browser.get('/'))).not.toContain('The last attempt failed');
    expect((await browser.complete(await browser.login('mytok'))).status).toBe(303);
    expect(stored()).toEqual(['alice']);
  });

  it.each([
    ['revoked', 200, 'The provider has revoked it'],
    ['not revoked by an issuer that fails', 503, 'is valid until it expires'],
  ])(
    'a declined refresh token is %s if the revocation URL is configured',
    async (_title, status, text) => {
      const revocationUrl = 'https://issuer.example/revoke';
      const { browser, at } = await asked({
        providers: new Map([['MYTOK', providerWith({ revocationUrl })]]),
      });
      portal.answer = () => json('', status);
      await browser.decide(at, 'decline');
      expect(words(await browser.get(at))).toContain(text);
      const last = portal.sent.at(-1);
      const form = new URLSearchParams(String(last?.body));
      expect([last?.url, form.get('token_type_hint'), form.get('token')]).toEqual([
        revocationUrl,
        'refresh_token',
        expect.stringMatching(/^canary-refresh-/),
      ]);
      expect(portal.log.join('\n')).not.toContain('canary');
    },
  );

  it('is not asked if a claim of this provider identifies the user', async () => {
    const { back } = await signedInAs({ sub: 'alice' }, provider({ userClaim: 'sub' }));
    expect([back.status, back.location, stored()]).toEqual([303, '/', ['alice']]);
  });

  it('is not asked if REMOTE_USER identifies the user', async () => {
    portal = await startPortal({ remoteUser: { header: 'x-remote-user' } });
    portal.writeKey(ad());
    const browser = portal.browser();
    const headers = { 'x-remote-user': 'alice' };
    await browser.get(`/key/${KEY}`, headers);
    const list = await browser.get('/', headers);
    const login = await browser.post('/login/mytok', { _csrf: csrfOf(list) }, headers);
    const back = await browser.get(browser.returnFrom(login), headers);
    expect([back.location, stored()]).toEqual(['/', ['alice']]);
  });

  it('is asked for one provider although a claim identifies the user at another', async () => {
    portal = await startPortal({
      providers: new Map([['OTHER', providerWith({ issuer: ISSUER, userClaim: 'sub' })]]),
    });
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    expect((await browser.get(browser.returnFrom(await browser.login('mytok')))).location).toMatch(
      /^\/confirm\//,
    );
    expect(
      (
        await browser.get(
          browser.returnFrom(await browser.login('other'), { code: 'c', iss: ISSUER }),
        )
      ).status,
    ).toBe(403);
  });

  it('is the same page after a reload, and when it is opened again from the list', async () => {
    const { browser, at } = await asked();
    for (let reload = 0; reload < 3; reload += 1) expect((await browser.get(at)).status).toBe(200);
    const list = await browser.get('/');
    expect(list.text).toContain(`href="${at}"`);
    await browser.open(`/key/${KEY}`);
    expect((await browser.decide(at, 'store')).location).toBe('/');
    expect(stored()).toEqual(['alice']);
  });

  it('is shown again if the provider redirects the browser a second time', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const path = browser.returnFrom(await browser.login('mytok'));
    const { location } = await browser.get(path);
    expect((await browser.get(path)).location).toBe(location);
    expect(portal.sent).toHaveLength(1);
  });
});

describe('R33 R36 a decision', () => {
  it('stores once, even if the button is pressed several times at several replicas', async () => {
    const { browser, at } = await asked({}, {}, [ad(), ad({ Provider: 'other' })].join('\n'));
    let writes = 0;
    const real = openCredentialFiles(portal.credentials);
    const files = {
      ...real,
      writeToken: (...args: Parameters<typeof real.writeToken>) => {
        writes += 1;
        real.writeToken(...args);
      },
    };
    const replicas = [
      browser.at(await portal.replica({ files })),
      browser.at(await portal.replica({ files })),
    ];
    const fields = { _csrf: csrfOf(await browser.get(at)), decision: 'store' };
    const pages = await Promise.all([...replicas, ...replicas].map((one) => one.post(at, fields)));
    expect(pages.map(({ status, location }) => [status, location])).toEqual(
      pages.map(() => [303, '/']),
    );
    expect(writes).toBe(1);
    expect((await browser.post(at, fields)).location).toBe('/');
    expect(writes).toBe(1);
  });

  it('without a CSRF token, with that of another session, or with an unknown value changes nothing', async () => {
    const { browser, at } = await asked();
    const mallory = portal.browser();
    const stolen = csrfOf(await mallory.open(`/key/${KEY}`));
    const csrf = csrfOf(await browser.get(at));
    expect((await browser.post(at, { decision: 'store' })).status).toBe(403);
    expect((await browser.post(at, { decision: 'store', _csrf: stolen })).status).toBe(403);
    expect((await browser.post(at, { decision: 'maybe', _csrf: csrf })).status).toBe(400);
    expect((await mallory.post(at, { decision: 'store', _csrf: stolen })).status).toBe(410);
    expect((await mallory.get(at)).status).toBe(410);
    expect([stored(), heldAnswers().length]).toEqual([[], 1]);
  });

  it('expires after ten minutes: nothing is stored, and the answer is removed', async () => {
    const { browser, at } = await asked();
    const csrf = csrfOf(await browser.get(at));
    portal.now += 599;
    expect(words(await browser.get(at))).toContain('discarded in 1 min');
    portal.now += 1;
    expect((await browser.get(at)).status).toBe(410);
    expect((await browser.post(at, { _csrf: csrf, decision: 'store' })).status).toBe(410);
    expect(stored()).toEqual([]);
    expect((await browser.get('/')).text).not.toContain(at);
  });

  it.each([
    ['of another local user', () => portal.writeKey(ad({ LocalUser: 'bob' })), 422],
    ['with other contents', () => portal.writeKey(ad({ Scopes: 'read, write, admin' })), 422],
    ['that is gone', () => rmSync(join(portal.credentials, KEY)), 404],
  ])(
    'with a key file %s stores nothing, and the answer is removed',
    async (_title, change, status) => {
      const { browser, at } = await asked();
      const csrf = csrfOf(await browser.get(at));
      change();
      expect((await browser.get(at)).status).toBe(status);
      expect((await browser.post(at, { _csrf: csrf, decision: 'store' })).status).toBe(status);
      expect([stored(), heldAnswers()]).toEqual([[], []]);
    },
  );

  it('R41 that fails on a full disk is explained, and can be repeated', async () => {
    const full = { now: true };
    portal = await startPortal();
    const real = openCredentialFiles(portal.credentials);
    const browser = await portal.replica({
      files: {
        ...real,
        writeToken: (...args) => {
          if (full.now) throw new CodedError('CRED_FILE_IO', 'cannot write the token: ENOSPC');
          real.writeToken(...args);
        },
      },
    });
    portal.writeKey(ad());
    await browser.open(`/key/${KEY}`);
    const { location: at } = await browser.get(browser.returnFrom(await browser.login('mytok')));
    const page = await browser.decide(at, 'store');
    expect([page.status, words(page)]).toEqual([
      503,
      expect.stringContaining('The token could not be stored'),
    ]);
    expect([stored(), heldAnswers().length]).toEqual([[], 1]);
    full.now = false;
    expect((await browser.decide(at, 'store')).location).toBe('/');
    expect([stored(), heldAnswers()]).toEqual([['alice'], []]);
  });

  it('of a process that died can be repeated half a minute later', async () => {
    const { browser, at } = await asked();
    const csrf = csrfOf(await browser.get(at));
    const [flow = ''] = sessionFiles().filter((name) => name.endsWith('.flow'));
    const path = join(portal.directory, 'sessions', flow);
    const id = at.split('/').at(-1);
    appendFileSync(
      path,
      `${JSON.stringify({ type: 'decided', at: portal.now, answer: id, attempt: 'dead' })}\n`,
    );
    utimesSync(path, portal.now, portal.now);
    await browser.post(at, { _csrf: csrf, decision: 'store' });
    expect(stored()).toEqual([]);
    portal.now += 30;
    await browser.post(at, { _csrf: csrf, decision: 'store' });
    expect(stored()).toEqual(['alice']);
  });

  it('is rejected if a claim was configured meanwhile and does not match', async () => {
    const { browser, at } = await asked();
    const strict = await portal.replica({}, provider({ userClaim: 'sub' }));
    expect((await browser.at(strict).decide(at, 'store')).status).toBe(403);
    expect(stored()).toEqual([]);
  });
});

describe('R43 tokens that wait for a decision', () => {
  it('cannot be decrypted without the cookie, and their files are private', async () => {
    await asked();
    expect(heldAnswers()).toHaveLength(1);
    for (const name of sessionFiles())
      expect(readFileSync(join(portal.directory, 'sessions', name), 'utf8')).not.toMatch(/canary/);
  });

  it('cannot be decrypted with a session forged from the files', async () => {
    const { browser, at } = await asked();
    const sealed = readFileSync(join(portal.directory, 'sessions', heldAnswers()[0] ?? ''), 'utf8');
    const answers = {
      put: async () => undefined,
      read: async () => sealed,
      remove: async () => undefined,
    };
    const [flow = ''] = sessionFiles().filter((name) => name.endsWith('.session'));
    const known = readFileSync(join(portal.directory, 'sessions', flow), 'utf8');
    const { session } = JSON.parse(known) as { session: { flow: string } };
    const id = at.split('/').at(-1) ?? '';
    const context = {
      settings: settingsFor(portal.directory),
      ports: { answers } as unknown as Ports,
    };
    const opened = (cookie: string) => readAnswer(context, { flow: session.flow, id: cookie }, id);
    expect(await opened(session.flow)).toBeUndefined();
    const own = decodeURIComponent(browser.cookies.get('__Host-credmon') ?? '').split('.')[0] ?? '';
    expect(await opened(own)).toMatchObject({ answer: { refreshToken: expect.any(String) } });
    expect((await browser.get(at)).status).toBe(200);
  });

  it('do not appear in the log, nor do their accounts', async () => {
    const { browser, back } = await signedInAs(
      { sub: 'canary-sub', name: 'canary-name' },
      provider(),
    );
    await browser.decide(back.location, 'decline');
    expect(portal.log.join('\n')).toContain('declined by the user');
    expect(portal.log.join('\n')).not.toContain('canary');
  });
});

describe('R33 a link of another account', () => {
  const both = async (changes: Partial<Settings> = {}) => {
    portal = await startPortal(changes);
    portal.writeKey(ad());
    portal.writeKey(ad({ LocalUser: 'bob' }), OTHER);
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    return browser;
  };

  it('shows both accounts and the host, and changes nothing, not even a login in progress', async () => {
    const browser = await both();
    const login = await browser.login('mytok');
    const link = await browser.get(`/key/${OTHER}`);
    expect([link.status, link.location]).toEqual([303, '/switch']);
    const page = await browser.get('/switch');
    expect(words(page)).toContain('Open list alice Opened link bob Access Point ap.example');
    expect(page.text).not.toMatch(new RegExp(`${KEY}|${OTHER}`));
    expect((await browser.complete(login)).status).toBe(303);
    expect(stored()).toEqual(['alice']);
  });

  it.each([
    ['open', 'alice'],
    ['offered', 'bob'],
  ])('answered with "%s" leads to the list of %s', async (keep, user) => {
    const browser = await both();
    const page = await browser.open(`/key/${OTHER}`);
    const offer = /name="offer" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const after = await browser.post('/switch', { _csrf: csrfOf(page), offer, keep });
    expect([after.status, after.location]).toEqual([303, '/']);
    expect((await browser.get('/')).text).toContain(`Sign in to mytok for ${user}`);
    expect((await browser.get('/switch')).location).toBe('/');
    expect(sessionFiles().filter((name) => name.endsWith('.flow'))).toHaveLength(1);
  });

  it('is not opened without a CSRF token, nor by the button of a page for another link', async () => {
    const browser = await both();
    const page = await browser.open(`/key/${OTHER}`);
    const offer = /name="offer" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    expect((await browser.post('/switch', { offer, keep: 'offered' })).status).toBe(403);
    portal.writeKey(ad({ LocalUser: 'carol' }), 'ef'.repeat(32));
    await browser.open(`/key/${'ef'.repeat(32)}`);
    expect(
      (await browser.post('/switch', { _csrf: csrfOf(page), offer, keep: 'offered' })).status,
    ).toBe(403);
    expect((await browser.get('/')).text).toContain('Sign in to mytok for alice');
  });

  it('R41 that is no longer valid is explained, and the list is unchanged', async () => {
    const browser = await both();
    expect((await browser.get(`/key/${'0'.repeat(64)}`)).status).toBe(404);
    rmSync(join(portal.credentials, OTHER));
    expect((await browser.get(`/key/${OTHER}`)).status).toBe(404);
    expect((await browser.get('/')).text).toContain('Sign in to mytok for alice');
  });

  it('is opened at once if the proxy identifies the account', async () => {
    portal = await startPortal({ remoteUser: { header: 'x-remote-user' } });
    portal.writeKey(ad());
    portal.writeKey(ad({ LocalUser: 'bob' }), OTHER);
    const browser = portal.browser();
    await browser.get(`/key/${KEY}`, { 'x-remote-user': 'alice' });
    expect((await browser.get(`/key/${OTHER}`, { 'x-remote-user': 'bob' })).location).toBe('/');
    expect((await browser.get('/', { 'x-remote-user': 'bob' })).text).toContain('for bob');
  });
});
