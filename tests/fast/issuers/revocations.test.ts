// Revocation at the issuers of the profiles, as condor_credmon revoke does it.
import { PROFILES } from '@credmon/core/profiles';
import { afterEach, expect, it } from 'vitest';
import { CASES } from './cases.ts';
import { startSite, type Site } from './site.ts';

let site: Site;
afterEach(() => site.close());

const rows = CASES.map((row) => [row.name, row] as const);
/** The requests after the login that had a form: where, which token, of which kind. */
const posts = (before: number): readonly unknown[] =>
  site.issuer.requests
    .slice(before)
    .filter(({ method }) => method === 'POST')
    .map(({ url, parameters: { token, token_type_hint: hint } }) => [url, token, hint]);

it.each(rows.filter(([, { answers }]) => answers.endpoints.revoke !== undefined))(
  'R31 both tokens of %s are revoked at the issuer, and the files are removed',
  async (_, { answers, scopes }) => {
    site = await startSite(answers);
    await site.signIn({ scopes });
    const before = site.issuer.requests.length;
    const [refresh, access] = [site.file('top')['refresh_token'], site.file('use')['access_token']];
    expect(JSON.parse(await site.revoke())).toMatchObject({
      kind: 'removed',
      files: ['mytok.use', 'mytok.top', 'mytok.meta'],
      results: [{ revoked: true }, { revoked: true }],
    });
    const { revoke } = answers.endpoints;
    expect(posts(before)).toEqual([
      [revoke, refresh, 'refresh_token'],
      [revoke, access, 'access_token'],
    ]);
  },
);

it.each(rows.filter(([, { answers }]) => answers.endpoints.revoke === undefined))(
  'R31 a token of %s cannot be revoked: nothing is sent, and the reason is said',
  async (_, { answers, scopes }) => {
    site = await startSite(answers);
    await site.signIn({ scopes });
    const before = site.issuer.requests.length;
    const said = await site.revoke();
    expect([posts(before), said.includes('"revoked":true')]).toEqual([[], false]);
    const { revocationPage } = PROFILES[answers.profile];
    const advice =
      revocationPage === undefined
        ? 'CREDMON_mytok_REVOCATION_URL'
        : `has no revocation endpoint; the user ends the access at ${revocationPage}`;
    expect(said).toContain(advice);
    expect(said.includes('REVOCATION_URL')).toBe(revocationPage === undefined);
  },
);
