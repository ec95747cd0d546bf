// Which tokens "Do not store" revokes: never one that another sign-in has too.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '@credmon/core/base';
import { openCredentialFiles } from '../src/host/credential-files.ts';
import type { Browser, Page } from './support/browser.ts';
import { KEY, ad, json, startPortal, tokens, type Portal, providerWith } from './support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

const revocationUrl = 'https://issuer.example/revoke';
const SHARED = 'that could also end another sign-in that is stored on ap.example or in progress';
const words = ({ text }: Page): string =>
  text
    .replace(/<head>[^]*<\/head>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
const revoked = (): (string | null)[] =>
  portal.sent
    .filter(({ url }) => url === revocationUrl)
    .map(({ body }) => new URLSearchParams(String(body)).get('token'));

/**
 * A browser with a list of two tokens, and an issuer that answers each sign-in with these
 * fields.
 */
async function opened(fields: Record<string, unknown>): Promise<Browser> {
  const provider = providerWith({ revocationUrl });
  portal = await startPortal({
    providers: new Map([
      ['MYTOK', provider],
      ['OTHER', provider],
    ]),
  });
  portal.writeKey([ad(), ad({ Provider: 'other' }), ad({ Provider: 'third' })].join('\n'));
  portal.answer = ({ url }) => (url === revocationUrl ? json('') : tokens(fields));
  const browser = portal.browser();
  await browser.open(`/key/${KEY}`);
  return browser;
}

/** Signs in; returns the address of the question. */
async function question(browser: Browser, stem = 'mytok'): Promise<string> {
  return (await browser.get(browser.returnFrom(await browser.login(stem)))).location;
}

/** Stores a token like an earlier sign-in or a renewal. */
function store(
  user: string,
  stem: string,
  refreshToken: string,
  accessToken = 'stored-access',
  use = JSON.stringify({ access_token: accessToken }),
): void {
  mkdirSync(join(portal.credentials, user), { recursive: true, mode: 0o700 });
  openCredentialFiles(portal.credentials).writeToken(user, stem, {
    meta: '{}',
    use,
    top: JSON.stringify({ refresh_token: refreshToken }),
  });
}

const none = { refresh_token: undefined };

describe('R33 a declined token that is not revoked, because another sign-in has it:', () => {
  it.each([
    ['stored under the same name', 'alice', 'mytok'],
    ['stored under another name', 'alice', 'third_handle'],
    ['stored for another user', 'bob', 'mytok'],
  ])('a refresh token that is %s', async (_title, user, stem) => {
    const browser = await opened({ refresh_token: 'same' });
    store(user, stem, 'same');
    // The list has no button for a stored token; the page of the token has one.
    const page = await browser.get('/login/mytok');
    const csrf = /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const login = await browser.post('/login/mytok', { _csrf: csrf });
    const at = (await browser.get(browser.returnFrom(login))).location;
    await browser.decide(at, 'decline');
    const text = words(await browser.get(at));
    expect([revoked(), text]).toEqual([[], expect.stringContaining(SHARED)]);
    expect(text).toContain('The tokens that are stored for alice on ap.example were not changed');
    expect(text).not.toMatch(/did not get it|no copy of it/);
    expect(portal.tokenFiles(user)[`${stem}.top`]).toMatchObject({
      content: { refresh_token: 'same' },
    });
    expect(portal.log.join('\n')).toContain('not revoked, because another sign-in may need them');
  });

  it('a refresh token that waits for a decision about another token', async () => {
    const browser = await opened({ refresh_token: 'same' });
    const [one, two] = [await question(browser), await question(browser, 'other')];
    await browser.decide(one, 'decline');
    expect([revoked(), words(await browser.get(one))]).toEqual([
      [],
      expect.stringContaining(SHARED),
    ]);
    await browser.decide(two, 'store');
    expect(portal.tokenFiles()['other.top']).toMatchObject({ content: { refresh_token: 'same' } });
  });

  it('any token, while the return of another sign-in is in progress', async () => {
    const browser = await opened({ refresh_token: 'same' });
    const at = await question(browser);
    const path = browser.returnFrom(await browser.login('other'));
    let release = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      release = resolve;
    });
    const asked = new Promise<void>((resolve) => {
      portal.answer = async ({ url }) => {
        if (url === revocationUrl) return json('');
        resolve();
        await answered;
        return tokens({ refresh_token: 'same' });
      };
    });
    const back = browser.get(path);
    await asked;
    await browser.decide(at, 'decline');
    release();
    expect([revoked(), (await back).status]).toEqual([[], 303]);
  });

  it.each([
    ['as JSON', undefined],
    ['bare', 'same\n'],
  ])('an access token that is stored %s', async (_, use) => {
    const browser = await opened({ ...none, access_token: 'same' });
    store('bob', 'third', '', 'same', use);
    const at = await question(browser);
    await browser.decide(at, 'decline');
    expect([revoked(), words(await browser.get(at))]).toEqual([
      [],
      expect.stringContaining(SHARED),
    ]);
  });

  it('an access token without a refresh token, which may belong to a stored one of the same provider', async () => {
    const browser = await opened(none);
    store('bob', 'mytok_handle', 'stored');
    await browser.decide(await question(browser), 'decline');
    expect(revoked()).toEqual([]);
  });
});

describe('R33 a declined token that is revoked:', () => {
  it('a refresh token that no other sign-in has', async () => {
    const browser = await opened({ refresh_token: 'new' });
    store('alice', 'other', 'stored');
    const at = await question(browser);
    await browser.decide(at, 'decline');
    expect([revoked(), words(await browser.get(at))]).toEqual([
      ['new'],
      expect.stringContaining('The provider has revoked it'),
    ]);
  });

  it('the last of two answers with the same refresh token', async () => {
    const browser = await opened({ refresh_token: 'same' });
    const [one, two] = [await question(browser), await question(browser, 'other')];
    await browser.decide(one, 'decline');
    await browser.decide(two, 'decline');
    expect(revoked()).toEqual(['same']);
  });

  it('an access token, if only other providers have stored refresh tokens', async () => {
    const browser = await opened({ ...none, access_token: 'new' });
    store('alice', 'mytoken', 'stored');
    await browser.decide(await question(browser), 'decline');
    expect(revoked()).toEqual(['new']);
  });
});

it('R33 nothing is revoked if the stored tokens cannot be read', async () => {
  const browser = await opened({ refresh_token: 'new' });
  const at = await question(browser);
  const someToken = async (): Promise<boolean> => {
    throw new CodedError('CRED_FILE_IO', 'cannot read the credential directory: EIO');
  };
  const broken = await portal.replica({
    files: { ...openCredentialFiles(portal.credentials), someToken },
  });
  await browser.at(broken).decide(at, 'decline');
  expect([revoked(), words(await browser.get(at))]).toEqual([
    [],
    expect.stringContaining('It was not revoked at the provider and is valid until it expires'),
  ]);
});

it('a token that may be valid without end is not said to expire', async () => {
  const provider = providerWith({ tokenLifetime: 'unlimited' });
  portal = await startPortal({ providers: new Map([['MYTOK', provider]]) });
  portal.writeKey(ad());
  portal.answer = () => json({ access_token: 'a', token_type: 'bearer' });
  const browser = portal.browser();
  await browser.open(`/key/${KEY}`);
  const at = await question(browser);
  await browser.decide(at, 'decline');
  const page = words(await browser.get(at));
  expect(page).toContain(
    'It was not revoked at the provider and may be valid there without end, but no copy of it was kept. To end it, remove the access in your account at the provider.',
  );
  expect(page).not.toContain('until it expires');
});

it('the audit log has the sign-in that is stored and the one that is revoked, and no token', async () => {
  const browser = await opened({});
  await browser.decide(await question(browser), 'store');
  await browser.decide(await question(browser, 'other'), 'decline');
  expect(portal.audit).toEqual([
    {
      event: 'signed-in',
      user: 'alice',
      service: 'mytok',
      handle: '',
      provider: 'oauth',
      details: {
        account: null,
        scopes: expect.anything() as unknown,
        audience: expect.anything() as unknown,
        renewable: true,
      },
    },
    {
      event: 'revoked',
      user: 'alice',
      service: 'other',
      handle: '',
      provider: 'oauth',
      details: { by: 'portal', reason: 'declined by the user' },
    },
  ]);
  expect(JSON.stringify(portal.audit)).not.toContain('canary');
});
