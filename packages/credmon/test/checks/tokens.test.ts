// What `check` says of standing tokens: where they go, and what lies there.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { createKey, issueToken, writeKey } from '@credmon/scitokens';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { standingChecks, standingFailures } from '../../src/checks/tokens.ts';
import { pidNamespace } from '../../src/host/run-directory.ts';
import type { StatusRow } from '../../src/status/rows.ts';
import { fileText } from '../../src/status/status-file.ts';
import { isRoot, mayMount } from '../../../core/test/base/privileges.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

const signer = createKey({ algorithm: 'ES256' });
const pem = writeKey({ key: signer.privateKey, kid: 'local', algorithm: 'ES256' }, 'pem-private');
const now = Math.floor(Date.now() / 1000);
const token = (lifetime: number, scope = 'compute.read', at = now): string =>
  issueToken(
    { privateKey: signer.privateKey, kid: 'local', algorithm: 'ES256' },
    {
      profile: 'scitoken:2.0',
      issuer: 'https://127.0.0.1:1',
      subject: 'frontend',
      scope,
      audience: 'ce.example',
      lifetime,
    },
    { now: at, random: (size) => Buffer.alloc(size, 1) },
  );

let on: CheckBench;
beforeEach(() => {
  on = checkBench();
  mkdirSync(`${on.root}/tokens`, { mode: 0o700 });
});
afterEach(() => on.close());

const knobs = (): Record<string, string> => ({
  CREDMON_STANDING_TOKENS: 'ce1',
  CREDMON_STANDING_PROVIDER: 'frontend',
  CREDMON_STANDING_SCOPE: 'compute.read',
  CREDMON_STANDING_AUDIENCE: 'ce.example',
  CREDMON_STANDING_ce1_SUBJECT: 'frontend',
  CREDMON_STANDING_ce1_PATH: `${on.root}/tokens/ce1`,
  LOCAL_CREDMON_frontend_ISSUER: 'https://127.0.0.1:1',
  LOCAL_CREDMON_PRIVATE_KEY: on.file('private.pem', pem),
});
const said = async (change: Record<string, string> = {}): Promise<string[]> =>
  (await on.findings({ ...knobs(), ...change }, standingChecks)).map((line) =>
    line.replace(' ce1 (standing token)', ''),
  );

it('R45 shows the token, its path and its key', async () => {
  expect(await said()).toEqual([
    'ok: keeps a token of frontend (https://127.0.0.1:1) in $R/tokens/ce1: frontend, scopes "compute.read" for ce.example, 3600 s; jwt, mode 0600',
    'ok: $R/tokens is writable',
    'warning: no token yet',
    'ok: signs with the key local (ES256) in $R/private.pem',
    expect.stringMatching(/^warning: its public half /),
    expect.stringMatching(/^warning: failed to fetch the key that verifiers need/),
  ]);
});

it.each<[string, () => Record<string, string>, RegExp]>([
  [
    'the audience of the other token profile',
    () => ({ CREDMON_STANDING_ce1_AUDIENCE: 'https://wlcg.cern.ch/jwt/v1/any' }),
    /^warning: no service accepts a scitoken:2\.0 token for the audience \S+; fix: for any service, write ANY$/,
  ],
  [
    'a good token',
    () => (on.file('tokens/ce1', token(3600)), {}),
    /^ok: the token is valid for 3[56]\d\d s more$/,
  ],
  [
    'an expired one',
    () => (on.file('tokens/ce1', token(3600, 'compute.read', now - 4000)), {}),
    /^error: the token has expired$/,
  ],
  [
    'one for other scopes',
    () => (on.file('tokens/ce1', token(3000, 'compute.create')), {}),
    /^warning: the token on disk has a different scope than configured and will be replaced$/,
  ],
  [
    'one that everybody can read',
    () => (on.file('tokens/ce1', token(3000), 0o644), {}),
    /^warning: the token on disk has mode 644 and/,
  ],
  [
    'a missing directory',
    () => ({ CREDMON_STANDING_ce1_PATH: '/no/such/ce1' }),
    /^error: \/no\/such is missing; fix: install -d -m 755 \/no\/such$/,
  ],
  [
    'scopes of SciTokens in a WLCG token',
    () => ({
      LOCAL_CREDMON_TOKEN_VERSION: 'wlcg',
      CREDMON_STANDING_SCOPE: 'read:/x storage.read:/',
    }),
    /^warning: scopes read:\/x: WLCG tokens have only storage\.\* and compute\.\*$/,
  ],
  [
    'an unknown owner',
    () => ({ CREDMON_STANDING_OWNER: 'no-such-user' }),
    /^error: user no-such-user, the owner of the token, not found$/,
  ],
  [
    'our own user as owner',
    () => ({ CREDMON_STANDING_OWNER: userInfo().username }),
    /^ok: \$R\/tokens is writable$/,
  ],
  [
    'R18 a short lifetime',
    () => ({ CREDMON_STANDING_ce1_LIFETIME: '900' }),
    /^warning: its service may read it with only 390 s left; set CREDMON_STANDING_ce1_LIFETIME to 1320 or more$/,
  ],
  [
    'a key that is missing',
    () => ({ LOCAL_CREDMON_PRIVATE_KEY: '/no/key' }),
    /^error: .*no key yet/,
  ],
])('R45 %s', async (_, change, expected) => {
  const findings = await said(change());
  expect(findings.filter((line) => expected.test(line))).toHaveLength(1);
});

it('R45 a client that fetches it', async () => {
  const secret = on.file('secret', 'CANARY');
  const findings = await said({
    CREDMON_STANDING_PROVIDER: 'site',
    CREDMON_STANDING_ce1_SUBJECT: '',
    CLIENT_CREDMON_PROVIDER_NAMES: 'site',
    CLIENT_CREDMON_CLIENT_ID: 'ap',
    CLIENT_CREDMON_CLIENT_SECRET_FILE: secret,
    CLIENT_CREDMON_ISSUER: 'https://127.0.0.1:1',
  });
  expect(findings).toEqual([
    'ok: keeps a token of site, fetched as ap, in $R/tokens/ce1: scopes "compute.read" for ce.example; jwt, mode 0600',
    'ok: $R/tokens is writable',
    'warning: no token yet',
  ]);
});

describe('R45 a login', () => {
  const lab = (): Record<string, string> => ({
    CREDMON_STANDING_PROVIDER: 'lab',
    CREDMON_STANDING_ce1_SUBJECT: '',
    lab_CLIENT_ID: 'ap',
    CREDMON_lab_ISSUER: 'https://127.0.0.1:1',
  });
  const login = (scope: string): void => {
    const top = {
      refresh_token: 'CANARY',
      scopes: scope,
      audience: 'ce.example',
      standing: { provider: 'lab', client_id: 'ap', issuer: 'https://127.0.0.1:1' },
    };
    on.file('creds/.credmon-standing/standing/ce1.top', JSON.stringify(top), 0o400);
    chmodSync(`${on.root}/creds/.credmon-standing`, 0o700);
  };
  const DOING =
    'ok: keeps a token of lab, renewed from a login as client ap, in $R/tokens/ce1: scopes "compute.read" for ce.example; jwt, mode 0600';
  const fix = '; fix: run this as root: condor_credmon standing login ce1';

  it('that was not made yet is an error with the command', async () => {
    expect(await said(lab())).toEqual([
      DOING,
      'ok: $R/tokens is writable',
      `error: no login was made yet${fix}`,
      'warning: no token yet',
    ]);
  });

  it('that was made is good, and shows no secret', async () => {
    login('compute.read');
    expect(await said(lab())).toEqual([
      DOING,
      'ok: $R/tokens is writable',
      'ok: a login was made',
      'warning: no token yet',
    ]);
  });

  it('for other scopes must be made again', async () => {
    login('compute.create');
    expect(await said(lab())).toContain(
      `error: the login was made with other scopes than configured${fix}`,
    );
  });

  it('whose grant is dead must be made again', async () => {
    login('compute.read');
    const state = {
      attempts: 1,
      last_attempt: now,
      not_before: now,
      stopped: true,
      code: 'GRANT_REVOKED',
      message: 'the issuer of lab answered invalid_grant',
      basis: 'x',
    };
    on.file('creds/.credmon-standing/standing/.ce1.renewal', JSON.stringify(state));
    expect(await said(lab())).toContain(`error: the issuer of lab answered invalid_grant${fix}`);
  });
});

it.skipIf(isRoot && !mayMount)('a directory without write permission', async () => {
  const look = async (): Promise<void> =>
    expect(await said()).toContain('error: this process cannot write to $R/tokens');
  const directory = `${on.root}/tokens`;
  if (!isRoot) {
    chmodSync(directory, 0o500);
    await look();
    chmodSync(directory, 0o700);
    return;
  }
  // Modes do not stop root; a read-only file system does.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=64k', 'none', directory]);
  try {
    await look();
  } finally {
    execFileSync('umount', ['--lazy', directory]);
  }
});

describe('failed renewals, which only the daemon knows', () => {
  const failures = (change: Record<string, string> = {}): Promise<string[]> =>
    on.findings({ ...knobs(), CREDMON_RUN_DIR: `${on.root}/run`, ...change }, async (context) =>
      standingFailures(context),
    );
  const heartbeat = (daemon: number): void =>
    void on.file(
      'run/daemon.json',
      fileText({
        directory: on.credDir,
        daemon,
        pid_namespace: pidNamespace(),
        checked_at: now,
        every: 60,
      }),
    );
  const row = (name: string, code: string | undefined): StatusRow => ({
    user: '(standing)',
    service: name,
    handle: '',
    provider: 'standing',
    why: null,
    state: 'waiting',
    expired: false,
    expires_at: null,
    next_renewal: null,
    attempts: 1,
    last_error: code === undefined ? null : { code, message: 'said no', at: now },
  });
  const state = (...tokens: StatusRow[]): void =>
    void on.file(
      'run/status/(standing).json',
      fileText({ directory: on.credDir, written_at: now, every: 60, tokens }),
    );

  it('are shown from the state that the running daemon writes', async () => {
    heartbeat(process.pid);
    state(row('ce1', 'CLIENT_REFUSED'), row('gone', 'CLIENT_REFUSED'));
    expect(await failures()).toEqual([
      expect.stringMatching(
        /^error ce1 \(standing token\): the last renewal failed \(CLIENT_REFUSED\): said no; fix: /,
      ),
    ]);
    state(row('ce1', 'ISSUER_UNREACHABLE'));
    expect(await failures()).toEqual([
      'warning ce1 (standing token): the last renewal failed (ISSUER_UNREACHABLE): said no',
    ]);
    state(row('ce1', undefined));
    expect(await failures()).toEqual(['ok standing tokens: no renewal has failed']);
  });

  it.each<[string, () => void, Record<string, string>, string]>([
    ['no run directory', () => undefined, { CREDMON_RUN_DIR: 'none' }, 'CREDMON_RUN_DIR = none'],
    ['no daemon', () => undefined, {}, 'no condor_credmon is running here'],
    [
      'a daemon that has ended',
      () => heartbeat(2 ** 22 + 1),
      {},
      'condor_credmon (process 4194305) is not running any more',
    ],
    [
      'a daemon that has written nothing yet',
      () => heartbeat(process.pid),
      {},
      '$R/run/status/(standing).json is missing',
    ],
  ])('are not known with %s, and that is said', async (_, prepare, change, why) => {
    prepare();
    expect(await failures(change)).toEqual([
      `ok standing tokens: failed renewals are not shown here: ${why}; see the daemon's log`,
    ]);
  });

  it('are no subject without standing tokens', async () => {
    expect(await failures({ CREDMON_STANDING_TOKENS: '' })).toEqual([]);
  });
});
