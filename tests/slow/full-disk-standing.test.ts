// A credential directory that is full until the daemon ends: the rotated refresh token of
// a standing token is kept in the reserved space.
import { startIssuer, type Issuer, tokenId } from '@credmon/test-fixtures/servers/issuer';
import { executablePath, type Child } from '@credmon/test-fixtures/processes/processes';
import { mountSmallDisk, type SmallDisk } from '@credmon/test-fixtures/files/small-disk';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { root } from './daemon-runs.ts';
import { configureStanding, labClient, seedLogin } from './standing-logins.ts';

let issuer: Issuer;
let workspace: Workspace;
let disk: SmallDisk;
let folder: string;

describe.skipIf(isMissing('unshare', 'nsenter'))('R13 a disk that is full', () => {
  beforeEach(async () => {
    issuer = await startIssuer({ clients: [labClient] });
    workspace = createWorkspace();
    const mountPoint = join(workspace.root, 'disk');
    mkdirSync(mountPoint);
    disk = await mountSmallDisk(mountPoint, 1024 * 1024);
    const credentials = join(disk.path, 'credentials');
    mkdirSync(credentials);
    chmodSync(credentials, 0o2770);
    const place = configureStanding(workspace, issuer);
    workspace.configure({ SEC_CREDENTIAL_DIRECTORY_OAUTH: join(mountPoint, 'credentials') });
    folder = join(credentials, '.credmon-standing/standing');
    await seedLogin(issuer, { ...place, folder });
  });
  afterEach(async () => {
    await issuer.close();
    await disk.close();
    workspace.remove();
  });

  it('a standing token rotated during SIGTERM: its refresh token is kept', async () => {
    const first = tokenId(String(readJson(join(folder, 'ce1.top'))['refresh_token']));
    await issuer.setFault('held');
    const program = [process.execPath, executablePath(root, 'condor_credmon')];
    const child: Child = disk.start(program, workspace.environment);
    await waitUntil(() => issuer.log.successes('refresh_token').length === 1, {
      what: 'the renewal',
    });
    const reserve = join(disk.path, 'credentials/.credmon-reserve');
    await waitUntil(() => existsSync(reserve) && statSync(reserve).size >= 256 * 1024, {
      what: 'the reserve',
    });
    disk.fill();
    child.signal('SIGTERM');
    await issuer.setFault();
    expect(await child.exited).toEqual({ code: 0, signal: null });
    const stored = tokenId(String(readJson(join(folder, 'ce1.top'))['refresh_token']));
    expect(issuer.log.chain(first)).toEqual([first, stored]);
    expect(existsSync(join(workspace.root, 'service/ce1'))).toBe(true);
  });
});
