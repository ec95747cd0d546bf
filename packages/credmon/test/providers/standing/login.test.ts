// Standing tokens from a login, at a real issuer: renewal, rotation, a dead grant, another
// login, other settings, and that the refresh token stays private.
import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { loginAtIssuer, postToken } from '@credmon/test-fixtures/browsers/http-login';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeLogin } from '../../../src/host/standing-files.ts';
import { topOfLogin } from '../../../src/providers/standing/login.ts';
import { evaluateTokens, openStore } from '../../../src/commands/read-directory.ts';
import { attentionTexts } from '../../../src/status/summary.ts';
import { accessPoint, settingsWith, type AccessPoint } from '../../support/access-point.ts';
import { AP } from '../../support/sources.ts';

const redirectUri = 'https://ap.example/return';
const client = { ...AP, redirectUris: [redirectUri] };

let issuer: Issuer;
let on: AccessPoint;
let knobs: Record<string, string>;
beforeEach(async () => {
  issuer = await startIssuer({ clients: [client], accessTokenTtl: 600 });
  on = accessPoint();
  knobs = {
    lab_CLIENT_ID: AP.clientId,
    lab_CLIENT_SECRET_FILE: on.secret('lab', `${AP.clientSecret}\n`),
    CREDMON_lab_ISSUER: issuer.url,
    CREDMON_STANDING_TOKENS: 'ce_1',
    CREDMON_STANDING_ce_1_PROVIDER: 'lab',
    CREDMON_STANDING_ce_1_PATH: file(),
    CREDMON_STANDING_ce_1_SCOPE: 'read write',
  };
});
afterEach(async () => {
  await issuer.close();
  await on.close();
});

const file = (): string => join(on.directory, '..', 'ce_1.token');
const text = (): string => readFileSync(file(), 'utf8');
const folder = (): string => join(on.directory, '.credmon-standing/standing');
const top = (): Record<string, unknown> => on.read('.credmon-standing/standing/ce_1.top');
const stored = (): string => tokenId(String(top()['refresh_token']));
const logged = (): string => on.lines.join('\n');
const configure = (more: Record<string, string> = {}): void => on.configure({ ...knobs, ...more });

/** The refresh token of a login at the issuer. */
async function refreshTokenOfLogin(): Promise<string> {
  const { authorizationUrl, tokenUrl } = issuer;
  const { clientId, clientSecret } = AP;
  const { parameters, codeVerifier = '' } = await loginAtIssuer({
    authorizationUrl,
    clientId,
    redirectUri,
    scope: 'read write',
    account: 'pilot',
  });
  const { answer } = await postToken(tokenUrl, {
    client_id: clientId,
    client_secret: clientSecret,
    grant_type: 'authorization_code',
    code: parameters['code'] ?? '',
    redirect_uri: redirectUri,
    code_verifier: codeVerifier,
  });
  return String(answer['refresh_token']);
}

/** Stores a login as the command does, and returns the id of its refresh token. */
async function logIn(subject?: string): Promise<string> {
  const [token] = settingsWith(knobs, on.directory).standing;
  if (token?.kind !== 'login') throw new Error('no login');
  const refreshToken = await refreshTokenOfLogin();
  storeLogin(on.directory, 'ce_1', topOfLogin(token, { refreshToken, subject, at: 1 }));
  return tokenId(refreshToken);
}

/** A token that is due and was written from the present `.top`. */
async function loggedIn(more: Record<string, string> = {}): Promise<string> {
  configure(more);
  await logIn();
  await on.pass();
  return text();
}
const renewals = (): number =>
  issuer.log.requests.filter(({ grant }) => grant === 'refresh_token').length;

describe('a standing token from a login', () => {
  it('R11 is renewed from a refresh token that is rotated, private, and never beside the token', async () => {
    configure();
    const first = await logIn();
    await on.pass();
    expect(await verifyToken(issuer, text().trim())).toMatchObject({ scope: 'read write' });
    expect(statSync(file()).mode & 0o7777).toBe(0o600);
    expect(issuer.log.chain(first)).toEqual([first, stored()]);
    const modes = [folder(), join(folder(), '..'), join(folder(), 'ce_1.top')].map(
      (path) => statSync(path).mode & 0o7777,
    );
    expect(modes).toEqual([0o700, 0o700, 0o400]);
    expect(readdirSync(folder())).toEqual(['ce_1.top']);
    const secrets = { refresh: String(top()['refresh_token']), access: text().trim() };
    expect(
      findSecrets(secrets, { log: logged(), state: on.text('.credmon-standing.json') }),
    ).toEqual([]);
    expect(
      findSecrets(
        { refresh: secrets.refresh },
        { file: text(), ...textsBelow(join(on.directory, 'alice')) },
      ),
    ).toEqual([]);
  });

  it('is not due again before its share of the lifetime, also after a restart, and whatever the clock of its disk says', async () => {
    const first = await loggedIn();
    await on.pass();
    configure({ CREDMON_STANDING_ce_1_MODE: '0600' });
    // A file server whose clock is slow.
    utimesSync(file(), 1, 1);
    await on.pass();
    expect([text() === first, renewals()]).toEqual([true, 1]);
    on.clock.advance(320);
    await on.pass();
    expect([text() === first, renewals(), issuer.log.reuses()]).toEqual([false, 2, []]);
  });

  it.each([
    ['json', '0640'],
    ['jwt', '0400'],
  ])('has the format %s and the mode %s', async (format, mode) => {
    await loggedIn({ CREDMON_STANDING_ce_1_FORMAT: format, CREDMON_STANDING_ce_1_MODE: mode });
    expect((statSync(file()).mode & 0o7777).toString(8)).toBe(mode.slice(1));
    expect(text()).toMatch(format === 'json' ? /^\{"access_token":/ : /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(text()).not.toContain('refresh_token');
  });

  it('is renewed late where a refresh revokes the old access token', async () => {
    const first = await loggedIn({
      CREDMON_lab_REFRESH_REVOKES: 'true',
      CREDMON_TOKEN_FLOOR: '60',
      SEC_CREDENTIAL_REFRESH: '0',
    });
    on.clock.advance(400);
    await on.pass();
    expect(text()).toBe(first);
    on.clock.advance(100);
    await on.pass();
    expect(text()).not.toBe(first);
  });

  it('that is opaque is renewed by its lifetime', async () => {
    await issuer.close();
    issuer = await startIssuer({
      clients: [client],
      accessTokenTtl: 300,
      accessTokenFormat: 'opaque',
    });
    knobs['CREDMON_lab_ISSUER'] = issuer.url;
    const first = await loggedIn();
    on.clock.advance(100);
    await on.pass();
    expect(text()).toBe(first);
    on.clock.advance(60);
    await on.pass();
    expect(text()).not.toBe(first);
  });

  it.each<[string, () => void]>([
    ['is gone', () => rmSync(file())],
    ['is garbage', () => writeFileSync(file(), '{')],
    ['is open to others', () => chmodSync(file(), 0o644)],
  ])('that %s is renewed at once', async (_, damage) => {
    await loggedIn();
    damage();
    on.clock.advance(31);
    await on.pass();
    expect(statSync(file()).mode & 0o7777).toBe(0o600);
    expect(await verifyToken(issuer, text().trim())).toMatchObject({ scope: 'read write' });
    expect(issuer.log.reuses()).toEqual([]);
  });

  it('is renewed from another login at once', async () => {
    const first = await loggedIn();
    const second = await logIn();
    await on.pass();
    expect([text() === first, issuer.log.chain(second)]).toEqual([false, [second, stored()]]);
  });
});

describe('a standing token whose grant is dead', () => {
  beforeEach(async () => {
    await loggedIn();
    await issuer.setFault('invalid-grant');
    on.clock.advance(320);
    await on.pass();
  });
  const status = async (): Promise<string> => {
    const settings = settingsWith(knobs, on.directory);
    const now = { wall: on.clock.now(), steady: on.clock.steady() };
    const { tokens } = await openStore(settings).scan(now);
    return attentionTexts(evaluateTokens(tokens, settings, now).map(({ row }) => row)).join('\n');
  };

  it('R17 keeps the old token, is not tried again, and log and status name the command', async () => {
    const before = renewals();
    expect(logged()).toMatch(
      /\(standing\)\/ce_1: the issuer of lab answered invalid_grant[^\n]*; the old token is valid for 2\d\d s more; not tried again: fix: run this as root: condor_credmon standing login ce_1/,
    );
    on.clock.advance(60);
    await on.pass();
    expect(renewals()).toBe(before);
    expect(await status()).toMatch(
      /^\(standing\)\/ce_1 is stopped \(GRANT_REVOKED\): .*; fix: run this as root: condor_credmon standing login ce_1$/,
    );
  });

  it('is renewed after the next login', async () => {
    await issuer.setFault();
    const first = text();
    await logIn();
    await on.pass();
    expect(text()).not.toBe(first);
    expect(await status()).toBe('');
    expect(readdirSync(folder())).toEqual(['ce_1.top']);
  });
});

describe('a standing token without a usable login', () => {
  const said = (why: string): string =>
    `(standing)/ce_1: cannot be renewed: ${why}; fix: run this as root: condor_credmon standing login ce_1`;

  it('says once that no login was made yet', async () => {
    configure();
    await on.pass();
    await on.pass();
    expect(on.lines.filter((line) => line.includes('ce_1'))).toEqual([
      said('no login was made yet'),
    ]);
    expect(existsSync(join(on.directory, '.credmon-standing'))).toBe(false);
  });

  it.each<[string, Record<string, string>, string]>([
    ['another client', { lab_CLIENT_ID: 'other' }, 'another client'],
    ['another issuer', { CREDMON_lab_ISSUER: 'https://other.example' }, 'another issuer'],
    ['other scopes', { CREDMON_STANDING_ce_1_SCOPE: 'read' }, 'other scopes'],
    [
      'another audience',
      { CREDMON_STANDING_ce_1_AUDIENCE: 'https://ce.example' },
      'another audience',
    ],
    [
      'another provider',
      {
        CREDMON_STANDING_ce_1_PROVIDER: 'two',
        two_CLIENT_ID: AP.clientId,
        two_TOKEN_URL: 'https://two.example/token',
      },
      'another provider',
    ],
  ])('R26 sends the refresh token to nobody after a change to %s', async (_, change, what) => {
    const before = await loggedIn();
    on.sent.length = 0;
    configure(change);
    on.clock.advance(320);
    await on.pass();
    expect(on.sent).toEqual([]);
    expect(logged()).toContain(said(`the login was made with ${what} than configured`));
    expect(text()).toBe(before);
  });

  it('may have its scopes in another order', async () => {
    const before = await loggedIn();
    configure({ CREDMON_STANDING_ce_1_SCOPE: 'write, read' });
    on.clock.advance(320);
    await on.pass();
    expect(text()).not.toBe(before);
  });
});

describe('an answer that is not stored', () => {
  it('of another subject keeps the old token and the rotated refresh token', async () => {
    configure({ CREDMON_STANDING_ce_1_SUBJECT: 'somebody-else' });
    const first = await logIn();
    await on.pass();
    expect(existsSync(file())).toBe(false);
    expect(logged()).toContain(
      'CREDMON_STANDING_ce_1_SUBJECT is somebody-else, the token has another one',
    );
    expect(issuer.log.chain(first)).toEqual([first, stored()]);
    on.clock.advance(120);
    await on.pass();
    expect(issuer.log.reuses()).toEqual([]);
  });

  it('of more scopes is refused, and a bad answer changes nothing', async () => {
    const before = await loggedIn();
    await issuer.setFault('wider-scope');
    on.clock.advance(320);
    await on.pass();
    expect(logged()).toMatch(/granted more scopes than requested \(admin\)/);
    expect(text()).toBe(before);
  });

  it('whose file cannot be written is kept, and written later from the same refresh token', async () => {
    configure({ CREDMON_STANDING_ce_1_PATH: join(on.directory, '..', 'later/ce_1') });
    const first = await logIn();
    await on.pass();
    expect(logged()).toMatch(/cannot write \S+later\/ce_1: ENOENT; kept in memory; retrying/);
    expect(issuer.log.chain(first)).toEqual([first, stored()]);
    on.store('../later/x', '');
    on.clock.advance(31);
    await on.pass();
    const later = readFileSync(join(on.directory, '..', 'later/ce_1'), 'utf8');
    expect(await verifyToken(issuer, later.trim())).toMatchObject({ scope: 'read write' });
    expect([renewals(), issuer.log.reuses()]).toEqual([1, []]);
  });
});
