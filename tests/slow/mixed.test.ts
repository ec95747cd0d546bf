// One directory of 2,000 tokens for 200 users with every source of tokens at once: each
// name with its owner, and nobody else touches it.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { storeCredential } from '@credmon/test-fixtures/files/credd';
import { startVault, type FakeVault } from '@credmon/test-fixtures/servers/fake-vault';
import { postToken } from '@credmon/test-fixtures/browsers/http-login';
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { programFolder } from '@credmon/test-fixtures/processes/program-folder';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { claimsOf, verifyToken, verifyWithPem } from '@credmon/test-fixtures/servers/verify-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';
import type { Child } from '@credmon/test-fixtures/processes/processes';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const USERS = Array.from({ length: 200 }, (_, n) => `user${n}`);
/** Ten names a user, by owner. The last one is nobody's. */
const STEMS = {
  local: ['scitokens', 'scitokens_h1'],
  oauth: ['cern', 'cern_h1'],
  client: ['site'],
  exchange: ['swap'],
  vault: ['dune', 'dune_h2'],
  exec: ['own'],
  nobody: ['spare'],
} as const;
type Owner = keyof typeof STEMS;
const OWNED = (Object.keys(STEMS) as Owner[]).filter((owner) => owner !== 'nobody');

const client = {
  clientId: 'ap',
  clientSecret: 'ap-secret',
  redirectUris: [],
  grants: ['client_credentials', EXCHANGE],
} as const;
const ISSUERS = ['cern', 'site', 'swap'] as const;
let issuers: Record<(typeof ISSUERS)[number], Issuer>;
let vault: FakeVault;
let workspace: Workspace;
let programs: string;
let daemon: Child;
const seeds = new Map<string, string>();
const file = (...parts: readonly string[]): string => join(workspace.credentialDirectory, ...parts);
const store = (user: string, stem: string, top: string): string =>
  storeCredential({ directory: workspace.credentialDirectory, user, stem }, top);

/**
 * A token of the site's own, to exchange; and what an exchange answers with, refresh
 * token included.
 */
async function subjectToken(issuer: Issuer): Promise<string> {
  const { answer } = await postToken(issuer.tokenUrl, {
    grant_type: 'client_credentials',
    client_id: client.clientId,
    client_secret: client.clientSecret,
    scope: 'read',
  });
  return String(answer['access_token']);
}
async function refreshToken(issuer: Issuer, subject: string): Promise<string> {
  const { answer } = await postToken(issuer.tokenUrl, {
    grant_type: EXCHANGE,
    client_id: client.clientId,
    client_secret: client.clientSecret,
    subject_token: subject,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: 'read',
  });
  return String(answer['refresh_token']);
}

/** What a user stores for one name. */
async function topOf(
  user: string,
  stem: string,
  subject: Record<'cern' | 'swap', string>,
): Promise<string> {
  if (stem.startsWith('cern')) {
    const refresh_token = await refreshToken(issuers.cern, subject.cern);
    seeds.set(`${user}/${stem}`, refresh_token);
    return JSON.stringify({ refresh_token, scopes: 'read' });
  }
  if (stem === 'swap') return JSON.stringify({ access_token: subject.swap, scopes: 'write' });
  if (stem.startsWith('dune')) {
    const { token: vault_token, path } = vault.login(user, 'dune');
    const vault_url = `https://localhost:${vault.port}${path}`;
    return JSON.stringify(stem === 'dune' ? { vault_token, vault_url } : { vault_url });
  }
  return user;
}

async function fill(): Promise<void> {
  const subject = {
    cern: await subjectToken(issuers.cern),
    swap: await subjectToken(issuers.swap),
  };
  for (const user of USERS)
    for (const stem of Object.values(STEMS).flat())
      store(user, stem, await topOf(user, stem, subject));
}

beforeAll(async () => {
  const started = await Promise.all(
    ISSUERS.map((name) => startIssuer({ name, clients: [client] })),
  );
  issuers = Object.fromEntries(ISSUERS.map((name, n) => [name, started[n]])) as typeof issuers;
  workspace = createWorkspace();
  const { keyFile, certificateFile, caFile } = makeCertificates(workspace.root);
  vault = await startVault({
    key: readFileSync(keyFile, 'utf8'),
    cert: readFileSync(certificateFile, 'utf8'),
  });
  programs = programFolder();
  const program = join(programs, 'token-program');
  writeFileSync(
    program,
    '#!/bin/sh\nuser=$(sed \'s/.*"user":"\\([^"]*\\)".*/\\1/\')\necho "{\\"access_token\\":\\"made-for-$user\\",\\"expires_in\\":600}"\n',
  );
  chmodSync(program, 0o755);
  mkdirSync(join(workspace.root, 'standing'));
  const secret = workspace.secretFile('ap', `${client.clientSecret}\n`);
  workspace.configure({
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
    LOCAL_CREDMON_PRIVATE_KEY: join(workspace.root, 'private.pem'),
    LOCAL_CREDMON_PUBLIC_KEY: join(workspace.root, 'public.pem'),
    LOCAL_CREDMON_ISSUER: 'https://ap.example',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'ANY',
    OAUTH2_CREDMON_PROVIDER_NAMES: 'cern',
    cern_CLIENT_ID: 'ap',
    cern_CLIENT_SECRET_FILE: secret,
    cern_TOKEN_URL: issuers.cern.tokenUrl,
    CLIENT_CREDMON_PROVIDER_NAMES: 'site',
    CLIENT_CREDMON_CLIENT_ID: 'ap',
    CLIENT_CREDMON_CLIENT_SECRET_FILE: secret,
    CLIENT_CREDMON_site_ISSUER: issuers.site.url,
    CLIENT_CREDMON_site_AUTHZ_TEMPLATE: 'compute.read',
    EXCHANGE_CREDMON_PROVIDER_NAMES: 'swap',
    EXCHANGE_CREDMON_CLIENT_ID: 'ap',
    EXCHANGE_CREDMON_CLIENT_SECRET_FILE: secret,
    EXCHANGE_CREDMON_ISSUER: issuers.swap.url,
    VAULT_CREDMON_PROVIDER_NAMES: 'dune',
    TRUSTED_VAULT_HOSTS: 'localhost',
    CREDMON_VAULT_PORTS: vault.port,
    AUTH_SSL_CLIENT_CAFILE: caFile,
    EXEC_CREDMON_PROVIDER_NAMES: 'own',
    EXEC_CREDMON_own_COMMAND: program,
    CREDMON_STANDING_TOKENS: 'pilot1, pilot2',
    CREDMON_STANDING_PROVIDER: 'scitokens',
    CREDMON_STANDING_SCOPE: 'compute.read',
    CREDMON_STANDING_AUDIENCE: 'https://ce.example',
    ...Object.fromEntries(
      ['pilot1', 'pilot2'].flatMap((name) => [
        [`CREDMON_STANDING_${name}_PATH`, join(workspace.root, 'standing', name)],
        [`CREDMON_STANDING_${name}_SUBJECT`, name],
      ]),
    ),
  });
  await fill();
  for (const issuer of Object.values(issuers)) issuer.log.requests.length = 0;
});
afterAll(async () => {
  await daemon.stop();
  await Promise.all([...Object.values(issuers).map((issuer) => issuer.close()), vault.close()]);
  workspace.remove();
  rmSync(programs, { recursive: true, force: true });
});

/** Every file of every user, by name, with what would change if somebody wrote it. */
function files(): Map<string, string> {
  return new Map(
    USERS.flatMap((user) =>
      readdirSync(file(user)).map((name) => {
        const { ino, mtimeMs, mode } = lstatSync(file(user, name));
        return [`${user}/${name}`, `${ino} ${mtimeMs} ${(mode & 0o777).toString(8)}`] as const;
      }),
    ),
  );
}
const changed = (
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] =>
  [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .sort();
const namesOf = (owner: Owner, ending: 'top' | 'use'): string[] =>
  USERS.flatMap((user) => STEMS[owner].map((stem) => `${user}/${stem}.${ending}`));
const missing = (): string[] =>
  OWNED.flatMap((owner) => namesOf(owner, 'use')).filter((name) => !existsSync(file(name)));
const grants = (name: (typeof ISSUERS)[number]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { grant, outcome } of issuers[name].log.requests)
    counts[`${grant} ${outcome}`] = (counts[`${grant} ${outcome}`] ?? 0) + 1;
  return counts;
};
const accessToken = (name: string): string => String(readJson(file(name))['access_token']);

describe('2,000 tokens of 200 users from every source', () => {
  it('R19 R20 each gets a token of its owner with one request, and no other file is touched', async () => {
    const before = files();
    daemon = startDaemon(workspace);
    await waitUntil(() => existsSync(file('CREDMON_COMPLETE')), { what: 'CREDMON_COMPLETE' });
    await waitUntil(() => missing().length === 0, { what: 'every .use' });
    const rewritten = [...namesOf('oauth', 'top'), ...namesOf('exchange', 'top')];
    expect(changed(before, files())).toEqual(
      [...OWNED.flatMap((owner) => namesOf(owner, 'use')), ...rewritten].sort(),
    );
    expect([grants('cern'), grants('site'), grants('swap'), vault.requests.length]).toEqual([
      { 'refresh_token issued': 400 },
      { 'client_credentials issued': 200 },
      { [`${EXCHANGE} issued`]: 200 },
      400,
    ]);
    expect(issuers.cern.log.presentedTwice()).toEqual([]);
  });

  it('R19 every token is for its user, from its own issuer', async () => {
    const publicKey = readFileSync(join(workspace.root, 'public.pem'), 'utf8');
    for (const user of USERS) {
      for (const stem of STEMS.local) {
        const { iss, sub } = await verifyWithPem(publicKey, accessToken(`${user}/${stem}.use`));
        expect([iss, sub]).toEqual(['https://ap.example', user]);
      }
      for (const stem of STEMS.oauth) {
        await verifyToken(issuers.cern, accessToken(`${user}/${stem}.use`));
        const chain = issuers.cern.log.chain(tokenId(seeds.get(`${user}/${stem}`) ?? ''));
        const now = String(readJson(file(`${user}/${stem}.top`))['refresh_token']);
        expect(chain.slice(1)).toEqual([tokenId(now)]);
      }
      const site = await verifyToken(issuers.site, accessToken(`${user}/site.use`));
      const swap = await verifyToken(issuers.swap, accessToken(`${user}/swap.use`));
      expect([site['scope'], swap['scope']]).toEqual(['compute.read', 'write']);
      for (const stem of STEMS.vault)
        expect(claimsOf(readFileSync(file(`${user}/${stem}.use`), 'utf8').trim()).sub).toBe(user);
      expect(accessToken(`${user}/own.use`)).toBe(`made-for-${user}`);
      expect(readFileSync(file(`${user}/spare.top`), 'utf8')).toBe(user);
    }
    for (const name of ['pilot1', 'pilot2']) {
      const text = readFileSync(join(workspace.root, 'standing', name), 'utf8').trim();
      expect((await verifyWithPem(publicKey, text)).sub).toBe(name);
    }
  });

  it('R19 a new request for one name of each owner renews that name alone, and a nameless one none', async () => {
    for (const { log } of Object.values(issuers)) log.requests.length = 0;
    vault.requests.length = 0;
    const user = 'user77';
    const subject = {
      cern: await subjectToken(issuers.cern),
      swap: await subjectToken(issuers.swap),
    };
    const stored = ['scitokens_h1', 'cern', 'site', 'swap', 'dune', 'own', 'spare'];
    const tops = await Promise.all(stored.map((stem) => topOf(user, stem, subject)));
    for (const { log } of Object.values(issuers)) log.requests.length = 0;
    const before = files();
    for (const [n, stem] of stored.entries()) store(user, stem, tops[n] ?? '');
    daemon.signal('SIGHUP');
    const expected = [
      ...stored.map((stem) => `${user}/${stem}.top`),
      ...stored.filter((stem) => stem !== 'spare').map((stem) => `${user}/${stem}.use`),
    ].sort();
    await waitUntil(() => changed(before, files()).length >= expected.length, {
      what: 'the renewals',
    });
    expect(changed(before, files())).toEqual(expected);
    expect([grants('cern'), grants('site'), grants('swap'), vault.requests.length]).toEqual([
      { 'refresh_token issued': 1 },
      { 'client_credentials issued': 1 },
      { [`${EXCHANGE} issued`]: 1 },
      1,
    ]);
    expect(daemonLog(workspace)).not.toMatch(/ (WARNING|ERROR) /);
  });
});
