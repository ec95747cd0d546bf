// Revoking one token: issuers that do not answer, daemons and logins at work at the same
// moment, and files that cannot go.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openCredentialDirectory, type CredentialStore } from '@credmon/core/store';
import { stageFile, type HttpRequest, type HttpResponse } from '@credmon/core/base';
import type { TokenSnapshot } from '@credmon/core/credential';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { nameOf, startVault, type FakeVault } from '@credmon/test-fixtures/servers/fake-vault';
import { manualClock, type ManualClock } from '@credmon/test-fixtures/clocks/manual-clock';
import { listing } from '@credmon/test-fixtures/files/token-files';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { revocationFiles } from '../../src/commands/revoke.ts';
import { createVaultSend } from '../../src/host/tls-ca.ts';
import type { ProviderKind } from '../../src/settings/lists.ts';
import { revokeOne, type Revoked } from '../../src/revocation/revoke-token.ts';
import { createRevoker } from '../../src/revocation/revoker.ts';
import { accessPoint, settingsWith, type AccessPoint } from '../support/access-point.ts';

const REVOKE = 'https://issuer.example/revoke';
const KNOBS = {
  mytok_CLIENT_ID: 'me',
  mytok_TOKEN_URL: 'https://issuer.example/token',
  CREDMON_mytok_REVOCATION_URL: REVOKE,
  CREDMON_ALLOW_LOOPBACK_HTTP: 'false',
};
const empty: HttpResponse = { status: 200, headers: {}, body: Buffer.alloc(0) };
const status = (code: number, headers = {}): HttpResponse => ({ ...empty, status: code, headers });
let on: AccessPoint;
let clock: ManualClock;
let asked: HttpRequest[];
let answers: (HttpResponse | Error)[];
beforeEach(() => {
  on = accessPoint();
  clock = manualClock(Math.floor(Date.now() / 1000));
  asked = [];
  answers = [];
  on.store('alice/mytok.top', '{"refresh_token":"CANARY-r1"}');
  on.store('alice/mytok.use', use('CANARY-a1'));
});
afterEach(() => on.close());

const home = (): string => join(on.directory, 'alice');
const use = (token: string): string => JSON.stringify({ access_token: token, expires_in: 600 });
const tokensSent = (): (string | null)[] =>
  asked.map(({ body }) => new URLSearchParams(String(body)).get('token'));

interface Change {
  readonly kind?: ProviderKind;
  readonly stem?: string;
  readonly knobs?: Readonly<Record<string, string>>;
  readonly store?: (real: CredentialStore) => CredentialStore;
}

async function revoke({
  kind = 'oauth2',
  stem = 'mytok',
  knobs = KNOBS,
  store: wrap,
}: Change = {}): Promise<Revoked> {
  const settings = settingsWith(knobs, on.directory);
  const real = openCredentialDirectory(on.directory, { defaultLifetime: 1200 });
  const store = wrap ? wrap(real) : real;
  const { tokens } = await real.scan({ wall: clock.now(), steady: 0 });
  const token = tokens.find((one) => one.stem === stem) as TokenSnapshot;
  const prepare = createRevoker(settings, {
    clock,
    send: async (request) => {
      asked.push(request);
      const answer = answers.shift() ?? empty;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    vaultSend: createVaultSend(settings.vault, settings.limits),
    pelicanSend: async () => Promise.reject(new Error('no Pelican here')),
    secretVersion: () => '',
    random: (bytes) => new Uint8Array(bytes),
    readSecret: () => ({ ok: false, reason: 'is missing' }),
  });
  return revokeOne(kind, token, { prepare, clock, files: revocationFiles(on.directory, store) });
}

describe('an issuer that does not answer', () => {
  it('R31 is asked three times, no file is kept, and it is reported', async () => {
    answers = [503, 500, 503].map((code) => status(code));
    const done = revoke();
    await clock.whenWaiting();
    expect(listing(home())).toEqual([]);
    clock.advance(1);
    await clock.whenWaiting();
    clock.advance(3);
    expect(await done).toEqual({
      kind: 'removed',
      files: ['mytok.use', 'mytok.top'],
      results: [
        {
          what: 'refresh token',
          revoked: false,
          why: 'the issuer of mytok answered HTTP status 503',
          fixable: true,
        },
        { what: 'access token', revoked: true, where: 'https://issuer.example' },
      ],
    });
    expect(tokensSent()).toEqual(['CANARY-r1', 'CANARY-r1', 'CANARY-r1', 'CANARY-a1']);
  });

  it('R31 leaves a token that does not expire, and that is said', async () => {
    on.store('alice/mytok.top', '{"refresh_token":""}');
    on.store(
      'alice/mytok.use',
      `{"access_token":"a","issued_at":${clock.now()},"does_not_expire":true}`,
    );
    answers = [{ ...status(400), body: Buffer.from('{"error":"unsupported_token_type"}') }];
    expect(await revoke()).toMatchObject({
      results: [
        {
          why: 'its issuer does not revoke tokens of this kind; it does not expire',
          fixable: false,
        },
      ],
    });
  });

  it('R31 at first, is not asked again after its answer', async () => {
    answers = [status(429, { 'retry-after': '60' })];
    const done = revoke();
    await clock.whenWaiting();
    clock.advance(1);
    expect(await done).toMatchObject({ results: [{ revoked: true }, { revoked: true }] });
    expect(tokensSent()).toEqual(['CANARY-r1', 'CANARY-r1', 'CANARY-a1']);
  });

  it('R31 a rejection is final', async () => {
    answers = [{ ...status(401), body: Buffer.from('{"error":"invalid_client"}') }];
    expect(await revoke()).toMatchObject({
      results: [
        { why: 'the issuer of mytok answered invalid_client', fixable: true },
        { revoked: true },
      ],
    });
    expect(asked.length).toBe(2);
  });

  it('R31 an expired access token needs no action, revoked or not', async () => {
    on.store('alice/mytok.top', '{"refresh_token":""}');
    on.store(
      'alice/mytok.use',
      JSON.stringify({ access_token: 'a', issued_at: 1000, expires_at: 2000 }),
    );
    expect(await revoke({ knobs: {} })).toMatchObject({
      results: [
        {
          what: 'access token',
          why: expect.stringMatching(/; it has expired$/) as string,
          fixable: false,
        },
      ],
    });
  });

  it.each([
    ['an access token', '{"refresh_token":""}', use('CANARY-a1'), ['CANARY-a1']],
    ['a refresh token', '{"refresh_token":"CANARY-r1"}', '', ['CANARY-r1']],
    ['neither', 'opaque', '{"access_token":""}', []],
    ['no valid token', '{"refresh_token":"two words"}', 'no\ntoken', []],
  ])('only what is there is sent: %s', async (_, top, text, sent) => {
    on.store('alice/mytok.top', top);
    on.store('alice/mytok.use', text);
    expect(await revoke()).toMatchObject({ kind: 'removed' });
    expect(tokensSent()).toEqual(sent);
  });
});

describe('concurrent changes', () => {
  it('R21 revokes the refresh token that the daemon has just rotated', async () => {
    let first = true;
    const store = (real: CredentialStore): CredentialStore => ({
      ...real,
      apply: (change) => {
        if (first) on.store('alice/mytok.top', '{"refresh_token":"CANARY-rotated"}');
        first = false;
        real.apply(change);
      },
    });
    expect(await revoke({ store })).toMatchObject({ kind: 'removed' });
    expect(tokensSent()).toEqual(['CANARY-rotated', 'CANARY-a1']);
    expect(listing(home())).toEqual([]);
  });

  it('R21 waits for a renewal that is writing when .top is removed, and revokes its token, too', async () => {
    let late: ReturnType<typeof stageFile> | undefined;
    const store = (real: CredentialStore): CredentialStore => ({
      ...real,
      apply: (change) => {
        late ??= stageFile(join(home(), 'mytok.use'), use('CANARY-late'), {
          mode: 0o400,
          durable: false,
        });
        real.apply(change);
      },
    });
    const done = revoke({ store });
    await clock.whenWaiting();
    late?.commit();
    clock.advance(1);
    expect(await done).toMatchObject({ kind: 'removed', files: ['mytok.use', 'mytok.top'] });
    expect(tokensSent()).toEqual(['CANARY-r1', 'CANARY-a1', 'CANARY-late']);
    expect(listing(home())).toEqual([]);
  });

  it('R21 does not change a login that is stored during the removal of the old one', async () => {
    on.store('alice/mytok.meta', 'old');
    let times = 0;
    const store = (real: CredentialStore): CredentialStore => ({
      ...real,
      apply: (change) => {
        times += 1;
        if (times === 2)
          for (const [kind, text] of Object.entries({
            meta: 'new',
            use: use('CANARY-new'),
            top: '{"refresh_token":"CANARY-r2"}',
          }))
            on.store(`alice/mytok.${kind}`, text);
        real.apply(change);
      },
    });
    expect(await revoke({ store })).toMatchObject({
      kind: 'removed',
      files: ['mytok.use', 'mytok.top'],
    });
    expect(tokensSent()).toEqual(['CANARY-r1', 'CANARY-a1']);
    expect(listing(home())).toEqual(['mytok.meta 600', 'mytok.top 600', 'mytok.use 600']);
    expect(readFileSync(join(home(), 'mytok.meta'), 'utf8')).toBe('new');
  });

  it('R31 a file that cannot be removed keeps the token, and nothing is revoked', async () => {
    rmSync(join(home(), 'mytok.use'));
    mkdirSync(join(home(), 'mytok.use'));
    const result = await revoke();
    expect(result).toMatchObject({
      kind: 'kept',
      why: expect.stringContaining('alice/mytok: ') as string,
    });
    expect(on.has('alice/mytok.top')).toBe(true);
    expect(asked).toEqual([]);
  });

  it('R31 a state file that cannot be removed afterwards is reported', async () => {
    mkdirSync(join(home(), 'mytok.meta'));
    expect(await revoke()).toMatchObject({
      kind: 'removed',
      results: [{ revoked: true }, { revoked: true }, { what: 'other files', fixable: true }],
    });
  });
});

describe('a token of a Vault', () => {
  let vault: FakeVault;
  let knobs: Record<string, string>;
  beforeEach(async () => {
    const { keyFile, certificateFile, caFile } = makeCertificates(join(on.directory, '..'));
    vault = await startVault({
      key: readFileSync(keyFile, 'utf8'),
      cert: readFileSync(certificateFile, 'utf8'),
    });
    knobs = {
      VAULT_CREDMON_PROVIDER_NAMES: 'dune',
      TRUSTED_VAULT_HOSTS: 'localhost',
      CREDMON_VAULT_PORTS: String(vault.port),
      CREDMON_VAULT_NAMESPACE: 'team',
      AUTH_SSL_CLIENT_CAFILE: caFile,
    };
  });
  afterEach(() => vault.close());
  const store = (change: object = {}): string => {
    const { token, path } = vault.login('alice', 'dune');
    const url = `https://localhost:${vault.port}${path}`;
    on.store('alice/dune.top', JSON.stringify({ vault_token: token, vault_url: url, ...change }));
    on.store('alice/dune.use', 'access\n');
    return token;
  };
  const revokeDune = (): Promise<Revoked> => revoke({ kind: 'vault', stem: 'dune', knobs });
  const kept = { what: 'access token', revoked: false, fixable: false };

  it('R31 revokes the Vault token, and keeps the refresh token in the Vault', async () => {
    const token = store();
    expect(await revokeDune()).toMatchObject({
      kind: 'removed',
      files: ['dune.use', 'dune.top'],
      results: [
        { what: 'Vault token', revoked: true, where: `https://localhost:${vault.port}` },
        kept,
      ],
    });
    expect(vault.requests.map(({ headers }) => headers['x-vault-namespace'])).toEqual(['team']);
    expect(vault.requests.map(({ method, path, token: sent }) => ({ method, path, sent }))).toEqual(
      [{ method: 'POST', path: '/v1/auth/token/revoke-self', sent: nameOf(token) }],
    );
    await revokeAgain(token);
  });

  async function revokeAgain(token: string): Promise<void> {
    store({ vault_token: token });
    expect(await revokeDune()).toMatchObject({
      results: [
        { why: expect.stringContaining('permission denied') as string, fixable: true },
        kept,
      ],
    });
  }

  it.each([
    [
      'a foreign host',
      { vault_url: 'https://127.0.0.1:1/v1/x' },
      'its host is not in TRUSTED_VAULT_HOSTS',
    ],
    ['no URL', { vault_url: 7 }, '.top has no "vault_url" text'],
  ])('R26 is not sent to %s', async (_, change, why) => {
    store(change);
    expect(await revokeDune()).toMatchObject({
      kind: 'removed',
      results: [
        kept,
        {
          what: 'Vault token',
          revoked: false,
          why: expect.stringContaining(why) as string,
          fixable: true,
        },
      ],
    });
    expect(vault.requests).toEqual([]);
  });

  it('a handle, which uses its parent’s Vault token, loses only its files', async () => {
    store({ vault_token: undefined });
    expect(await revokeDune()).toMatchObject({ kind: 'removed', results: [kept] });
    expect(vault.requests).toEqual([]);
  });
});
