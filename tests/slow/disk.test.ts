// Rotated renewals on a disk that is full, nearly full, or frozen: the old files stay
// whole, and what is new is written afterwards.
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { executablePath, type Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { mountSmallDisk, type SmallDisk } from '@credmon/test-fixtures/files/small-disk';
import { ONE_POOL_THREAD, startTraced } from '@credmon/test-fixtures/processes/strace';
import { listing, readJson } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';

const USERS = Array.from({ length: 12 }, (_, n) => `user${n}`);
let issuer: Issuer;
let workspace: Workspace;
let tokens: readonly SeededToken[];
let daemon: Child | undefined;

beforeEach(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600 });
  workspace = createWorkspace({ knobs: { CREDMON_RENEWALS_PER_ISSUER: USERS.length } });
});
afterEach(async () => {
  await issuer.setFault();
  await daemon?.stop();
  daemon = undefined;
  await issuer.close();
  workspace.remove();
});

/** Twelve due tokens below `credentialDirectory`, as this process names it. */
async function seed(credentialDirectory: string): Promise<void> {
  const service = await workspace.addService('mytok', issuer);
  const seeded: SeededToken[] = [];
  for (const user of USERS)
    seeded.push(
      await seedToken({ ...workspace, credentialDirectory }, service, user, 'mytok', { age: 500 }),
    );
  tokens = seeded;
  issuer.log.requests.length = 0;
}

/**
 * Starts the daemon and waits until the issuer has rotated all tokens; it holds its
 * answers back.
 */
async function begin(start: () => Child): Promise<void> {
  await issuer.setFault('held');
  const child = start();
  daemon = child;
  const ended = child.exited.then(() => {
    throw new Error(`the daemon ended before all tokens were rotated:\n${child.output}`);
  });
  const rotated = issuer.log.until((log) => log.successes('refresh_token').length === USERS.length);
  await Promise.race([rotated, ended]);
  // It ends later, when the test stops it.
  ended.catch(() => undefined);
}

const refreshTokenOf = ({ path }: SeededToken): string =>
  tokenId(String(readJson(path('top'))['refresh_token']));
const newest = ({ refreshToken }: SeededToken): string | undefined =>
  issuer.log.chain(tokenId(refreshToken)).at(-1);
const topIsNew = (token: SeededToken): boolean => refreshTokenOf(token) === newest(token);
const useIsNew = ({ path, accessToken }: SeededToken): boolean =>
  readJson(path('use'))['access_token'] !== accessToken;
const told = (): Promise<unknown> =>
  waitUntil(() => USERS.every((user) => daemonLog(workspace).includes(`${user}/mytok: `)), {
    what: 'a line for each token',
  });

/**
 * The rule for all of these: every pair is the issuer's newest, each grant was spent
 * once, and nothing else is there.
 */
async function expectAllWritten(): Promise<void> {
  await waitUntil(() => tokens.every((token) => topIsNew(token) && useIsNew(token)), {
    what: 'twelve new pairs',
  });
  expect(issuer.log.successes('refresh_token')).toHaveLength(USERS.length);
  expect(issuer.log.presentedTwice()).toEqual([]);
  // A remembered failure is forgotten after .use is in place.
  const whole = 'mytok.meta 400,mytok.top 400,mytok.use 400';
  await waitUntil(
    () => tokens.every(({ path }) => listing(dirname(path('top'))).join() === whole),
    {
      what: 'nothing but the three files of each token',
    },
  );
}

describe.skipIf(isMissing('unshare', 'nsenter'))(
  'R13 a disk of 1 MiB during twelve rotated renewals',
  () => {
    let disk: SmallDisk;
    beforeEach(async () => {
      const mountPoint = join(workspace.root, 'disk');
      mkdirSync(mountPoint);
      disk = await mountSmallDisk(mountPoint, 1024 * 1024);
      mkdirSync(join(disk.path, 'credentials'));
      chmodSync(join(disk.path, 'credentials'), 0o2770);
      workspace.configure({ SEC_CREDENTIAL_DIRECTORY_OAUTH: join(mountPoint, 'credentials') });
      await seed(join(disk.path, 'credentials'));
    });
    afterEach(() => disk.close());
    const start = (): Child =>
      disk.start([process.execPath, executablePath(root, 'condor_credmon')], workspace.environment);

    it('that is full and is freed: .top gets the reserved space, and all twelve are written afterwards', async () => {
      await begin(start);
      disk.fill();
      await issuer.setFault();
      await waitUntil(() => tokens.every(topIsNew), { what: 'twelve rotated .top' });
      for (const token of tokens) {
        expect([tokenId(token.refreshToken), newest(token)]).toContain(refreshTokenOf(token));
        expect(readJson(token.path('use'))).toHaveProperty('access_token');
      }
      disk.free();
      await expectAllWritten();
      expect(
        readdirSync(join(disk.path, 'credentials')).filter((name) => name.includes('tmp')),
      ).toEqual([]);
    });

    it('with one page free: every rotated .top is written while it is full, and .use afterwards', async () => {
      await begin(start);
      disk.fill(1);
      await issuer.setFault();
      await waitUntil(() => tokens.every(topIsNew), { what: 'twelve rotated .top' });
      expect(tokens.every(({ path }) => readJson(path('use'))['access_token'] !== undefined)).toBe(
        true,
      );
      disk.free();
      await expectAllWritten();
    });
  },
);

describe.skipIf(isMissing('strace'))('R2 R12 R13 a disk', () => {
  it('that takes longer for one fsync than an answer may: every answer that came meanwhile counts', async () => {
    workspace.configure({ CREDMON_REQUEST_TIMEOUT: 6 });
    await seed(workspace.credentialDirectory);
    const program = [process.execPath, executablePath(root, 'condor_credmon')] as const;
    const trace = join(workspace.root, 'trace');
    const inject = { call: 'fsync', when: 1, delay: 10_000_000 };
    const environment = { ...workspace.environment, ...ONE_POOL_THREAD };
    await begin(() => startTraced(program, environment, { trace, inject, everyThread: true }));
    await issuer.setFault();
    await expectAllWritten();
    expect(daemonLog(workspace)).not.toContain('no answer within');
  });
});

/**
 * True where a directory can be made immutable: not on every file system, and not for
 * every root.
 */
function canFreeze(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'freeze-'));
  const frozen = spawnSync('chattr', ['+i', directory]).status === 0;
  spawnSync('chattr', ['-i', directory]);
  rmSync(directory, { recursive: true });
  return frozen;
}

it.skipIf(!canFreeze())(
  'R13 directories that nobody can change for a while: all are written afterwards',
  async () => {
    await seed(workspace.credentialDirectory);
    const homes = USERS.map((user) => join(workspace.credentialDirectory, user));
    try {
      await begin(() => startDaemon(workspace));
      expect(spawnSync('chattr', ['+i', ...homes]).status).toBe(0);
      await issuer.setFault();
      await told();
      expect(tokens.filter((token) => topIsNew(token) || useIsNew(token))).toEqual([]);
    } finally {
      spawnSync('chattr', ['-i', ...homes]);
    }
    await expectAllWritten();
  },
);
