// Tokens of the running daemon's local signer, before Debian's own verifier and a real
// XRootD.
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  publishKeys,
  publishedFiles,
  rotateKeys,
  writeKey,
  type JsonObject,
} from '@credmon/scitokens';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startDaemon } from '../daemon-runs.ts';
import { AUDIENCE, fresh, keys, missing, put, rig } from './world.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(() => workspace.remove());

const path = (user: string, name: string): string =>
  join(workspace.credentialDirectory, user, name);

/** CredD asks for a token of `user`, signals, and waits for `.use`. */
async function ask(
  daemon: ReturnType<typeof startDaemon>,
  user: string,
  stem: string,
): Promise<string> {
  mkdirSync(path(user, ''), { recursive: true, mode: 0o700 });
  writeFileSync(path(user, `${stem}.top`), `${user}@pool`, { mode: 0o600 });
  daemon.signal('SIGHUP');
  const read = (): string | false => {
    try {
      return readFileSync(path(user, `${stem}.use`), 'utf8');
    } catch {
      return false;
    }
  };
  const text = await waitUntil(read, { what: `${user}/${stem}.use` });
  return text.startsWith('{')
    ? (JSON.parse(text) as { access_token: string }).access_token
    : text.trim();
}

const local = (): Record<string, string> => ({
  LOCAL_CREDMON_PROVIDER_NAMES: 'storage, plain',
  LOCAL_CREDMON_TOKEN_AUDIENCE: AUDIENCE,
  LOCAL_CREDMON_PRIVATE_KEY: join(workspace.root, 'private.pem'),
  LOCAL_CREDMON_PUBLIC_KEY: join(workspace.root, 'public.pem'),
  LOCAL_CREDMON_plain_ISSUER: `${rig.issuers}/plain`,
  LOCAL_CREDMON_plain_TOKEN_USE_JSON: 'false',
  LOCAL_CREDMON_storage_ISSUER: `${rig.issuers}/es`,
  LOCAL_CREDMON_storage_TOKEN_VERSION: 'wlcg',
  LOCAL_CREDMON_storage_AUTHZ_TEMPLATE:
    'storage.read:/home/{username} storage.create:/home/{username}',
  CREDMON_storage_KEY_DIRECTORY: keys('es'),
});

it.skipIf(missing)(
  'the key pair made at first start signs what scitokens-verify accepts',
  async () => {
    workspace.configure(local());
    const daemon = startDaemon(workspace);
    await waitUntil(() => existsSync(join(workspace.credentialDirectory, 'pid')), { what: 'pid' });
    const token = await ask(daemon, 'alice', 'plain');
    const key = createPublicKey(readFileSync(join(workspace.root, 'public.pem')));
    const jwk = JSON.parse(
      writeKey({ key, kid: 'local', algorithm: 'ES256' }, 'jwk-public'),
    ) as JsonObject;
    for (const file of publishedFiles(`${rig.issuers}/plain`, [jwk])) {
      const published = join(rig.directory, 'web/plain', file.path);
      mkdirSync(dirname(published), { recursive: true });
      writeFileSync(published, file.text);
    }
    expect(await rig.trusting('scitokens-verify', token)).toMatchObject({ code: 0 });
    expect(await rig.trusting('scitokens-verify', `${token.slice(0, -4)}AAAA`)).not.toMatchObject({
      code: 0,
    });
    await daemon.stop();
  },
);

it.skipIf(missing)(
  'R32 a WLCG token opens a real XRootD before and after a rotation of the key directory, without a restart',
  async () => {
    workspace.configure(local());
    const daemon = startDaemon(workspace);
    await waitUntil(() => existsSync(join(workspace.credentialDirectory, 'pid')), { what: 'pid' });
    const before = await ask(daemon, 'alice', 'storage');
    expect(await put(fresh('/home/alice'), before)).toBe(200);
    expect(await put(fresh('/home/bob'), before)).toBe(403);

    const now = Date.now() / 1000;
    rotateKeys(keys('es'), { now, begin: true });
    const unpublished = await ask(daemon, 'bob', 'storage');
    expect(kidOf(unpublished)).toBe(kidOf(before));
    publishKeys(keys('es'), `${rig.issuers}/es`, join(rig.directory, 'web/es'), now);
    rotateKeys(keys('es'), { now: now + 30 * 86_400 });
    rig.forgetKeys();
    const after = await ask(daemon, 'carol', 'storage');
    expect(kidOf(after)).not.toBe(kidOf(before));
    expect([
      await put(fresh('/home/carol'), after),
      await put(fresh('/home/alice'), before),
    ]).toEqual([200, 200]);
    await daemon.stop();
  },
);

function kidOf(token: string): string {
  const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8');
  return (JSON.parse(header) as { kid: string }).kid;
}
