// What the public services were seen to do, row by row: P1 to P11 and P18 to P20 of the
// table of findings. P6 and P12 are in lifetime-rows.
import {
  BOX,
  DROPBOX,
  GITHUB,
  GOOGLE,
  MICROSOFT,
} from '@credmon/test-fixtures/profile-issuers/public-services';
import { afterEach, describe, expect, it } from 'vitest';
import { startSite, textOf, usersIn, words, type Site } from './site.ts';

let site: Site;
afterEach(() => site.close());

const stored = (): string[] => usersIn(site.portal.credentials);
const DRIVE = 'https://www.googleapis.com/auth/drive.readonly';
const EMAIL = 'https://www.googleapis.com/auth/userinfo.email';

/** Lets the daemon renew the token in its last half minute. */
const renewDue = (): Promise<void> => site.renew(Number(site.file('use')['expires_in']) - 30);
const refreshToken = (): unknown => site.file('top')['refresh_token'];

describe('Google', () => {
  it('P1 openid and email beside the drive scope are stored, with a refresh token', async () => {
    site = await startSite(GOOGLE);
    site.issuer.deviate({ wider: ['openid', EMAIL] });
    await site.signIn({ scopes: DRIVE });
    expect([site.file('use')['scope'], refreshToken()]).toEqual([
      `${DRIVE} openid ${EMAIL}`,
      'refresh-google-2',
    ]);
  });

  it("P1 HTCondor's own provider gdrive has the profile without a knob", async () => {
    site = await startSite(GOOGLE, {
      provider: 'gdrive',
      knobs: {
        CREDMON_gdrive_PROFILE: undefined,
        CREDMON_gdrive_ISSUER: undefined,
        gdrive_AUTHORIZATION_URL: GOOGLE.endpoints.authorize,
        gdrive_TOKEN_URL: GOOGLE.endpoints.token,
      },
    });
    const { asked } = await site.signIn({ scopes: `email, ${DRIVE}` });
    expect([asked['access_type'], asked['prompt']]).toEqual(['offline', 'consent']);
    expect(site.file('use')['scope']).toBe(`${EMAIL} openid ${DRIVE}`);
    await renewDue();
    expect(site.point.lines).toContain(
      'Successfully renewed alice/gdrive (oauth), good for 3599 s',
    );
  });

  it.each([
    ['P2 the second name of email is accepted', undefined],
    ['P3 EXTRA_SCOPES of an older configuration do no harm', `openid email ${EMAIL}`],
  ])('%s, at a login and at a renewal', async (_, extra) => {
    site = await startSite(GOOGLE, { knobs: { CREDMON_mytok_EXTRA_SCOPES: extra } });
    await site.signIn({ scopes: `openid, email, ${DRIVE}` });
    await renewDue();
    expect([site.point.lines, site.file('use')['access_token']]).toEqual([
      ['Successfully renewed alice/mytok (oauth), good for 3599 s'],
      'access-google-4',
    ]);
  });

  it('P4 an ID token with the old name of the issuer is accepted', async () => {
    site = await startSite(GOOGLE);
    site.issuer.deviate({ claims: { iss: 'accounts.google.com' } });
    await site.signIn({ scopes: `openid, ${DRIVE}` });
    expect(site.file('meta')['subject']).toBe('user-1');
  });

  it('P5 a second sign-in without prompt=consent keeps the refresh token, and it works', async () => {
    site = await startSite(GOOGLE, {
      knobs: { CREDMON_mytok_AUTHORIZATION_PARAMETERS: 'prompt=select_account' },
    });
    await site.signIn({ scopes: DRIVE });
    const first = site.file('top');
    const { asked } = await site.signIn({ scopes: DRIVE, beside: true });
    expect([asked['prompt'], site.file('top')]).toEqual(['select_account', first]);
    await renewDue();
    expect(site.lastForm()['refresh_token']).toBe(first['refresh_token']);
    expect(site.point.lines.join()).toContain('Successfully renewed');
  });
});

describe('GitHub', () => {
  it('P7 an answer as a form is accepted', async () => {
    site = await startSite(GITHUB);
    site.issuer.deviate({ sent: { form: true } });
    await site.signIn({ scopes: 'repo' });
    expect(site.file('use')).toMatchObject({ access_token: 'access-github-2', scope: 'repo' });
  });

  it('P8 bad_verification_code with status 200: the provider did not accept the sign-in', async () => {
    site = await startSite(GITHUB);
    site.issuer.deviate({ failure: GITHUB.failures.code });
    const { back } = await site.signIn({ scopes: 'repo' });
    expect([back.status, words(back)]).toEqual([
      403,
      expect.stringContaining('The provider did not accept the sign-in'),
    ]);
  });
});

it('P9 Box: no scope in the answer, and the refresh token changes', async () => {
  site = await startSite(BOX);
  await site.signIn({ scopes: 'root_readonly' });
  await renewDue();
  expect([refreshToken(), site.file('use')['scope']]).toEqual(['refresh-box-4', undefined]);
});

describe('Dropbox', () => {
  it('P10 account_info.read is accepted without a request', async () => {
    site = await startSite(DROPBOX);
    await site.signIn({ scopes: 'files.content.read' });
    expect(site.file('use')['scope']).toBe('account_info.read files.content.read');
  });

  it('P11 the login asks for offline access, and the token is renewed', async () => {
    site = await startSite(DROPBOX);
    const { asked } = await site.signIn({ scopes: 'files.content.read' });
    await renewDue();
    expect([asked['token_access_type'], site.file('use')['access_token']]).toEqual([
      'offline',
      'access-dropbox-4',
    ]);
  });
});

describe('Microsoft', () => {
  const GRAPH = 'https://graph.microsoft.com';

  it.each([
    ['P18 User.Read beside a Graph scope is accepted', `${GRAPH}/Files.Read, offline_access`],
    ['P19 short names are the same as those of Graph', 'Files.Read, offline_access'],
  ])('%s', async (_, scopes) => {
    site = await startSite(MICROSOFT);
    const signedIn = await site.signIn({ scopes });
    expect([textOf(signedIn).includes('did not grant'), site.file('use')['scope']]).toEqual([
      false,
      `${GRAPH}/Files.Read profile openid email ${GRAPH}/User.Read`,
    ]);
    await renewDue();
    expect(refreshToken()).toBe('refresh-microsoft-4');
  });

  it('P18 a write scope for a read scope is refused with its whole name', async () => {
    site = await startSite(MICROSOFT);
    site.issuer.deviate({ wider: [`${GRAPH}/Files.ReadWrite`] });
    const signedIn = await site.signIn({ scopes: 'Files.Read, offline_access' });
    expect([stored(), textOf(signedIn)]).toEqual([
      [],
      expect.stringContaining(`CREDMON_mytok_EXTRA_SCOPES = ${GRAPH}/Files.ReadWrite`),
    ]);
  });

  it('P20 the tenant of the ID token replaces {tenantid}', async () => {
    site = await startSite(MICROSOFT);
    await site.signIn({ scopes: 'openid, Files.Read' });
    expect(site.file('meta')['subject']).toBe('user-1');
  });

  it('P20 an ID token of another issuer with any tenant is refused', async () => {
    site = await startSite(MICROSOFT);
    site.issuer.deviate({ claims: { iss: 'https://evil.example/t/v2.0', tid: 't' } });
    const signedIn = await site.signIn({ scopes: 'openid, Files.Read' });
    expect([stored(), textOf(signedIn)]).toEqual([[], expect.stringContaining('issuer mismatch')]);
  });

  it("P18 HTCondor's own provider onedrive has the profile without a knob", async () => {
    site = await startSite(MICROSOFT, {
      provider: 'onedrive',
      knobs: {
        CREDMON_onedrive_PROFILE: undefined,
        CREDMON_onedrive_ISSUER: undefined,
        onedrive_AUTHORIZATION_URL: MICROSOFT.endpoints.authorize,
        onedrive_TOKEN_URL: MICROSOFT.endpoints.token,
      },
    });
    await site.signIn({ scopes: 'Files.Read, offline_access' });
    await renewDue();
    expect(site.lastForm()).toMatchObject({ scope: 'Files.Read offline_access' });
    expect(site.point.lines.join()).toContain('Successfully renewed alice/onedrive');
  });
});
