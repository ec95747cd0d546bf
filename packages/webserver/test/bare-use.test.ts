// Sign-ins whose tokens jobs get without JSON: the files, the state beside them, and a
// second sign-in.
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readUse } from '@credmon/core/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Browser, Page } from './support/browser.ts';
import { KEY, ad, providerWith, startPortal, tokens, type Portal } from './support/portal.ts';

let portal: Portal;
let browser: Browser;
beforeEach(async () => {
  portal = await startPortal();
  const providers = new Map([['MYTOK', providerWith({ useJson: false })]]);
  browser = await portal.replica({}, { providers });
});
afterEach(() => portal.close());

/** Signs in to mytok. The list is never complete, because another token is missing. */
async function signIn(answer: Record<string, unknown>): Promise<Page> {
  portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
  await browser.open(`/key/${KEY}`);
  portal.answer = () => tokens(answer);
  return browser.complete(await browser.login('mytok'));
}

const home = (): string => join(portal.credentials, 'alice');
const text = (name: string): string => readFileSync(join(home(), name), 'utf8');
const content = (name: string): Record<string, unknown> =>
  JSON.parse(text(name)) as Record<string, unknown>;
const jwt = (claims: object): string =>
  ['{"alg":"none"}', JSON.stringify(claims), 'x']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
const of = (sub: string): Record<string, unknown> => ({
  access_token: jwt({ iss: 'https://issuer.example', sub }),
});

describe('a bare token', () => {
  it('R20 is written with its times and granted scopes in a private file beside it', async () => {
    await signIn({ access_token: 'canary-opaque', scope: 'read', expires_in: 7200 });
    const files = readdirSync(home()).map((name) => [
      name,
      (statSync(join(home(), name)).mode & 0o777).toString(8),
    ]);
    expect(Object.fromEntries(files)).toEqual({
      '.mytok.issued': '600',
      'mytok.meta': '400',
      'mytok.top': '400',
      'mytok.use': '400',
    });
    expect(text('mytok.use')).toBe('canary-opaque\n');
    expect(content('.mytok.issued')).toEqual({
      token_sha256: expect.stringMatching(/^[\da-f]{64}$/),
      issued_at: portal.now,
      expires_at: portal.now + 7200,
      scope: 'read',
    });
    expect(text('.mytok.issued')).not.toContain('canary');
    expect(readUse(portal.credentials, 'alice', 'mytok', 1200)).toMatchObject({
      value: { issuedAt: portal.now, expiresAt: portal.now + 7200 },
    });
  });

  it('R14 that is not readable without JSON is rejected, and nothing is stored', async () => {
    expect((await signIn({ access_token: '123' })).status).toBe(502);
    expect(readdirSync(portal.credentials)).toEqual([KEY]);
  });
});

describe('a second sign-in without a refresh token', () => {
  const none = { refresh_token: undefined };

  it.each([
    ['for an opaque token', {}, {}],
    ['of the same account', of('a'), of('a')],
  ])('R16 %s keeps the stored one', async (_, first, second) => {
    await signIn({ refresh_token: 'rt-1', ...first });
    portal.now += 60;
    await signIn({ ...none, ...second });
    expect(content('mytok.top')).toMatchObject({ refresh_token: 'rt-1' });
    expect(content('.mytok.issued')).toMatchObject({ issued_at: portal.now });
  });

  it('R16 of another account replaces it', async () => {
    await signIn({ refresh_token: 'rt-1', ...of('a') });
    portal.now += 60;
    await signIn({ ...none, ...of('b') });
    expect(content('mytok.top')).toMatchObject({ refresh_token: '' });
  });

  it('R16 replaces a state that the daemon has written', async () => {
    await signIn({ refresh_token: 'rt-1', access_token: 'first' });
    const state = content('.mytok.issued');
    writeFileSync(join(home(), '.mytok.issued'), JSON.stringify({ ...state, expires_at: 9e9 }));
    portal.now += 60;
    await signIn({ ...none, access_token: 'second' });
    expect(readUse(portal.credentials, 'alice', 'mytok', 1200)).toMatchObject({
      value: { issuedAt: portal.now, expiresAt: portal.now + 600 },
    });
  });
});
