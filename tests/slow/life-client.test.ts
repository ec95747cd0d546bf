// The life of tokens by client credentials, at a real issuer, under one running daemon:
// one client with a secret, one with a key.
import { generateKeyPairSync } from 'node:crypto';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog } from './daemon-runs.ts';
import { startLife, type Life } from './provider-life.ts';

const grants = ['client_credentials'] as const;
const SITE = { clientId: 'site', clientSecret: 'CANARY-site', redirectUris: [], grants };
const LAB = { clientId: 'lab', clientSecret: 'unused', redirectUris: [], grants };

/** A key of the client's own, and its public half as the issuer knows it. */
function keyPair(): { readonly pem: string; readonly jwks: { keys: object[] } } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' };
  return {
    pem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    jwks: { keys: [jwk] },
  };
}

let issuer: Issuer;
let workspace: Workspace;
let life: Life;
beforeAll(async () => {
  const key = keyPair();
  issuer = await startIssuer({ accessTokenTtl: 600, clients: [SITE, { ...LAB, jwks: key.jwks }] });
  workspace = createWorkspace({
    knobs: {
      CLIENT_CREDMON_PROVIDER_NAMES: 'site, lab, odd',
      CLIENT_CREDMON_ISSUER: issuer.url,
      CLIENT_CREDMON_AUTHZ_TEMPLATE: 'read',
      CLIENT_CREDMON_CLIENT_ID: 'site',
      CLIENT_CREDMON_odd_RESOURCE: 'never-heard-of',
      CLIENT_CREDMON_lab_CLIENT_ID: 'lab',
      CLIENT_CREDMON_lab_CLIENT_AUTH: 'private_key_jwt',
    },
  });
  workspace.configure({
    CLIENT_CREDMON_CLIENT_SECRET_FILE: workspace.secretFile('site', `${SITE.clientSecret}\n`),
    CLIENT_CREDMON_lab_CLIENT_SECRET_FILE: workspace.secretFile('lab.pem', key.pem),
  });
  life = await startLife(workspace);
});
afterAll(async () => {
  await life.daemon.stop();
  await issuer.close();
  workspace.remove();
});

/** A token that has been issued; answers with `.use`. */
async function issued(token: string): Promise<string> {
  life.store(token, token.split('/')[0] ?? '');
  return life.changed(token);
}

describe('a token by client credentials', () => {
  it.each(['site', 'lab'])('issue: %s gets what the administrator chose', async (stem) => {
    await issued(`alice/${stem}`);
    const token = await verifyToken(issuer, life.accessToken(`alice/${stem}`));
    expect(token).toMatchObject({ client_id: stem, scope: 'read' });
  });

  it('renew: again and again by itself', async () => {
    issuer.setAccessTokenTtl(2);
    const second = await life.changed('bob/site', await issued('bob/site'));
    issuer.setAccessTokenTtl(600);
    expect(await life.changed('bob/site', second)).not.toBe('');
  });

  it('refuse: a resource that the issuer does not know is reported, and it is not asked again', async () => {
    life.store('carol/odd', 'carol');
    await life.failed('carol/odd', 'CLIENT_REFUSED');
    await life.logged('carol/odd: the issuer of odd answered invalid_target');
    await issued('carol/site');
    expect(issuer.log.requests.filter(({ outcome }) => outcome === 'invalid_target')).toHaveLength(
      1,
    );
  });

  it('revoke: a client that is withdrawn leaves the tokens that jobs have, and the administrator is told', async () => {
    const before = await issued('dave/site');
    await issuer.removeClient('site');
    life.again('dave/site');
    await life.failed('dave/site', 'CLIENT_REFUSED');
    expect(life.use('dave/site')).toBe(before);
    await life.logged('dave/site: the issuer of site answered invalid_client');
    await life.logged('the administrator must act');
  });

  it('R29 rollover: a new client secret in the file is used at once, without a restart', async () => {
    const before = life.use('dave/site');
    await issuer.addClient({ ...SITE, clientSecret: 'CANARY-rolled' });
    workspace.secretFile('site', 'CANARY-rolled\n');
    life.daemon.signal('SIGHUP');
    expect(await life.changed('dave/site', before)).not.toBe('');
  });

  it('R29 rollover: so is a new key of private_key_jwt', async () => {
    const before = await issued('dave/lab');
    const next = keyPair();
    await issuer.addClient({ ...LAB, jwks: next.jwks });
    life.again('dave/lab');
    await life.failed('dave/lab', 'CLIENT_REFUSED');
    workspace.secretFile('lab.pem', next.pem);
    life.daemon.signal('SIGHUP');
    expect(await life.changed('dave/lab', before)).not.toBe('');
  });

  it('outage: nobody listens at the issuer; the old token stays, and it ends by itself', async () => {
    const before = await issued('erin/site');
    await issuer.setFault('refused');
    life.again('erin/site');
    await life.failed('erin/site', 'ISSUER_UNREACHABLE');
    expect(life.use('erin/site')).toBe(before);
    await issuer.setFault();
    await life.changed('erin/site', before);
  });

  it('bad answer: an answer without a token changes nothing, and the next good one counts', async () => {
    const before = await issued('frank/site');
    await issuer.setFault('no-access-token');
    life.again('frank/site');
    await life.failed('frank/site', 'ISSUER_ANSWER_INVALID');
    expect(life.use('frank/site')).toBe(before);
    await issuer.setFault();
    await life.changedOnCall('frank/site', before);
  });
});

it('R43 after all of this no secret is in the log', () => {
  expect(daemonLog(workspace)).not.toContain('CANARY');
});
