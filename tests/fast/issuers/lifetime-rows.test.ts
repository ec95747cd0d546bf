// Unusual lifetimes, row by row: P6, P12 and P27 of the table of findings.
import { GITHUB, ORCID } from '@credmon/test-fixtures/profile-issuers/public-services';
import { GENERIC } from '@credmon/test-fixtures/profile-issuers/research-issuers';
import { afterEach, expect, it } from 'vitest';
import { startSite, words, type Site } from './site.ts';

const HOUR = 3600;
const YEAR = 365 * 24 * HOUR;

let site: Site;
afterEach(() => site.close());

/** The requests with a refresh token, and what the daemon logged. */
const renewals = (): unknown => [
  site.issuer.requests.filter(({ parameters }) => parameters['grant_type'] === 'refresh_token')
    .length,
  site.point.lines,
];

it('P6 GitHub: the token does not expire, and nobody asks for a new sign-in', async () => {
  site = await startSite(GITHUB);
  const { done } = await site.signIn({ scopes: 'repo' });
  expect(done && words(done)).toContain('This token does not expire.');
  expect(site.file('use')).toEqual({
    access_token: 'access-github-2',
    token_type: 'Bearer',
    scope: 'repo',
    issued_at: site.point.clock.now(),
    does_not_expire: true,
  });
  for (const seconds of [60, 1200, 10 * YEAR]) await site.renew(seconds);
  expect(renewals()).toEqual([0, []]);
});

it('P12 ORCID: 20 years count as ten, and the token is not renewed every ten minutes', async () => {
  site = await startSite(ORCID);
  await site.signIn({ scopes: 'openid, /read-limited' });
  expect(site.file('use')['expires_in']).toBe(10 * YEAR);
  for (const seconds of [660, 1200, HOUR, YEAR]) await site.renew(seconds);
  expect(renewals()).toEqual([0, []]);
  await site.renew(9 * YEAR - 660 - 1200 - HOUR - 30);
  expect(renewals()).toEqual([
    1,
    [
      `Successfully renewed alice/mytok (oauth), good for ${String(10 * YEAR)} s, refresh token rotated`,
    ],
  ]);
});

it('P12 ORCID: the old token is revoked at a refresh, so half of the lifetime is too early', async () => {
  site = await startSite(ORCID);
  await site.signIn({ scopes: 'openid, /read-limited' });
  await site.renew(6 * YEAR);
  expect(renewals()).toEqual([0, []]);
});

it('P27 expires_at without expires_in: the lifetime is the time until then', async () => {
  site = await startSite(GENERIC);
  const only = (expiresAt: number) =>
    site.issuer.deviate({ answer: { expires_in: undefined, expires_at: expiresAt } });
  const signedInAt = site.point.clock.now();
  only(signedInAt + 5400);
  await site.signIn({ scopes: 'read' });
  expect(site.file('use')).toMatchObject({
    issued_at: signedInAt,
    expires_in: 5400,
    expires_at: signedInAt + 5400,
  });
  const renewedAt = signedInAt + 5370;
  only(renewedAt + 7200);
  await site.renew(2400);
  expect(renewals()).toEqual([0, []]);
  await site.renew(2970);
  expect(site.file('use')).toMatchObject({
    issued_at: renewedAt,
    expires_in: 7200,
    expires_at: renewedAt + 7200,
  });
  expect(renewals()).toEqual([
    1,
    ['Successfully renewed alice/mytok (oauth), good for 7200 s, refresh token rotated'],
  ]);
});
