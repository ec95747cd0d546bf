// The built daemon as root, and two other accounts of this machine: what each of them
// sees of the closed credential directory.
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import type { Workspace } from '@credmon/test-fixtures/files/workspace';
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';
import { openToUsers, type OtherUsers, type Ran } from './other-users.ts';

describe.runIf(process.getuid?.() === 0)('issue 11: users of a closed credential directory', () => {
  let issuer: Issuer;
  let users: OtherUsers;
  let workspace: Workspace;
  let daemon: Child;
  let tokens: SeededToken[];
  const runDir = (...names: string[]): string => join(workspace.logDirectory, 'credmon', ...names);
  const service = () => workspace.addService('mytok', issuer);
  const rowsOf = ({ stdout }: Ran): unknown => (JSON.parse(stdout) as { tokens: unknown }).tokens;

  beforeAll(async () => {
    issuer = await startIssuer({ accessTokenTtl: 3600 });
    users = openToUsers();
    ({ workspace } = users);
    const mytok = await service();
    tokens = [
      await seedToken(workspace, mytok, users.alice.name),
      await seedToken(workspace, mytok, users.alice.name, 'mytok_h1', { age: 3000 }),
      await seedToken(workspace, mytok, users.bob.name),
      await seedToken(workspace, mytok, 'no-such-account'),
    ];
    daemon = startDaemon(workspace, ['-d']);
    await waitUntil(
      () =>
        existsSync(runDir('daemon.json')) && existsSync(runDir('status', `${users.bob.name}.json`)),
      { what: 'the status files' },
    );
  });
  afterAll(async () => {
    await daemon.stop();
    await issuer.close();
    workspace.remove();
  });

  it('each user sees what root sees of her, and nothing of others', async () => {
    const { alice, bob, root } = users;
    await waitUntil(
      () => {
        const [own, seen] = [rowsOf(alice.run('status', '--json')), root.run('status', '--json')];
        const ofAlice = (rowsOf(seen) as { user: string }[]).filter(
          ({ user }) => user === alice.name,
        );
        return JSON.stringify(own) === JSON.stringify(ofAlice) && seen.stdout.includes('"fresh"');
      },
      { what: 'the same rows' },
    );
    expect(alice.run('status')).toMatchObject({ code: 0, stderr: '' });
    expect(
      alice
        .run('status')
        .stdout.split('\n')
        .map((line) => line.split(/ +/).slice(0, 2)),
    ).toEqual([['OWNER', 'SERVICE'], [alice.name, 'mytok'], [alice.name, 'mytok_h1'], ['']]);
    expect(JSON.parse(alice.run('status', '--json').stdout)).toMatchObject({
      directory: workspace.credentialDirectory,
      daemon: daemon.pid,
    });
    const other = alice.run('status', '--user', bob.name);
    expect([other.code, other.stdout]).toEqual([1, '']);
    expect(other.stderr).toContain(
      `cannot be read (EACCES); only ${bob.name} and root may read it`,
    );
  });

  it('no user can list, read, replace or create the files of others', () => {
    const { alice, bob } = users;
    const file = runDir('status', `${bob.name}.json`);
    const before = lstatSync(file);
    const attempts = alice.shell(
      `cat ${file}; ls ${runDir('status')}; ls ${runDir('requests')}; ls ${runDir('results')}; ` +
        `rm -f ${file}; mv ${file} /tmp/x; touch ${runDir('status')}/x.json; ln -s /etc/passwd ${runDir('results')}/x; mkdir ${runDir('x')}; true`,
    );
    expect(attempts.stdout).toBe('');
    expect(
      attempts.stderr.split('\n').filter((line) => line.includes('ermission denied')),
    ).toHaveLength(9);
    expect(lstatSync(file)).toEqual(before);
    expect([before.uid, before.mode & 0o7777]).toEqual([bob.uid, 0o400]);
    expect(readdirSync(runDir()).sort()).toEqual(
      ['.condor_credmon.lock', 'daemon.json', 'requests', 'results', 'status'].sort(),
    );
    expect(readdirSync(runDir('status')).sort()).toEqual(
      [alice, bob].map(({ name }) => `${name}.json`).sort(),
    );
  });

  it('a user learns of a dead grant and what to do, and a file goes with its last token', async () => {
    const { alice, bob } = users;
    issuer.removeAccount(bob.name);
    rmSync(tokens[2]?.path('use') ?? '');
    daemon.signal('SIGHUP');
    await waitUntil(() => bob.run('status').stderr.includes('GRANT_REVOKED'), {
      what: 'the error',
    });
    const { code, stdout, stderr } = bob.run('status');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/EXPIRED +- +never +GRANT_REVOKED/)]);
    expect(stderr).toContain(
      `fix: ${bob.name} runs this and submits again: condor_store_cred delete-oauth -s mytok`,
    );
    rmSync(join(workspace.credentialDirectory, bob.name), { recursive: true });
    daemon.signal('SIGHUP');
    await waitUntil(() => !existsSync(runDir('status', `${bob.name}.json`)), {
      what: 'the removal',
    });
    expect(bob.run('status')).toEqual({ code: 0, stdout: 'No tokens.\n', stderr: '' });
    expect(alice.run('status').code).toBe(0);
  });

  it('no secret is in any file, and a killed daemon is noticed', async () => {
    const secrets = Object.fromEntries(
      tokens.flatMap(({ refreshToken, accessToken }, n) => [
        [`refresh ${n}`, refreshToken],
        [`access ${n}`, accessToken],
      ]),
    );
    expect(findSecrets({ ...secrets, client: 'mytok-secret' }, textsBelow(runDir()))).toEqual([]);
    expect(daemonLog(workspace)).not.toContain('Cannot write');
    daemon.signal('SIGKILL');
    await daemon.exited;
    expect(users.alice.run('status').stderr).toMatch(
      /^Nothing is renewed: condor_credmon \(process \d+\) is not running any more\. This is the state of \d+s ago\. Ask the administrator\.\n$/,
    );
    expect(JSON.parse(users.alice.run('status', '--json').stdout)).toMatchObject({ daemon: null });
  });
});
