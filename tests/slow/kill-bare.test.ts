// Daemon and portal that are killed while they write a bare token and its state file: the
// token is whole, with its own times, or renewed at the next start.
import { loginThroughPortal } from '@credmon/test-fixtures/browsers/browserless-login';
import { crashEnvironment, readTrace } from '@credmon/test-fixtures/processes/crash-point';
import { startExecutable } from '@credmon/test-fixtures/processes/processes';
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { seedToken, writeToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { listing, readJson } from '@credmon/test-fixtures/files/token-files';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import { issuedText } from '@credmon/core/credential';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { root, runOnce } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let service: Service;
let trace: string;

beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600, accessTokenFormat: 'opaque' });
});
afterAll(() => issuer.close());
beforeEach(async () => {
  issuer.log.requests.length = 0;
  workspace = createWorkspace();
  await choosePrefix(workspace);
  service = await workspace.addService('mytok', issuer);
  workspace.configure({ CREDMON_mytok_TOKEN_USE_JSON: 'false' });
  trace = join(workspace.root, 'trace');
});
afterEach(() => workspace.remove());

const home = (): string => join(workspace.credentialDirectory, 'alice');
const file = (name: string): string => join(home(), name);
const WHOLE = ['.mytok.issued 600', 'mytok.meta 400', 'mytok.top 400', 'mytok.use 400'];

/** What the file system sees of a file that is made durable, before its rename. */
const staged = (name: string): string[] =>
  ['open', 'write', 'fchmod', 'fsync', 'close'].map((step) => `${step} alice/.${name}.tmp`);

/** True if the state in place is of the token in place. */
function stateFits(): boolean {
  const token = readFileSync(file('mytok.use'), 'utf8').trim();
  const hash = createHash('sha256').update(token).digest('hex');
  return readJson(file('.mytok.issued'))['token_sha256'] === hash;
}

/** Says of the token whether a job can start with it for some minutes. */
async function usableFor(seconds: number): Promise<number | null | undefined> {
  const args = ['usable', 'alice', 'mytok', '--seconds', String(seconds)];
  const child = startExecutable(root, 'condor_credmon', args, workspace.environment);
  await child.exited;
  return child.exit?.code;
}

describe('a renewal', () => {
  const FILES = ['mytok.top', '.mytok.issued', 'mytok.use'];
  const STEPS = [
    ...FILES.flatMap((name) => staged(name).slice(0, 3)),
    ...FILES.map((name) => `fsync alice/.${name}.tmp`),
    ...FILES.map((name) => `close alice/.${name}.tmp`),
    'rename alice/mytok.top',
    'rename alice/.mytok.issued',
    'rename alice/mytok.use',
  ];
  let token: SeededToken;
  beforeEach(async () => {
    const age = 500;
    token = await seedToken(workspace, service, 'alice', 'mytok', { scopes: 'read', age });
    const issuedAt = Math.floor(Date.now() / 1000) - age;
    const times = { issuedAt, expiresAt: issuedAt + 600 };
    writeToken(
      file('.mytok.issued'),
      issuedText({ accessToken: token.accessToken }, times),
      issuedAt,
    );
    chmodSync(file('.mytok.issued'), 0o600);
    writeToken(file('mytok.use'), `${token.accessToken}\n`, issuedAt);
  });

  it('R11 has exactly the steps at which these tests kill it: the state is in place before .use', async () => {
    await runOnce(workspace, crashEnvironment(root, workspace.credentialDirectory, trace, {}));
    expect(readTrace(trace).filter((line) => line.includes('alice/'))).toEqual(STEPS);
    expect([listing(home()), stateFits(), await usableFor(500)]).toEqual([WHOLE, true, 0]);
  });

  it.each(STEPS.map((step, index) => [index + 1, step] as const).slice(2))(
    'R12 killed before step %d (%s) is renewed after a restart, and no refresh token is spent twice',
    async (at) => {
      const before = tokenId(token.refreshToken);
      const crash = crashEnvironment(root, home(), trace, { at });
      const { exit } = await runOnce(workspace, crash);
      expect(exit).toEqual({ code: null, signal: 'SIGKILL' });
      await runOnce(workspace);
      const renewals = issuer.log.chain(before);
      const stored = tokenId(String(readJson(file('mytok.top'))['refresh_token']));
      expect([stored, renewals.length]).toEqual([renewals.at(-1), 3]);
      expect([issuer.log.reuses(), issuer.log.presentedTwice()]).toEqual([[], []]);
      expect([listing(home()), stateFits(), await usableFor(500)]).toEqual([WHOLE, true, 0]);
    },
  );
});

describe('storing a login', () => {
  const STEPS = [
    ...['mytok.top', 'mytok.use', '.mytok.issued', 'mytok.meta'].flatMap(staged),
    'rename alice/mytok.meta',
    'rename alice/.mytok.issued',
    'rename alice/mytok.use',
    'rename alice/mytok.top',
  ];

  async function logIn(at?: number): Promise<{ url: string; ended: string }> {
    const ad = workspace.keyFileAd(service, 'alice');
    const { url } = writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [ad]);
    const point = at === undefined ? {} : { at };
    const environment = crashEnvironment(root, workspace.credentialDirectory, trace, point);
    const portal = await startPortal(root, workspace, { environment });
    const ended = await loginThroughPortal(url).then(
      () => 'stored',
      (error: Error) => error.message,
    );
    await portal.stop();
    return { url, ended };
  }

  it('has exactly the steps at which these tests kill it: .top becomes visible last', async () => {
    expect((await logIn()).ended).toBe('stored');
    expect(readTrace(trace).filter((line) => line.includes(' alice/'))).toEqual(STEPS);
    expect([listing(home()), stateFits(), await usableFor(500)]).toEqual([WHOLE, true, 0]);
  });

  // The steps of each file are struck one by one in kill-portal.test.ts.
  it.each(
    STEPS.map((step, index) => [index + 1, step] as const).filter(([, step]) =>
      /^rename|^fsync alice\/\.\.mytok/.test(step),
    ),
  )(
    'R12 killed before step %d (%s): CredD sees no token, and a second try stores a whole one',
    async (at) => {
      const { url, ended } = await logIn(at);
      expect(ended).toMatch(/hang up|ECONNRESET/);
      expect(existsSync(file('mytok.top'))).toBe(false);
      const portal = await startPortal(root, workspace);
      await loginThroughPortal(url);
      await portal.stop();
      await runOnce(workspace);
      expect([listing(home()), stateFits(), await usableFor(500)]).toEqual([WHOLE, true, 0]);
    },
  );
});
