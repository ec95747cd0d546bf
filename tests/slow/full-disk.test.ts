// A disk that stays full until the daemon ends: rotated refresh tokens are kept in the
// reserved space.
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { executablePath, type Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { mountSmallDisk, type SmallDisk } from '@credmon/test-fixtures/files/small-disk';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { chmodSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { daemonLog, root } from './daemon-runs.ts';

const TOKENS = 12;

let issuer: Issuer;
let workspace: Workspace;
let daemon: Child | undefined;
let tokens: SeededToken[];
let disk: SmallDisk;
const reserve = (): string => join(disk.path, 'credentials/.credmon-reserve');

describe.skipIf(isMissing('unshare', 'nsenter'))('R13 a disk that is full', () => {
  beforeEach(async () => {
    issuer = await startIssuer({ accessTokenTtl: 600 });
    workspace = createWorkspace();
    const mountPoint = join(workspace.root, 'disk');
    mkdirSync(mountPoint);
    disk = await mountSmallDisk(mountPoint, 1024 * 1024);
    const credentialDirectory = join(disk.path, 'credentials');
    mkdirSync(credentialDirectory);
    chmodSync(credentialDirectory, 0o2770);
    workspace.configure({ SEC_CREDENTIAL_DIRECTORY_OAUTH: join(mountPoint, 'credentials') });
    const service = await workspace.addService('mytok', issuer);
    tokens = [];
    for (let index = 0; index < TOKENS; index += 1)
      tokens.push(
        await seedToken({ ...workspace, credentialDirectory }, service, `user${index}`, 'mytok', {
          age: 400,
        }),
      );
    await issuer.setFault('held');
  });
  afterEach(async () => {
    await daemon?.stop();
    daemon = undefined;
    await issuer.close();
    await disk.close();
    workspace.remove();
  });

  /** Starts the daemon, and waits until the issuer holds back all of its answers. */
  async function startAndFill(args: readonly string[] = []): Promise<Child> {
    const program = [process.execPath, executablePath(root, 'condor_credmon'), ...args];
    const child = disk.start(program, workspace.environment);
    daemon = child;
    await waitUntil(() => issuer.log.successes('refresh_token').length === TOKENS, {
      what: 'all renewals',
    });
    await waitUntil(() => existsSync(reserve()) && statSync(reserve()).size >= 256 * 1024, {
      what: 'the reserve',
    });
    return child;
  }
  /** How many of the newest refresh tokens that the issuer gave stand in `.top`. */
  const kept = (): number =>
    tokens.filter(
      ({ path, refreshToken }) =>
        tokenId(String(readJson(path('top'))['refresh_token'])) ===
          issuer.log.chain(tokenId(refreshToken)).at(-1) &&
        issuer.log.chain(tokenId(refreshToken)).length === 2,
    ).length;

  it('12 rotated renewals, then SIGTERM: all 12 are kept', async () => {
    const child = await startAndFill();
    const { mode, size, blocks } = statSync(reserve());
    expect([(mode & 0o7777).toString(8), blocks * 512 >= size]).toEqual(['600', true]);
    disk.fill();
    child.signal('SIGTERM');
    await issuer.setFault();
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect([kept(), existsSync(reserve())]).toEqual([TOKENS, false]);
  });

  it('the same with --once', async () => {
    const child = await startAndFill(['--once']);
    disk.fill();
    await issuer.setFault();
    await child.exited;
    expect(kept()).toBe(TOKENS);
  });

  it('the reserve is made again when space returns', async () => {
    const child = await startAndFill();
    disk.fill();
    await issuer.setFault();
    await waitUntil(() => kept() === TOKENS, { what: 'all .top' });
    await waitUntil(() => daemonLog(workspace).includes('reserved space is released'), {
      what: 'the line',
    });
    disk.free();
    await waitUntil(
      () => {
        child.signal('SIGHUP');
        return existsSync(reserve()) && statSync(reserve()).size >= 256 * 1024;
      },
      { what: 'the reserve' },
    );
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });

  it('without a reserve, what is lost is said for each token, and the exit code is 1', async () => {
    const child = await startAndFill();
    rmSync(reserve());
    // No reserve can be made under this name.
    mkdirSync(reserve());
    disk.fill();
    child.signal('SIGTERM');
    await issuer.setFault();
    expect(await child.exited).toEqual({ code: 1, signal: null });
    const lost = daemonLog(workspace)
      .split('\n')
      .filter((line) => line.includes('its rotated refresh token is lost'));
    expect([kept(), lost.length]).toEqual([0, TOKENS]);
    expect(lost.join('\n')).toContain(
      'fix: user0 runs "condor_store_cred delete-oauth -s mytok" and submits again',
    );
  });
});
