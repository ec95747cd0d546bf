// Requests that issuers refuse, and unusual token answers, row by row: P23 to P28 of the
// table of findings. P27 is in lifetime-rows.
import { oauthError } from '@credmon/test-fixtures/profile-issuers/answers';
import { GENERIC } from '@credmon/test-fixtures/profile-issuers/research-issuers';
import { afterEach, describe, expect, it } from 'vitest';
import { startSite, textOf, usersIn, type Site } from './site.ts';

let site: Site;
afterEach(() => site.close());

const stored = (): string[] => usersIn(site.portal.credentials);

/** Lets the daemon renew the token in its last half minute. */
const renewDue = (): Promise<void> => site.renew(Number(site.file('use')['expires_in']) - 30);
const refreshToken = (): unknown => site.file('top')['refresh_token'];

describe('an issuer that refuses', () => {
  const refusing = (parameter: string) => ({
    ...GENERIC,
    refused: { [parameter]: oauthError('invalid_request', `${parameter} is not allowed`) },
  });

  it('P23 code_challenge: the page says so, and PKCE = false leaves it out', async () => {
    site = await startSite(refusing('code_challenge'));
    const refused = await site.signIn({ scopes: 'read' });
    expect([refused.back.status, textOf(refused)]).toEqual([
      403,
      expect.stringContaining('invalid_request (code_challenge is not allowed)'),
    ]);
    await site.close();
    site = await startSite(refusing('code_challenge'), {
      knobs: { CREDMON_mytok_PKCE: 'false' },
    });
    await site.signIn({ scopes: 'read' });
    expect([stored(), 'code_verifier' in site.lastForm()]).toEqual([['alice'], false]);
  });

  it.each([
    ['none', { resource: undefined, audience: undefined }],
    ['audience', { resource: undefined, audience: 'https://a.example https://b.example' }],
  ])('P24 resource: AUDIENCE_PARAMETER = %s', async (parameter, expected) => {
    site = await startSite(refusing('resource'), {
      knobs: { CREDMON_mytok_AUDIENCE_PARAMETER: parameter },
    });
    const { asked } = await site.signIn({
      scopes: 'read',
      audience: 'https://a.example https://b.example',
    });
    const { resource, audience } = asked;
    expect([{ resource, audience }, stored()]).toEqual([expected, ['alice']]);
  });
});

describe('a token answer', () => {
  it('P25 with the token type DPoP is refused, at a login and at a renewal', async () => {
    site = await startSite(GENERIC);
    site.issuer.deviate({ answer: { token_type: 'DPoP' } });
    const refused = await site.signIn({ scopes: 'read' });
    expect([stored(), textOf(refused)]).toEqual([
      [],
      expect.stringContaining('token type DPoP; jobs can only use bearer tokens'),
    ]);
    site.issuer.deviate({});
    await site.signIn({ scopes: 'read' });
    const use = site.file('use');
    site.issuer.deviate({ answer: { token_type: 'DPoP' } });
    await renewDue();
    expect([site.file('use'), site.point.lines.join()]).toEqual([
      use,
      expect.stringContaining('token type DPoP; jobs can only use bearer tokens'),
    ]);
  });

  it.each([
    ['P26 with a byte order mark before the JSON', { sent: { before: '\uFEFF' } }],
    ['P28 with the content type text/plain', { sent: { contentType: 'text/plain' } }],
    ['P28 with the content type text/html', { sent: { contentType: 'text/html' } }],
    ['P28 with a lifetime as a text', { answer: { expires_in: '3600' } }],
    ['P28 with scopes as a list', { answer: { scope: ['read'] } }],
    ['P28 with blank lines before the JSON', { sent: { before: '\n\n' } }],
  ])('%s is accepted, at a login and at a renewal', async (_, deviation) => {
    site = await startSite(GENERIC);
    site.issuer.deviate(deviation);
    await site.signIn({ scopes: 'read' });
    await renewDue();
    expect([site.file('use')['expires_in'], refreshToken()]).toEqual([3600, 'refresh-generic-4']);
  });

  it.each([
    ['P26 with status 201', { sent: { status: 201 } }, 'answered HTTP status 201'],
    ['P26 with the token type N_A', { answer: { token_type: 'N_A' } }, 'unsupported'],
  ])('%s is refused with the reason', async (_, deviation, reason) => {
    site = await startSite(GENERIC);
    site.issuer.deviate(deviation);
    const refused = await site.signIn({ scopes: 'read' });
    expect([refused.back.status, stored(), textOf(refused)]).toEqual([
      502,
      [],
      expect.stringContaining(reason),
    ]);
  });
});
