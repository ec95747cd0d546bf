// The audit log of the built daemon: an entry for each renewal, and a full disk under it that
// stops no renewal.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountSmallDisk, type SmallDisk } from '@credmon/test-fixtures/files/small-disk';
import { seedToken } from '@credmon/test-fixtures/files/seed-token';
import { executablePath } from '@credmon/test-fixtures/processes/processes';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { daemonLog, root } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let disk: SmallDisk;

describe.skipIf(isMissing('unshare', 'nsenter'))('the audit log', () => {
  beforeEach(async () => {
    issuer = await startIssuer({ accessTokenTtl: 600 });
    workspace = createWorkspace();
    const mountPoint = join(workspace.root, 'disk');
    mkdirSync(mountPoint);
    disk = await mountSmallDisk(mountPoint, 1024 * 1024);
    workspace.configure({
      CREDMON_AUDIT_LOG: join(mountPoint, 'Audit'),
      CREDMON_LOG_FORMAT: 'json',
    });
  });
  afterEach(async () => {
    await issuer.close();
    await disk.close();
    workspace.remove();
  });

  const audit = (): string => {
    const path = join(disk.path, 'Audit');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const once = async (): Promise<number | null> => {
    const program = [process.execPath, executablePath(root, 'condor_credmon'), '--once'];
    return (await disk.start(program, workspace.environment).exited).code;
  };
  const messages = (): readonly { level: string; message: string }[] =>
    daemonLog(workspace)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; message: string });

  it('loses entries on a full disk, says so, and every token is renewed', async () => {
    const service = await workspace.addService('mytok', issuer);
    for (const user of ['alice', 'bob'])
      await seedToken(workspace, service, user, 'mytok', { age: 400 });
    disk.fill();
    expect(await once()).toBe(0);
    expect([issuer.log.successes('refresh_token').length, audit()]).toEqual([2, '']);
    expect(messages().filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({
        message: `cannot write the audit log ${join(workspace.root, 'disk/Audit')} (ENOSPC): entries are lost; nothing else stops`,
      }),
    ]);
    disk.free();
    const token = await seedToken(workspace, service, 'carl', 'mytok', { age: 400 });
    expect(await once()).toBe(0);
    expect(JSON.parse(audit())).toMatchObject({
      event: 'renewed',
      user: 'carl',
      service: 'mytok',
      provider: 'oauth',
      rotated: true,
    });
    expect(audit()).not.toContain(token.refreshToken);
  });
});
