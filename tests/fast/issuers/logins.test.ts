// Logins at the issuers of the profiles: what is sent, what is stored, and what is
// refused. The portal's own code, and a server that answers as the issuer does.
import { afterEach, describe, expect, it } from 'vitest';
import { CASES, type Case } from './cases.ts';
import {
  CLIENT_ID,
  CLIENT_SECRET,
  PREFIX,
  startSite,
  textOf,
  usersIn,
  words,
  type Site,
} from './site.ts';

let site: Site;
afterEach(() => site.close());

const wishOf = ({ scopes, audience = '' }: Case) => ({ scopes, audience });
/** The names of the users who have stored tokens. */
const stored = (): string[] => usersIn(site.portal.credentials);
const rows = CASES.map((row) => [row.name, row] as const);

describe.each(rows)('a login at %s', (_, row) => {
  it('sends what the issuer needs, and stores the three files', async () => {
    site = await startSite(row.answers);
    const { asked, done } = await site.signIn(wishOf(row));
    const { state, code_challenge: challenge, nonce, ...others } = asked;
    expect([state, challenge].map((text) => text?.length)).toEqual([32, 43]);
    expect(nonce !== undefined).toBe(row.scopes.includes('openid'));
    expect(others).toEqual({
      response_type: 'code',
      client_id: CLIENT_ID,
      redirect_uri: `${PREFIX}/return/mytok`,
      code_challenge_method: 'S256',
      ...row.asks,
    });
    const { code_verifier: verifier, code: sentCode, ...form } = site.lastForm();
    expect([verifier?.length, sentCode]).toEqual([64, 'code-1']);
    const isBasic = row.answers.authentication.includes('post') ? {} : { client_id: undefined };
    expect(form).toEqual({
      grant_type: 'authorization_code',
      client_id: CLIENT_ID,
      redirect_uri: `${PREFIX}/return/mytok`,
      ...row.sends,
      ...isBasic,
    });
    expect(done && words(done)).toContain('All done');
    const issued = Math.floor(site.point.clock.now());
    const isRenewable = row.refresh !== undefined;
    const { 'mytok.use': use, ...files } = site.files();
    const written = { mode: '400' };
    expect(files).toEqual({
      'mytok.top': {
        ...written,
        content: {
          refresh_token: isRenewable ? `refresh-${row.answers.profile}-2` : '',
          ...(row.scopes === '' ? {} : { scopes: row.scopes }),
          ...(row.audience === undefined ? {} : { audience: row.audience }),
        },
      },
      'mytok.meta': {
        ...written,
        content: {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          token_url: row.tokenUrl,
          signed_in_at: issued,
          ...(row.subject === undefined ? {} : { subject: row.subject }),
          use_refresh_token: isRenewable,
        },
      },
    });
    const { access_token: token, ...content } = site.file('use');
    expect([use, token]).toMatchObject([written, site.issuer.live.values().next().value]);
    expect(content).toMatchObject({ ...row.use, issued_at: issued });
  });

  it('shows which requested scopes were not granted, and stores the token', async () => {
    if (row.narrower === '') row = { ...row, scopes: 'a', narrower: 'a' };
    site = await startSite(row.answers);
    const { narrower } = row;
    site.issuer.deviate({ without: [narrower, narrower.replace(/^https:\/\/[^/]+\//, '')] });
    const signedIn = await site.signIn(wishOf(row));
    const short = narrower.replace('https://graph.microsoft.com/', '');
    expect(textOf(signedIn)).toContain(`The provider did not grant: ${short}`);
    expect(stored()).toEqual(['alice']);
  });

  it('keeps the stored refresh token if a second login brings none', async () => {
    site = await startSite(row.answers);
    await site.signIn(wishOf(row));
    const top = site.file('top');
    const first = site.file('use')['access_token'];
    site.issuer.deviate({ noRefreshToken: true });
    site.point.clock.advance(10);
    const { back } = await site.signIn({ ...wishOf(row), beside: true });
    expect(back.status).toBe(303);
    expect(site.file('top')).toEqual(top);
    expect(site.file('meta')['use_refresh_token']).toBe(row.refresh !== undefined);
    expect(site.file('use')['access_token']).not.toBe(first);
  });

  it('is refused with the reason of the issuer if the code is not valid', async () => {
    site = await startSite(row.answers);
    const { code } = row.answers.failures;
    site.issuer.deviate({ failure: code });
    const { back } = await site.signIn(wishOf(row));
    expect([back.status, words(back), stored()]).toEqual([
      403,
      expect.stringContaining('The provider did not accept the sign-in'),
      [],
    ]);
    expect(words(back)).toContain(`answered ${String(code.body['error'])}`);
  });

  it('tells the administrator if the client is not accepted', async () => {
    site = await startSite(row.answers);
    site.issuer.deviate({ failure: row.answers.failures.client });
    const { back } = await site.signIn(wishOf(row));
    expect([back.status, words(back), stored()]).toEqual([
      502,
      expect.stringContaining('The provider rejected this server'),
      [],
    ]);
  });
});

describe.each(rows.filter(([, { wider }]) => wider !== ''))('a wider grant of %s', (_, row) => {
  it('is refused with the line to paste, and nothing is stored', async () => {
    site = await startSite(row.answers);
    site.issuer.deviate({ wider: [row.wider] });
    const { back } = await site.signIn(wishOf(row));
    const line = `CREDMON_mytok_EXTRA_SCOPES = ${row.wider}`;
    expect([back.status, words(back), stored()]).toEqual([403, expect.stringContaining(line), []]);
    expect(site.portal.log.join('\n')).toContain(line);
  });

  it('is stored if that line is in the configuration', async () => {
    site = await startSite(row.answers, { knobs: { CREDMON_mytok_EXTRA_SCOPES: row.wider } });
    site.issuer.deviate({ wider: [row.wider] });
    const { asked } = await site.signIn(wishOf(row));
    expect([asked['scope']?.split(' ').includes(row.wider), stored()]).toEqual([true, ['alice']]);
  });
});

it.each(rows)('the lifetime of %s is that of the issuer', async (_, row) => {
  site = await startSite(row.answers);
  await site.signIn(wishOf(row));
  const { issued_at: issued, expires_at: expires, expires_in: seconds } = site.file('use');
  const { lifetime } = row;
  expect([seconds, expires]).toEqual([lifetime, lifetime && Number(issued) + lifetime]);
});
