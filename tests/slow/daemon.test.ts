// The daemon as a process: what condor_master, CredD and an administrator see of it.
import {
  chmodSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { executablePath, startExecutable } from '@credmon/test-fixtures/processes/processes';
import { seedToken } from '@credmon/test-fixtures/files/seed-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;

beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600 });
});
afterAll(() => issuer.close());
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(() => workspace.remove());

const file = (name: string): string => join(workspace.credentialDirectory, name);
const there = (name: string): Promise<unknown> =>
  waitUntil(() => existsSync(file(name)), { what: name });
const logged = (text: string): Promise<unknown> =>
  waitUntil(() => daemonLog(workspace).includes(text), { what: `the log line "${text}"` });
const underMaster = { CONDOR_INHERIT: '1 <127.0.0.1:0> 0 0' };

describe('start and stop', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)(
    'R46 %s ends it with 0 and leaves neither pid nor CREDMON_COMPLETE',
    async (signal) => {
      const daemon = startDaemon(workspace);
      await there('CREDMON_COMPLETE');
      expect(Number(readFileSync(file('pid'), 'utf8'))).toBe(daemon.pid);
      expect(statSync(file('pid')).mode & 0o777).toBe(0o644);
      daemon.signal(signal);
      expect(await daemon.exited).toEqual({ code: 0, signal: null });
      expect([existsSync(file('pid')), existsSync(file('CREDMON_COMPLETE'))]).toEqual([
        false,
        false,
      ]);
      expect(daemonLog(workspace)).toContain(`Got ${signal}, stopping`);
    },
  );

  it('survives two thousand SIGHUPs from the first moment, and serves a token stored meanwhile', async () => {
    const service = await workspace.addService('mytok', issuer);
    const daemon = startDaemon(workspace);
    await there('pid');
    for (let count = 0; count < 2000; count += 1) daemon.signal('SIGHUP');
    const token = await seedToken(workspace, service, 'alice', 'mytok', { age: 500 });
    daemon.signal('SIGHUP');
    await logged('Successfully renewed alice/mytok');
    expect(existsSync(token.path('use'))).toBe(true);
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });

  it('notices a login that nobody signals, when the portal removes the key file', async () => {
    const service = await workspace.addService('mytok', issuer);
    const key = file('ab'.repeat(32));
    writeFileSync(key, '');
    const daemon = startDaemon(workspace);
    await there('CREDMON_COMPLETE');
    await seedToken(workspace, service, 'alice', 'mytok', { age: 500 });
    rmSync(key);
    await logged('Successfully renewed alice/mytok');
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });

  it('R10 a second daemon on the same directory refuses to start, names the first, and takes over after kill -9', async () => {
    const first = startDaemon(workspace);
    await there('pid');
    const second = startDaemon(workspace, [], underMaster);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.output).toContain(`process ${first.pid} already renews the tokens`);
    first.signal('SIGKILL');
    await first.exited;
    const third = startDaemon(workspace);
    await waitUntil(() => readFileSync(file('pid'), 'utf8').trim() === String(third.pid), {
      what: 'the pid of the third',
    });
    await third.stop();
  });

  it('does not remove a pid file that names somebody else', async () => {
    const daemon = startDaemon(workspace);
    await there('CREDMON_COMPLETE');
    writeFileSync(file('pid'), '1\n');
    await daemon.stop();
    expect(readFileSync(file('pid'), 'utf8')).toBe('1\n');
  });
});

describe('--once', () => {
  const seedTwo = async (): Promise<void> => {
    const service = await workspace.addService('mytok', issuer);
    for (const user of ['alice', 'bob'])
      await seedToken(workspace, service, user, 'mytok', { age: 500 });
  };
  const renewals = (): number => daemonLog(workspace).split('Successfully renewed').length - 1;

  it('ends with 0 after one pass, and leaves CREDMON_COMPLETE but no pid', async () => {
    await seedTwo();
    expect(await startDaemon(workspace, ['--once']).exited).toEqual({ code: 0, signal: null });
    expect([renewals(), existsSync(file('CREDMON_COMPLETE')), existsSync(file('pid'))]).toEqual([
      2,
      true,
      false,
    ]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'R22 %s: what is under way is written, nothing more is begun, and the exit code is 1',
    async (signal) => {
      workspace.configure({ CREDMON_RENEWALS_PER_ISSUER: 1 });
      await seedTwo();
      const before = issuer.log.successes('refresh_token').length;
      await issuer.setFault('held', { times: 1 });
      const daemon = startDaemon(workspace, ['--once']);
      await issuer.log.until((log) => log.successes('refresh_token').length === before + 1);
      daemon.signal(signal);
      await logged(`Got ${signal}, stopping`);
      await issuer.setFault();
      expect(await daemon.exited).toEqual({ code: 1, signal: null });
      expect([renewals(), existsSync(file('CREDMON_COMPLETE'))]).toEqual([1, false]);
      expect(daemonLog(workspace)).toContain('Stopped with 1 renewal not started');
      expect(issuer.log.presentedTwice()).toEqual([]);
    },
  );

  it('R22 R46 a second signal ends it at once, and pid and CREDMON_COMPLETE are gone', async () => {
    await seedTwo();
    const before = issuer.log.successes('refresh_token').length;
    await issuer.setFault('held', { times: 1 });
    const daemon = startDaemon(workspace);
    await issuer.log.until((log) => log.successes('refresh_token').length > before);
    await there('pid');
    writeFileSync(file('CREDMON_COMPLETE'), '');
    daemon.signal('SIGTERM');
    await logged('Got SIGTERM, stopping');
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 1, signal: null });
    expect([existsSync(file('pid')), existsSync(file('CREDMON_COMPLETE'))]).toEqual([false, false]);
    await issuer.setFault();
  });

  it('R22 a second signal ends it at once', async () => {
    await seedTwo();
    const before = issuer.log.successes('refresh_token').length;
    await issuer.setFault('held', { times: 1 });
    const daemon = startDaemon(workspace, ['--once']);
    await issuer.log.until((log) => log.successes('refresh_token').length > before);
    daemon.signal('SIGTERM');
    await logged('Got SIGTERM, stopping');
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 1, signal: null });
    await issuer.setFault();
  });
});

it('R1 has threads for many name look-ups that hang, however it is started', () => {
  const probe = join(workspace.root, 'probe.cjs');
  // The first look-up makes all threads; the program ends before a look-up of its own
  // would come back.
  const count = `require('node:dns').lookup('localhost', () => {
    process.stderr.write('threads ' + require('node:fs').readdirSync('/proc/self/task').length);
    exit(code);
  });`;
  writeFileSync(probe, `const { exit } = process; process.exit = (code) => { ${count} };`);
  const copy = join(workspace.root, 'condor_credmon');
  const built = executablePath(root, 'condor_credmon');
  symlinkSync(built, copy);
  const threads = (...program: [string, ...string[]]): number => {
    const env = {
      ...process.env,
      NODE_OPTIONS: `--require=${probe}`,
      UV_THREADPOOL_SIZE: undefined,
    };
    const { stderr } = spawnSync(program[0], [...program.slice(1), '--version'], {
      encoding: 'utf8',
      env,
    });
    return Number(/threads (\d+)/.exec(stderr)?.[1]);
  };
  for (const started of [threads(process.execPath, built), threads(built), threads(copy)])
    expect(started).toBeGreaterThanOrEqual(32);
});

describe('bad input', () => {
  it('R46 a wrong configuration: all mistakes with file and line, 99 under condor_master, 1 by hand', async () => {
    workspace.configure({
      CREDMON_REQUEST_TIMEOUT: 'soon',
      OAUTH2_CREDMON_PROVIDER_NAMES: 'my prov, b/d',
    });
    const held = startDaemon(workspace, [], underMaster);
    expect((await held.exited).code).toBe(99);
    const byHand = startDaemon(workspace);
    expect((await byHand.exited).code).toBe(1);
    expect(byHand.output).toMatch(/condor_config, line \d+: CREDMON_REQUEST_TIMEOUT = soon/);
    expect(byHand.output).toMatch(
      /condor_config, line \d+: OAUTH2_CREDMON_PROVIDER_NAMES names "b\/d"/,
    );
  });

  it('says what is wrong in the log that -l names, too', async () => {
    workspace.configure({ CREDMON_REQUEST_TIMEOUT: 'soon' });
    const log = join(workspace.root, 'other.log');
    await startDaemon(workspace, ['-l', log], underMaster).exited;
    expect(readFileSync(log, 'utf8')).toContain('CREDMON_REQUEST_TIMEOUT');
  });

  it('a syntax error names file and line', async () => {
    writeFileSync(workspace.configFile, 'LOG = /tmp\nthis is not a statement\n');
    const daemon = startDaemon(workspace, [], underMaster);
    expect((await daemon.exited).code).toBe(99);
    expect(daemon.output).toMatch(/condor_config.*2/);
  });

  it('a credential directory that others can read: refused with the command that fixes it', async () => {
    chmodSync(workspace.credentialDirectory, 0o2775);
    const daemon = startDaemon(workspace, [], underMaster);
    expect((await daemon.exited).code).toBe(99);
    expect(daemon.output).toContain(`chmod o-rwx ${workspace.credentialDirectory}`);
  });

  it('a log that cannot be opened: 44', async () => {
    const daemon = startDaemon(workspace, ['-l', '/proc/no/such/log'], underMaster);
    expect((await daemon.exited).code).toBe(44);
  });

  it.each([[['--bogus']], [['frobnicate']]])('%j: usage on standard error, 2', async (args) => {
    const daemon = startDaemon(workspace, args);
    expect((await daemon.exited).code).toBe(2);
    expect(daemon.output).toContain('--cred-dir');
  });

  it('a pid file or lock that is a link is not followed', async () => {
    const victim = join(workspace.root, 'victim');
    writeFileSync(victim, 'untouched');
    symlinkSync(victim, file('pid'));
    symlinkSync(victim, file('.condor_credmon.lock'));
    const daemon = startDaemon(workspace);
    expect((await daemon.exited).code).toBe(1);
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
  });
});

describe('SIGHUP', () => {
  it('R45 reloads the configuration; an invalid one is rejected and the old one is still used', async () => {
    const daemon = startDaemon(workspace);
    await there('CREDMON_COMPLETE');
    workspace.configure({ CREDMON_RENEWALS_PER_ISSUER: 'many' });
    daemon.signal('SIGHUP');
    await logged('The new configuration is rejected');
    expect(daemonLog(workspace)).toMatch(/line \d+: CREDMON_RENEWALS_PER_ISSUER = many/);
    workspace.configure({ CREDMON_RENEWALS_PER_ISSUER: 3 });
    daemon.signal('SIGHUP');
    await logged('Configuration read again');
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });

  it('R45 R10 R13 a configuration whose log cannot be opened is rejected, also during a renewal', async () => {
    const service = await workspace.addService('mytok', issuer);
    const token = await seedToken(workspace, service, 'alice', 'mytok', { age: 500 });
    const before = issuer.log.successes('refresh_token').length;
    await issuer.setFault('held', { times: 1 });
    const daemon = startDaemon(workspace);
    await issuer.log.until((log) => log.successes('refresh_token').length === before + 1);
    const log = '$(LOG)/CredMonOAuthLog';
    workspace.configure({ CREDMON_OAUTH_LOG: '/proc/no/such/log' });
    daemon.signal('SIGHUP');
    await logged(
      'The new configuration is rejected, the old one is still used: the log file /proc/no/such/log',
    );
    workspace.configure({ CREDMON_OAUTH_LOG: log });
    const second = startDaemon(workspace);
    expect((await second.exited).code).toBe(1);
    expect(second.output).toContain(`process ${daemon.pid} already renews the tokens`);
    await issuer.setFault();
    await logged('Successfully renewed alice/mytok');
    expect(existsSync(token.path('use'))).toBe(true);
    daemon.signal('SIGHUP');
    await logged('The configuration is valid again');
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
    expect([existsSync(file('pid')), existsSync(file('CREDMON_COMPLETE'))]).toEqual([false, false]);
    expect(issuer.log.presentedTwice()).toEqual([]);
  });

  it('a new log that can be opened is taken over', async () => {
    const daemon = startDaemon(workspace);
    await there('CREDMON_COMPLETE');
    workspace.configure({ CREDMON_OAUTH_LOG: '$(LOG)/Other' });
    daemon.signal('SIGHUP');
    const other = join(workspace.logDirectory, 'Other');
    await waitUntil(() => existsSync(other) && readFileSync(other, 'utf8').includes('read again'), {
      what: 'the other log',
    });
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
    expect(readFileSync(other, 'utf8')).toMatch(/Configuration read again\n(?:.|\n)*Stopped\n$/);
  });

  it('R29 a new client secret needs no restart', async () => {
    const service = await workspace.addService('mytok', issuer);
    workspace.secretFile('mytok', 'wrong\n');
    await seedToken(workspace, service, 'alice', 'mytok', { age: 500 });
    const daemon = startDaemon(workspace);
    await logged('invalid_client');
    workspace.secretFile('mytok', `${service.clientSecret}\n`);
    daemon.signal('SIGHUP');
    await logged('Successfully renewed alice/mytok');
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('status', () => {
  it('lists what the daemon sees, and exits 1 when a token needs attention', async () => {
    const service = await workspace.addService('mytok', issuer);
    await seedToken(workspace, service, 'alice', 'mytok', { age: 0 });
    const good = startExecutable(
      root,
      'condor_credmon',
      ['status', '--json'],
      workspace.environment,
    );
    expect((await good.exited).code).toBe(0);
    expect(JSON.parse(good.output)).toMatchObject({
      tokens: [{ user: 'alice', service: 'mytok', state: 'fresh', expired: false }],
    });
    await seedToken(workspace, service, 'bob', 'mytok', { age: 700 });
    const bad = startExecutable(root, 'condor_credmon', ['status'], workspace.environment);
    expect((await bad.exited).code).toBe(1);
    expect(bad.output).toMatch(/^OWNER +SERVICE +PROVIDER +STATE +EXPIRES +NEXT +ERROR$/m);
    expect(bad.output).toMatch(/^bob +mytok +mytok \(oauth\) +EXPIRED/m);
    expect(bad.output).toMatch(/^No condor_credmon is running here/m);
  });
});

describe('the other commands', () => {
  const run = async (...args: string[]): Promise<{ code: number | null; output: string }> => {
    const child = startExecutable(root, 'condor_credmon', args, workspace.environment);
    const { code } = await child.exited;
    return { code, output: child.output };
  };

  it('check: all is well, then a secret that others can read and an issuer with another name', async () => {
    await workspace.addService('mytok', issuer);
    expect(await run('check')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^mytok \(login\)\n {2}ok +refreshes the tokens/m) as string,
    });
    expect((await run('check')).output).toMatch(
      /^daemon\n {2}WARNING {2}no condor_credmon is running here/m,
    );
    const daemon = startDaemon(workspace);
    await there('CREDMON_COMPLETE');
    expect((await run('check')).output).toMatch(
      new RegExp(`^daemon\\n {2}ok {7}process ${daemon.pid} is running$`, 'm'),
    );
    await daemon.stop();
    chmodSync(workspace.secretFile('mytok', 'secret'), 0o644);
    workspace.configure({ CREDMON_mytok_ISSUER: `${issuer.url}/` });
    const { code, output } = await run('check', '--json');
    expect(code).toBe(1);
    const errors = (JSON.parse(output) as { what: string; state: string }[]).filter(
      ({ state }) => state === 'error',
    );
    expect(errors.map(({ what }) => what)).toEqual(['mytok (login)', 'mytok (login)']);
  });

  it('R45 check: lists the mistakes of a configuration beforehand', async () => {
    workspace.configure({ CREDMON_RENEWALS_PER_ISSUER: 'many' });
    const { code, output } = await run('check');
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(
        /^configuration\n {2}ERROR(?:.|\n)*line \d+:\s+CREDMON_RENEWALS_PER_ISSUER = many/,
      ),
    ]);
  });

  it('config: a knob as condor_config_val prints it, and 1 when it is not defined', async () => {
    expect(await run('config', 'get', 'SEC_CREDENTIAL_DIRECTORY_OAUTH')).toEqual({
      code: 0,
      output: `${workspace.credentialDirectory}\n`,
    });
    expect(await run('config', 'get', 'NO_SUCH_KNOB')).toEqual({
      code: 1,
      output: 'Not defined: NO_SUCH_KNOB\n',
    });
    expect((await run('config', 'get', 'LOG', '-v')).output).toMatch(
      /^LOG = .*\n # at: .*condor_config, line \d+\n/,
    );
    expect((await run('config', 'dump', '^CREDMON_WEB_PREFIX$')).output).toMatch(
      /^CREDMON_WEB_PREFIX = http/m,
    );
    expect((await run('config', 'dump', '(')).code).toBe(2);
  });

  it('usable: 0 while a token lives long enough', async () => {
    const service = await workspace.addService('mytok', issuer);
    await seedToken(workspace, service, 'alice', 'mytok', { age: 500 });
    expect((await run('usable', 'alice', 'mytok', '--seconds', '60')).code).toBe(0);
    expect(await run('usable', 'alice', 'mytok', '--seconds', '300')).toEqual({
      code: 1,
      output: expect.stringMatching(/alice\/mytok: expires in \d+ s/) as string,
    });
    expect(await run('usable', 'bob', 'mytok')).toEqual({
      code: 1,
      output: 'bob/mytok: no such token\n',
    });
  });
});
