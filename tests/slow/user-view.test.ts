// The built daemon as root, and two other accounts of this machine: what each of them
// sees of the closed credential directory.
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import type { Workspace } from '@credmon/test-fixtures/files/workspace';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';
import { openToUsers, type OtherUser, type OtherUsers, type Ran } from './other-users.ts';

describe.runIf(process.getuid?.() === 0)('issue 11: users of a closed credential directory', () => {
  let issuer: Issuer;
  let users: OtherUsers;
  let workspace: Workspace;
  let daemon: Child;
  let tokens: SeededToken[];
  const runDir = (...names: string[]): string => join(workspace.logDirectory, 'credmon', ...names);
  const service = () => workspace.addService('mytok', issuer);
  /** How often the nth token was renewed. */
  const renewals = (n: number): number =>
    issuer.log.chain(tokenId(tokens[n]?.refreshToken ?? '')).length;
  /** The number of results of a user with this mode. */
  const result = (mode: string, uid: number): number =>
    readdirSync(runDir('results'))
      .map((name) => lstatSync(runDir('results', name)))
      .filter((stats) => stats.uid === uid && (stats.mode & 0o7777) === Number.parseInt(mode, 8))
      .length;
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
      await seedToken(workspace, mytok, users.alice.name, 'mytok_h2'),
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
      async () => {
        const [own, seen] = [
          rowsOf(await alice.run('status', '--json')),
          await root.run('status', '--json'),
        ];
        const ofAlice = (rowsOf(seen) as { user: string }[]).filter(
          ({ user }) => user === alice.name,
        );
        return JSON.stringify(own) === JSON.stringify(ofAlice) && seen.stdout.includes('"fresh"');
      },
      { what: 'the same rows' },
    );
    const { code, stdout, stderr } = await alice.run('status');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').map((line) => line.split(/ +/).slice(0, 2))).toEqual([
      ['OWNER', 'SERVICE'],
      [alice.name, 'mytok'],
      [alice.name, 'mytok_h1'],
      [alice.name, 'mytok_h2'],
      [''],
    ]);
    expect(JSON.parse((await alice.run('status', '--json')).stdout)).toMatchObject({
      directory: workspace.credentialDirectory,
      daemon: daemon.pid,
    });
    const other = await alice.run('status', '--user', bob.name);
    expect([other.code, other.stdout]).toEqual([1, '']);
    expect(other.stderr).toContain(
      `cannot be read (EACCES); only ${bob.name} and root may read it`,
    );
  });

  it('no user can list, read, replace or create the files of others', async () => {
    const { alice, bob } = users;
    const file = runDir('status', `${bob.name}.json`);
    const before = lstatSync(file);
    const attempts = await alice.shell(
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
      ['.condor_credmon.lock', 'daemon.json', 'requests', 'results', 'status', 'taken'].sort(),
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
    await waitUntil(async () => (await bob.run('status')).stderr.includes('GRANT_REVOKED'), {
      what: 'the error',
    });
    const { code, stdout, stderr } = await bob.run('status');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/EXPIRED +- +never +GRANT_REVOKED/)]);
    expect(stderr).toContain(
      `fix: ${bob.name} runs this and submits again: condor_store_cred delete-oauth -s mytok`,
    );
    rmSync(join(workspace.credentialDirectory, bob.name), { recursive: true });
    daemon.signal('SIGHUP');
    await waitUntil(() => !existsSync(runDir('status', `${bob.name}.json`)), {
      what: 'the removal',
    });
    expect(await bob.run('status')).toEqual({ code: 0, stdout: 'No tokens.\n', stderr: '' });
    expect((await alice.run('status')).code).toBe(0);
  });

  it('a user renews her own token now, by the daemon and once a minute at the most', async () => {
    const { alice } = users;
    const before = renewals(0);
    const first = await alice.run('renew', alice.name, 'mytok');
    expect(first).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^renewed \w+\/mytok: valid for \d+m\d\ds\n$/) as string,
      stderr: '',
    });
    expect(renewals(0)).toBe(before + 1);
    expect(daemonLog(workspace)).toContain(
      `Renewal of ${alice.name}/mytok requested by user id ${alice.uid}`,
    );
    const second = await alice.run('renew', alice.name, 'mytok', '--json');
    expect([second.code, second.stderr]).toEqual([1, '']);
    expect(JSON.parse(second.stdout)).toMatchObject({
      user: alice.name,
      service: 'mytok',
      handle: '',
      result: 'refused',
      message: expect.stringMatching(/^it was renewed or tried a moment ago; ask again in \d+ s$/),
    });
    expect(renewals(0)).toBe(before + 1);
    const other = await alice.run('renew', alice.name, 'other');
    expect([other.code, other.stderr]).toEqual([
      1,
      `did not renew ${alice.name}/other: there is no such token; tokens of ${alice.name}: mytok, mytok_h1, mytok_h2\n`,
    ]);
    expect(result('0400', alice.uid)).toBe(3);
  });

  it('root renews any token; a user asks for no token of another', async () => {
    const { alice, bob, root } = users;
    const before = renewals(4);
    expect((await root.run('renew', `${alice.name}@cern.ch`, 'mytok_h2')).code).toBe(0);
    expect(renewals(4)).toBe(before + 1);
    const other = await bob.run('renew', alice.name, 'mytok');
    expect([other.code, other.stderr]).toEqual([
      2,
      `condor_credmon: only root and ${alice.name} may ask for tokens of ${alice.name}\n`,
    ]);
    // Without the command: the daemon decides by the owner of the file.
    const id = 'a'.repeat(32);
    const request = JSON.stringify({ renew: { user: alice.name, service: 'mytok_h2' } });
    await bob.shell(
      `umask 077; cd ${runDir('requests')}; echo '${request}' > .${id}.new; mv .${id}.new ${id}.request`,
    );
    const path = runDir('results', `${bob.uid}-${id}.json`);
    await waitUntil(() => existsSync(path), { what: 'the refusal' });
    expect(JSON.parse((await bob.shell(`cat ${path}`)).stdout)).toMatchObject({
      result: 'refused',
      message: `only root and ${alice.name} may ask for it`,
    });
    expect((await alice.shell(`cat ${path}`)).stdout).toBe('');
    expect(renewals(4)).toBe(before + 1);
  });

  it('links, FIFOs, directories and files of others in the directory of requests move nobody', async () => {
    const { alice, bob } = users;
    const request = (user: OtherUser): string =>
      JSON.stringify({ renew: { user: user.name, service: 'mytok' } });
    const home = join(workspace.root, 'home');
    mkdirSync(home, { mode: 0o1777 });
    chmodSync(home, 0o1777);
    const before = [renewals(0), renewals(1)];
    // A valid request of alice, at a place that bob can enter.
    await alice.shell(`umask 077; echo '${request(alice)}' > ${home}/hers; chmod 644 ${home}/hers`);
    const unfinished = `.${'e'.repeat(32)}.new`;
    const name = (letter: string): string => runDir('requests', `${letter.repeat(32)}.request`);
    await bob.shell(
      `umask 077; ln -s ${home}/hers ${name('a')}; ln ${home}/hers ${name('9')}; ` +
        `echo '${request(bob)}' > ${home}/his; ln ${home}/his ${name('b')}; ` +
        `mkfifo ${name('c')}; mkdir ${name('d')}; ` +
        `cp ${home}/hers ${home}/copy; cp ${home}/copy ${runDir('requests', unfinished)}; mv ${runDir('requests', unfinished)} ${name('e')}; ` +
        `ln -s /etc/shadow ${name('f')}; touch ${runDir('requests', 'x')}; ` +
        `head -c 8000 /dev/zero > ${name('0')}`,
    );
    await waitUntil(() => readdirSync(runDir('requests')).length === 0, {
      what: 'an empty directory',
    });
    expect([renewals(0), renewals(1)]).toEqual(before);
    expect(readFileSync(join(home, 'hers'), 'utf8')).toBe(`${request(alice)}\n`);
    expect(lstatSync('/etc/shadow').isFile()).toBe(true);
    const log = daemonLog(workspace);
    for (const why of [
      'it is a symbolic link',
      'it has a second name (hard link)',
      'it is not a regular file',
      'its name is not that of a request',
      'it is larger than 4096 bytes',
    ])
      expect(log.split(`${why} (user id ${bob.uid})`)).toHaveLength(2);
    expect(log).toMatch(
      new RegExp(`Renewal of ${alice.name}/mytok requested by user id ${bob.uid} is rejected`),
    );
    // She may still ask, though others put things there.
    expect((await alice.run('renew', alice.name, 'mytok')).stderr).toContain('ask again in');
  });

  it('a run directory that is closed to users is named', async () => {
    const { alice } = users;
    chmodSync(workspace.logDirectory, 0o700);
    const path = runDir('daemon.json');
    for (const [args, why] of [
      [['status'], `closed to you, and ${path} cannot be read (EACCES); ask the administrator`],
      [['renew', alice.name, 'mytok'], `cannot ask for a renewal: ${path} cannot be read (EACCES)`],
    ] as const) {
      const { code, stdout, stderr } = await alice.run(...args);
      expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(why)]);
    }
    chmodSync(workspace.logDirectory, 0o755);
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
    expect((await users.alice.run('status')).stderr).toMatch(
      /^Nothing is renewed: condor_credmon \(process \d+\) is not running any more\. This is the state of \d+s ago\. Ask the administrator\.\n$/,
    );
    expect(JSON.parse((await users.alice.run('status', '--json')).stdout)).toMatchObject({
      daemon: null,
    });
    const asked = issuer.log.requests.length;
    for (const [user, step] of [
      [users.alice, 'ask the administrator to start it; it renews what is due'],
      [
        users.root,
        'start it, for example with "condor_on -daemon CREDMON_OAUTH"; it renews what is due',
      ],
    ] as const) {
      const { code, stdout, stderr } = await user.run('renew', users.alice.name, 'mytok');
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^condor_credmon: cannot ask for a renewal: condor_credmon \(process/);
      expect(stderr).toContain(`is not running any more; fix: ${step}\n`);
    }
    expect(issuer.log.requests).toHaveLength(asked);
    expect(readdirSync(runDir('requests'))).toEqual([]);
  });
});
