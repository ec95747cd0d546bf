// The life of tokens that are signed here, under one running daemon: the issuer is its
// key and its map of groups.
import { generateKeyPairSync } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyWithPem } from '@credmon/test-fixtures/servers/verify-token';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLife, type Life } from './provider-life.ts';

let workspace: Workspace;
let life: Life;
let publicPem: string;
const place = (name: string): string => join(workspace.root, name);

/** Replaces a file in one step, as an administrator's tools do. */
function put(name: string, text: string): void {
  writeFileSync(place(`${name}.new`), text, { mode: 0o600 });
  renameSync(place(`${name}.new`), place(name));
}

/** Makes a new key the issuer's; answers with its private half. */
function newKey(): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  publicPem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const pem = privateKey.export({ format: 'pem', type: 'sec1' }).toString();
  put('private.pem', pem);
  return pem;
}

beforeAll(async () => {
  workspace = createWorkspace();
  newKey();
  put('groups', '* alice staff\n* dave staff\n');
  workspace.configure({
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens, short, guarded',
    LOCAL_CREDMON_PRIVATE_KEY: place('private.pem'),
    LOCAL_CREDMON_PUBLIC_KEY: place('public.pem'),
    LOCAL_CREDMON_ISSUER: 'https://ap.example',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'ANY',
    LOCAL_CREDMON_short_TOKEN_LIFETIME: 20,
    LOCAL_CREDMON_guarded_AUTHZ_GROUP_MAPFILE: place('groups'),
    LOCAL_CREDMON_guarded_AUTHZ_GROUP_REQUIREMENT: 'staff',
  });
  life = await startLife(workspace);
});
afterAll(async () => {
  await life.daemon.stop();
  workspace.remove();
});

/** A token that has been issued; answers with `.use`. */
async function issued(token: string): Promise<string> {
  life.store(token, 'anything');
  return life.changed(token);
}

describe('a token that is signed here', () => {
  it('issue: it verifies with the public key, and says who and where', async () => {
    await issued('alice/scitokens');
    expect(await verifyWithPem(publicPem, life.accessToken('alice/scitokens'))).toMatchObject({
      iss: 'https://ap.example',
      sub: 'alice',
      scope: 'read:/user/alice write:/user/alice',
    });
  });

  it('renew: it is signed again by itself, long before it expires', async () => {
    const first = await issued('bob/short');
    await life.changed('bob/short', first);
    expect(await verifyWithPem(publicPem, life.accessToken('bob/short'))).toMatchObject({
      sub: 'bob',
    });
  });

  it('refuse: a user without the group gets an empty token, so that the submit does not wait, and that is told', async () => {
    await issued('carol/guarded');
    expect(life.accessToken('carol/guarded')).toBe('');
    await life.failed('carol/guarded', 'USER_REFUSED');
    await life.logged('carol/guarded');
  });

  it('revoke: a user who leaves the group loses the token at the next renewal', async () => {
    const before = await issued('dave/guarded');
    expect(await verifyWithPem(publicPem, life.accessToken('dave/guarded'))).toMatchObject({
      sub: 'dave',
    });
    put('groups', '* alice staff\n');
    life.again('dave/guarded');
    await life.changed('dave/guarded', before);
    expect(life.accessToken('dave/guarded')).toBe('');
  });

  it('outage: a key that is missing leaves the old token, and it ends by itself', async () => {
    const before = await issued('erin/scitokens');
    renameSync(place('private.pem'), place('away.pem'));
    put('public.pem', publicPem);
    life.again('erin/scitokens');
    await life.failed('erin/scitokens', 'TOKEN_KEY_UNREADY');
    expect(life.use('erin/scitokens')).toBe(before);
    renameSync(place('away.pem'), place('private.pem'));
    await life.changed('erin/scitokens', before);
  });

  it('bad answer: a key file that holds no key changes nothing, and a good one counts at once', async () => {
    const before = await issued('frank/scitokens');
    put('private.pem', '-----BEGIN EC PRIVATE KEY-----\nCANARY\n-----END EC PRIVATE KEY-----\n');
    life.again('frank/scitokens');
    await life.failed('frank/scitokens', 'TOKEN_KEY_INVALID');
    expect(life.use('frank/scitokens')).toBe(before);
    newKey();
    await life.changedOnCall('frank/scitokens', before);
  });

  it('R32 R45 rollover: a new key in the file signs the next token, without a restart', async () => {
    const before = await issued('grace/scitokens');
    const old = publicPem;
    newKey();
    life.again('grace/scitokens');
    await life.changed('grace/scitokens', before);
    expect(await verifyWithPem(publicPem, life.accessToken('grace/scitokens'))).toMatchObject({
      sub: 'grace',
    });
    await expect(verifyWithPem(old, life.accessToken('grace/scitokens'))).rejects.toThrow(
      'signature',
    );
    expect(life.daemon.exit).toBe(undefined);
  });
});
