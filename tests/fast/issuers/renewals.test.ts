// Renewals at the issuers of the profiles: what is sent, what is written, and what stops
// them. The daemon's own code, and a server that answers as the issuer does.
import { afterEach, describe, expect, it } from 'vitest';
import { caseOf, CASES, type Case } from './cases.ts';
import { CLIENT_ID, CLIENT_SECRET, startSite, type Site } from './site.ts';

let site: Site;
afterEach(() => site.close());

/** Signs in and forgets the log of it. */
async function signedIn(row: Case): Promise<void> {
  site = await startSite(row.answers);
  const { scopes, audience = '' } = row;
  await site.signIn({ scopes, audience });
  await site.point.pass();
  expect(site.point.lines.filter((line) => line.includes('renewed'))).toEqual([]);
  site.point.lines.length = 0;
}

/** The number of requests with a refresh token. */
const refreshes = (): number =>
  site.issuer.requests.filter(({ parameters }) => parameters['grant_type'] === 'refresh_token')
    .length;
/** The failure that the daemon keeps of the last attempt. */
const failure = (): Record<string, unknown> => site.point.read('alice/.mytok.renewal');

/** Moves the clock to the last half minute of the token, where every token is due. */
const renewDue = ({ lifetime = 1200 }: Case): Promise<void> => site.renew(lifetime - 30);

const rows = CASES.filter(({ refresh }) => refresh !== undefined).map(
  (row) => [row.name, row] as const,
);

describe.each(rows)('a renewal at %s', (_, row) => {
  it('sends what the issuer needs, and writes .use and .top', async () => {
    await signedIn(row);
    const { 'mytok.meta': meta } = site.files();
    const before = site.file('top');
    await renewDue(row);
    const { refresh_token: sent, ...form } = site.lastForm();
    expect([sent, form]).toEqual([before['refresh_token'], row.refresh]);
    const isBasic = !row.answers.authentication.includes('post');
    const last = site.issuer.requests.at(-1);
    expect([last?.parameters['client_secret'], last?.authorization]).toEqual(
      isBasic
        ? [undefined, `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}`]
        : [CLIENT_SECRET, undefined],
    );
    const issued = Math.floor(site.point.clock.now());
    const { access_token: token, ...use } = site.file('use');
    expect(site.issuer.live.has(String(token))).toBe(true);
    expect(use).toMatchObject({ ...row.use, ...row.renewed, issued_at: issued });
    const { refresh_token: next, ...kept } = site.file('top');
    const isSame = ['none', 'repeated'].includes(row.answers.rotation);
    expect([next === sent, kept]).toEqual([isSame, { ...before, refresh_token: undefined }]);
    expect(site.files()['mytok.meta']).toEqual(meta);
    expect(site.point.lines).toEqual([
      `Successfully renewed alice/mytok (oauth), good for ${String(use['expires_in'])} s` +
        (isSame ? '' : ', refresh token rotated'),
    ]);
  });

  it('goes on with the refresh token of the last one', async () => {
    await signedIn(row);
    await renewDue(row);
    const second = site.file('top')['refresh_token'];
    await renewDue(row);
    expect(site.lastForm()['refresh_token']).toBe(second);
    expect([refreshes(), site.point.lines.length]).toEqual([2, 2]);
  });

  it('stops if the grant is dead, and the user gets the command', async () => {
    await signedIn(row);
    const before = site.files();
    site.issuer.endGrants();
    await renewDue(row);
    expect(failure()).toMatchObject({ code: 'GRANT_REVOKED' });
    const { error } = row.answers.failures.grant.body;
    expect(site.point.lines.join('\n')).toContain(
      `alice/mytok: the issuer of mytok answered ${String(error)}`,
    );
    expect(site.point.lines.join('\n')).toContain(
      'fix: alice runs this and submits again: condor_store_cred delete-oauth -s mytok',
    );
    for (const seconds of [60, 3600, 86_400]) await site.renew(seconds);
    expect([refreshes(), tokensIn(site.files())]).toEqual([1, tokensIn(before)]);
  });

  it('stops if the client is not accepted, and the administrator must act', async () => {
    await signedIn(row);
    site.issuer.deviate({ failure: row.answers.failures.client });
    await renewDue(row);
    expect(failure()).toMatchObject({ code: 'CLIENT_REFUSED' });
    expect(site.point.lines.join('\n')).toContain('the administrator must act');
    for (const seconds of [60, 3600, 86_400]) await site.renew(seconds);
    expect(refreshes()).toBe(1);
  });
});

/** The files without the state of the daemon. */
const tokensIn = ({
  'mytok.top': top,
  'mytok.use': use,
  'mytok.meta': meta,
}: Record<string, unknown>) => [top, use, meta];

describe.each(rows.filter(([, { wider }]) => wider !== ''))('a renewal at %s', (_, row) => {
  it('that grants more is refused with the line to paste; the new refresh token is kept', async () => {
    await signedIn(row);
    const before = site.file('use');
    const { refresh_token: old } = site.file('top');
    site.issuer.deviate({ wider: [row.wider] });
    await renewDue(row);
    expect(failure()).toMatchObject({ code: 'SCOPE_WIDENED' });
    expect(site.point.lines.join('\n')).toContain(`CREDMON_mytok_EXTRA_SCOPES = ${row.wider}`);
    expect(site.file('use')).toEqual(before);
    const isSame = ['none', 'repeated'].includes(row.answers.rotation);
    expect(site.file('top')['refresh_token'] === old).toBe(isSame);
  });
});

describe.each(rows.filter(([name, { narrower }]) => narrower !== '' && name !== 'globus'))(
  'a renewal at %s',
  (_, row) => {
    it('that grants less is stored, with a note', async () => {
      await signedIn(row);
      site.issuer.deviate({ without: [row.narrower] });
      await renewDue(row);
      const short = row.narrower.replace('https://graph.microsoft.com/', '');
      expect(site.point.lines).toContain(`alice/mytok: the issuer did not grant ${short}`);
      expect(site.file('use')['issued_at']).toBe(Math.floor(site.point.clock.now()));
    });
  },
);

it('a renewal at globus brings the token of one resource server, and that is no note', async () => {
  const row = caseOf('globus');
  await signedIn(row);
  await renewDue(row);
  expect(site.point.lines).toEqual(['Successfully renewed alice/mytok (oauth), good for 172800 s']);
});

it('a token of a GitHub OAuth app is not renewed', async () => {
  const { answers, scopes } = caseOf('github');
  site = await startSite(answers);
  await site.signIn({ scopes });
  await site.renew(86_400);
  expect(refreshes()).toBe(0);
});
