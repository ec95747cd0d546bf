// The life of exchanged tokens, of EXCHANGE and of PELICAN, at a real issuer, under one
// running daemon.
import { loginAtIssuer, postToken } from '@credmon/test-fixtures/browsers/http-login';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog } from './daemon-runs.ts';
import { revokeAt, startLife, type Life } from './provider-life.ts';

const redirectUri = 'http://127.0.0.1/return';
const PORTAL = { clientId: 'portal', clientSecret: 'portal-secret', redirectUris: [redirectUri] };
const AP = {
  clientId: 'ap',
  clientSecret: 'CANARY-ap',
  redirectUris: [],
  grants: ['urn:ietf:params:oauth:grant-type:token-exchange'],
} as const;

let issuer: Issuer;
let foreign: Issuer;
let workspace: Workspace;
let life: Life;
beforeAll(async () => {
  const clients = [PORTAL, AP];
  [issuer, foreign] = await Promise.all([
    startIssuer({ name: 'ours', clients, accessTokenTtl: 600 }),
    startIssuer({ name: 'foreign', clients }),
  ]);
  workspace = createWorkspace();
  const secret = workspace.secretFile('ap', `${AP.clientSecret}\n`);
  workspace.configure({
    EXCHANGE_CREDMON_PROVIDER_NAMES: 'swap',
    EXCHANGE_CREDMON_CLIENT_ID: 'ap',
    EXCHANGE_CREDMON_CLIENT_SECRET_FILE: secret,
    EXCHANGE_CREDMON_ISSUER: issuer.url,
    PELICAN_CREDMON_PROVIDER_NAMES: 'osdf',
    PELICAN_CREDMON_ISSUER: issuer.url,
    osdf_PELICAN_CLIENT_ID: 'ap',
    osdf_PELICAN_CLIENT_SECRET_FILE: secret,
    osdf_PELICAN_TOKEN_URL: issuer.tokenUrl,
  });
  life = await startLife(workspace);
});
afterAll(async () => {
  await life.daemon.stop();
  await Promise.all([issuer.close(), foreign.close()]);
  workspace.remove();
});

/** The access token of a user who logged in at an issuer. */
async function subjectToken(at: Issuer, account: string): Promise<string> {
  const login = {
    authorizationUrl: at.authorizationUrl,
    clientId: PORTAL.clientId,
    redirectUri,
    scope: 'read',
  };
  const { parameters, codeVerifier = '' } = await loginAtIssuer({ ...login, account });
  const { answer } = await postToken(at.tokenUrl, {
    client_id: PORTAL.clientId,
    client_secret: PORTAL.clientSecret,
    grant_type: 'authorization_code',
    code: parameters['code'] ?? '',
    redirect_uri: redirectUri,
    code_verifier: codeVerifier,
  });
  return String(answer['access_token']);
}

async function store(token: string, at: Issuer = issuer): Promise<void> {
  const access_token = await subjectToken(at, token.split('/')[0] ?? '');
  life.store(token, { access_token, scopes: 'read' });
}
/** A token that has been issued; answers with `.use`. */
async function issued(token: string): Promise<string> {
  await store(token);
  return life.changed(token);
}
const refreshToken = (token: string): string =>
  String(readJson(life.path(token, 'top'))['refresh_token']);

describe.each(['swap', 'osdf'])('an exchanged token (%s)', (stem) => {
  it('issue: the stored token is exchanged, and a refresh token takes its place', async () => {
    await issued(`alice/${stem}`);
    expect(await verifyToken(issuer, life.accessToken(`alice/${stem}`))).toMatchObject({
      sub: 'alice',
      scope: 'read',
    });
    expect(readJson(life.path(`alice/${stem}`, 'top'))).toEqual({
      refresh_token: expect.any(String) as string,
      iss: issuer.url,
      scopes: 'read',
    });
  });

  it('renew: again and again by itself, each time with the refresh token of the last', async () => {
    const first = await issued(`bob/${stem}`);
    issuer.setAccessTokenTtl(2);
    life.again(`bob/${stem}`);
    const second = await life.changed(`bob/${stem}`, first);
    issuer.setAccessTokenTtl(600);
    await life.changed(`bob/${stem}`, second);
    expect(issuer.log.reuses()).toEqual([]);
  });

  it("refuse: another issuer's token is reported, and nobody is asked", async () => {
    const asked = issuer.log.requests.length;
    await store(`carol/${stem}`, foreign);
    await life.failed(`carol/${stem}`, 'SUBJECT_REFUSED');
    await life.logged(`carol/${stem}: the stored token cannot be used`);
    expect(issuer.log.requests).toHaveLength(asked);
    expect(foreign.log.requests.filter(({ client }) => client === 'ap')).toEqual([]);
  });

  it('revoke: a revoked refresh token leaves the token that jobs have, and a newly stored one is exchanged', async () => {
    const before = await issued(`dave/${stem}`);
    await revokeAt(issuer, AP, refreshToken(`dave/${stem}`));
    life.again(`dave/${stem}`);
    await life.failed(`dave/${stem}`, 'GRANT_REVOKED');
    expect(life.use(`dave/${stem}`)).toBe(before);
    await store(`dave/${stem}`);
    await life.changed(`dave/${stem}`, before);
  });

  it('revoke: a stored token whose owner the issuer does not know any more is not asked for again', async () => {
    const gone = `gone-${stem}`;
    const top = { access_token: await subjectToken(issuer, gone) };
    issuer.removeAccount(gone);
    life.store(`${gone}/${stem}`, top);
    await life.failed(`${gone}/${stem}`, 'GRANT_REVOKED');
    await life.logged(`${gone}/${stem}: the issuer of ${stem} answered invalid_grant`);
    expect(life.use(`${gone}/${stem}`)).toBe('');
  });

  it('outage: nobody listens at the issuer; the old token stays, and the next try counts', async () => {
    const before = await issued(`erin/${stem}`);
    await issuer.setFault('refused');
    life.again(`erin/${stem}`);
    await life.failed(`erin/${stem}`, 'ISSUER_UNREACHABLE');
    expect(life.use(`erin/${stem}`)).toBe(before);
    await issuer.setFault();
    await life.changedOnCall(`erin/${stem}`, before);
  });

  it('bad answer: a list instead of an object changes nothing, and the next good one counts', async () => {
    const before = await issued(`frank/${stem}`);
    await issuer.setFault('not-an-object');
    life.again(`frank/${stem}`);
    await life.failed(`frank/${stem}`, 'ISSUER_ANSWER_INVALID');
    expect(life.use(`frank/${stem}`)).toBe(before);
    await issuer.setFault();
    await life.changedOnCall(`frank/${stem}`, before);
  });

  it('R29 rollover: a new client secret in the file is used at once, without a restart', async () => {
    const before = await issued(`grace/${stem}`);
    const clientSecret = `CANARY-rolled-${stem}`;
    await issuer.addClient({ ...AP, clientSecret });
    life.again(`grace/${stem}`);
    await life.failed(`grace/${stem}`, 'CLIENT_REFUSED');
    workspace.secretFile('ap', `${clientSecret}\n`);
    life.daemon.signal('SIGHUP');
    expect(await life.changed(`grace/${stem}`, before)).not.toBe('');
    await issuer.addClient(AP);
    workspace.secretFile('ap', `${AP.clientSecret}\n`);
  });
});

it('R43 after all of this no secret is in the log', () => {
  expect(daemonLog(workspace)).not.toContain('CANARY');
});
