// The portal from the outside: a login from the link to the files, and everything that must not work.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEY, ad, startPortal, tokens, type Portal } from './support/portal.ts';

let portal: Portal;
beforeEach(async () => {
  portal = await startPortal();
});
afterEach(() => portal.close());

describe('a whole login', () => {
  it('writes the three files, tells the user to submit again, and removes the key file', async () => {
    portal.writeKey(ad());
    portal.answer = () => tokens({ access_token: 'at-1', refresh_token: 'rt-1', scope: 'read write' });
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
      'Sign in to mytok',
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
      nonce: expect.stringMatching(/^[\w-]{32}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });

    const back = await browser.get(browser.returnFrom(login));
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
});
