// The daemon where the machine is unkind: floods of signals, few descriptors, no inotify,
// a clock that jumps, heaps of files.
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import {
  executablePath,
  startProcess,
  type Child,
} from '@credmon/test-fixtures/processes/processes';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { startTraced } from '@credmon/test-fixtures/processes/strace';
import { readJson, secondsLeft } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let service: Service;
let daemon: Child | undefined;

beforeEach(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600 });
  workspace = createWorkspace({ knobs: { CREDMON_FIRST_RETRY: 1 } });
  service = await workspace.addService('mytok', issuer);
});
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
  await issuer.close();
  workspace.remove();
});

const file = (...parts: readonly string[]): string => join(workspace.credentialDirectory, ...parts);
const program: readonly [string, ...string[]] = [
  process.execPath,
  executablePath(root, 'condor_credmon'),
];
const isFresh = ({ path, accessToken }: SeededToken): boolean =>
  readJson(path('use'))['access_token'] !== accessToken &&
  secondsLeft(path('use'), Date.now() / 1000) > 500;
const fresh = (tokens: readonly SeededToken[], what: string): Promise<true> =>
  waitUntil(() => tokens.every(isFresh), { what });
const due = (user: string): Promise<SeededToken> =>
  seedToken(workspace, service, user, 'mytok', { age: 500 });
const complete = (): Promise<true> =>
  waitUntil(() => existsSync(file('CREDMON_COMPLETE')), { what: 'the first pass' });

describe('R22 R46 a running daemon', () => {
  it('answers after 20,000 SIGHUPs', async () => {
    daemon = startDaemon(workspace);
    await waitUntil(() => existsSync(file('pid')), { what: 'pid' });
    for (let count = 0; count < 20_000; count += 1) process.kill(daemon.pid, 'SIGHUP');
    const token = await due('alice');
    daemon.signal('SIGHUP');
    await fresh([token], 'a token after the flood');
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });

  it.each([[[]], [['--once']]])(
    'R10 is the only one: another with %j is refused and names its process',
    async (args) => {
      daemon = startDaemon(workspace);
      await complete();
      const second = startDaemon(workspace, args);
      expect((await second.exited).code).toBe(1);
      expect(second.output).toContain(`process ${daemon.pid}`);
      expect(await daemon.stop()).toEqual({ code: 0, signal: null });
    },
  );

  it('with 36 descriptors loses nothing, and renews everything', async () => {
    const tokens = await Promise.all(Array.from({ length: 60 }, (_, n) => due(`user${n}`)));
    const limited = 'ulimit -n 36; exec "$0" "$@"';
    daemon = startProcess('sh', ['-c', limited, ...program], workspace.environment);
    await fresh(tokens, 'sixty tokens');
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
    expect(issuer.log.presentedTwice()).toEqual([]);
  });

  it.skipIf(isMissing('strace')).each([
    ['inotify_init1', 'EMFILE'],
    ['inotify_add_watch', 'ENOSPC'],
  ])(
    'without inotify (%s: %s) warns once, and SIGHUP still brings a token at once',
    async (call, error) => {
      const trace = join(workspace.root, 'trace');
      daemon = startTraced(program, workspace.environment, { trace, inject: { call, error } });
      await complete();
      const token = await due('alice');
      daemon.signal('SIGHUP');
      await fresh([token], 'a token after SIGHUP');
      expect(await daemon.stop()).toEqual({ code: 0, signal: null });
      expect(daemonLog(workspace).split('Cannot watch the credential directory')).toHaveLength(2);
    },
  );
});

const [FAKETIME = ''] = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .filter((path) => existsSync(path));

describe.skipIf(FAKETIME === '' && isMissing('libfaketime'))('R15 the clock of the machine', () => {
  it('jumps a day forward and a day back: short tokens continue, long ones stay, nothing is spent twice', async () => {
    const shortLived = await startIssuer({ name: 'short', accessTokenTtl: 6 });
    const brief = await workspace.addService('brief', shortLived);
    await seedToken(workspace, brief, 'alice', 'brief', { age: 5 });
    await seedToken(workspace, service, 'bob', 'mytok');
    issuer.log.requests.length = 0;
    const clock = join(workspace.root, 'clock');
    /** Read by the library at each look at the clock, so it is replaced whole. */
    const step = (offset: string): void => {
      writeFileSync(`${clock}.new`, `${offset}\n`);
      renameSync(`${clock}.new`, clock);
    };
    step('+0d');
    daemon = startDaemon(workspace, [], {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    });
    const renewals = (): number => shortLived.log.successes('refresh_token').length;
    const written = (): number =>
      daemonLog(workspace).split('Successfully renewed alice/brief').length - 1;
    const threeMore = async (): Promise<void> => {
      const before = renewals();
      await waitUntil(() => renewals() >= before + 3 && written() === renewals(), {
        what: 'three renewals',
      });
    };
    try {
      await threeMore();
      for (const offset of ['+1d', '+0d']) {
        // The request is answered on the other day.
        const asked = shortLived.log.requests.length;
        await shortLived.setFault('held');
        await waitUntil(() => shortLived.log.requests.length > asked, {
          what: 'a request under way',
        });
        step(offset);
        await shortLived.setFault();
        await threeMore();
      }
      expect(await daemon.stop()).toEqual({ code: 0, signal: null });
      expect(issuer.log.requests).toEqual([]);
      expect(shortLived.log.presentedTwice()).toEqual([]);
      // The library was there: the log has lines of two days, and of three at midnight.
      const days = new Set(
        daemonLog(workspace)
          .split('\n')
          .map((line) => line.slice(0, 8))
          .filter(Boolean),
      );
      expect(days.size).toBeGreaterThanOrEqual(2);
    } finally {
      await daemon.stop();
      await shortLived.close();
    }
  });
});

/** Files of each kind; the time that they take grows with their number, not the rules. */
const HEAP = 20_000;
const HEAPS: readonly (readonly [string, (n: number) => readonly string[]])[] = [
  ["of no meaning in a user's directory", (n) => ['bob', `junk${n}`]],
  ['of no meaning in the root', (n) => [`.junk${n}`]],
  ['that are .top of names that nobody renews', (n) => ['bob', `name${n}.top`]],
  ['that dead processes left', (n) => ['bob', `.name.use.d99999999.${n}.credmon-tmp`]],
];

describe('R3 R4 20,000 files', () => {
  it.each(HEAPS)(
    '%s: a local token comes, memory stays within bounds, and SIGTERM ends the daemon',
    async (_, nameOf) => {
      workspace.configure({
        LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
        LOCAL_CREDMON_PRIVATE_KEY: join(workspace.root, 'private.pem'),
        LOCAL_CREDMON_PUBLIC_KEY: join(workspace.root, 'public.pem'),
        LOCAL_CREDMON_TOKEN_AUDIENCE: 'ANY',
      });
      for (const user of ['alice', 'bob']) mkdirSync(file(user), { mode: 0o700 });
      for (let n = 0; n < HEAP; n += 1) writeFileSync(file(...nameOf(n)), 'x', { mode: 0o600 });
      daemon = startDaemon(workspace);
      await complete();
      writeFileSync(file('alice', 'scitokens.top'), 'x', { mode: 0o600 });
      daemon.signal('SIGHUP');
      await waitUntil(() => existsSync(file('alice', 'scitokens.use')), {
        what: 'the token',
      });
      const memory = Number(
        /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1],
      );
      expect(memory).toBeLessThan(400 * 1024);
      expect(await daemon.stop()).toEqual({ code: 0, signal: null });
      expect(readdirSync(file('alice')).sort()).toEqual(['scitokens.top', 'scitokens.use']);
    },
  );
});

it('R4 R10 a .top that changes without end keeps nobody else waiting', async () => {
  const restless = await due('mallory');
  daemon = startDaemon(workspace);
  await complete();
  let changes = 0;
  const change = setInterval(() => {
    changes += 1;
    const temporary = `${restless.path('top')}.tmp`;
    writeFileSync(temporary, JSON.stringify({ refresh_token: `none-${changes}` }), { mode: 0o600 });
    renameSync(temporary, restless.path('top'));
    daemon?.signal('SIGHUP');
  }, 28);
  try {
    const tokens = await Promise.all(['alice', 'bob', 'carol'].map(due));
    daemon.signal('SIGHUP');
    await fresh(tokens, 'the tokens of others');
    await waitUntil(() => changes > 100, { what: 'a hundred changes' });
  } finally {
    clearInterval(change);
  }
  // A version is sent once, and once more where it arrived between a scan and the request
  // that the scan led to.
  const refused = issuer.log.requests.filter(({ outcome }) => outcome === 'invalid_grant');
  expect(refused.length).toBeLessThanOrEqual(2 * (changes + 1));
  expect(await daemon.stop()).toEqual({ code: 0, signal: null });
});
