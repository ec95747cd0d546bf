// SIGHUP as condor_reconfig and CredD send it: the log is reopened first, then everything
// in the configuration counts, or nothing.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken } from '@credmon/test-fixtures/files/seed-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';

let workspace: Workspace;
let issuer: Issuer;
let daemon: Child;
beforeEach(async () => {
  workspace = createWorkspace();
  issuer = await startIssuer();
  await workspace.addService('mytok', issuer);
  daemon = startDaemon(workspace);
  await logged(/Credential directory/);
  await waitUntil(() => existsSync(join(workspace.credentialDirectory, 'CREDMON_COMPLETE')), {
    what: 'the first pass',
  });
});
afterEach(async () => {
  await daemon.stop();
  await issuer.close();
  workspace.remove();
});

const path = (): string => join(workspace.logDirectory, 'CredMonOAuthLog');
const logged = (pattern: RegExp): Promise<unknown> =>
  waitUntil(() => pattern.exec(daemonLog(workspace)), { what: String(pattern) });

describe('R45 SIGHUP', () => {
  it('makes a moved log again although nothing in the configuration has changed', async () => {
    renameSync(path(), `${path()}.1`);
    daemon.signal('SIGHUP');
    await waitUntil(() => existsSync(path()), { what: 'a new log' });
    daemon.signal('SIGTERM');
    await daemon.exited;
    expect(daemonLog(workspace)).toMatch(/Got SIGTERM/);
    expect(readFileSync(`${path()}.1`, 'utf8')).not.toMatch(/Got SIGTERM/);
  });

  it('makes a moved log again before it refuses a broken configuration', async () => {
    renameSync(path(), `${path()}.1`);
    writeFileSync(workspace.configFile, 'this is not a statement\n', { flag: 'a' });
    daemon.signal('SIGHUP');
    await logged(
      /The new configuration is rejected, the old one is still used: .*condor_config:\d+/,
    );
    expect(readFileSync(`${path()}.1`, 'utf8')).not.toMatch(/is rejected/);
  });

  it('applies a changed default lifetime to tokens that are there', async () => {
    const token = await seedToken(
      workspace,
      { name: 'mytok', issuer, clientId: 'mytok-client', clientSecret: 'mytok-secret' },
      'alice',
      'mytok',
      { age: 0 },
    );
    // Nothing in it says how long it lives.
    const use = JSON.parse(readFileSync(token.path('use'), 'utf8')) as Record<string, unknown>;
    for (const key of ['expires_in', 'expires_at', 'issued_at']) delete use[key];
    use['access_token'] = 'opaque';
    writeFileSync(`${token.path('use')}.new`, JSON.stringify(use), { mode: 0o600 });
    renameSync(`${token.path('use')}.new`, token.path('use'));
    workspace.configure({ CREDMON_DEFAULT_TOKEN_LIFETIME: 1200, CREDMON_TOKEN_FLOOR: 1 });
    daemon.signal('SIGHUP');
    await logged(/Configuration read again/);
    expect(daemonLog(workspace)).not.toMatch(/Successfully renewed/);
    workspace.configure({ CREDMON_DEFAULT_TOKEN_LIFETIME: 10 });
    daemon.signal('SIGHUP');
    await logged(/Successfully renewed alice\/mytok/);
  });

  it('says that a changed credential directory needs a restart, once, and takes the rest', async () => {
    workspace.configure({ SEC_CREDENTIAL_DIRECTORY_OAUTH: join(workspace.root, 'elsewhere') });
    daemon.signal('SIGHUP');
    await logged(/A changed credential directory \(.*elsewhere\) needs a restart/);
    workspace.configure({ CREDMON_OAUTH_DEBUG: 'D_FULLDEBUG' });
    daemon.signal('SIGHUP');
    await logged(/Configuration read again/);
    expect(daemonLog(workspace).match(/needs a restart/g)).toHaveLength(1);
  });
});
