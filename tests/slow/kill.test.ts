// A process that is killed in the middle of a renewal loses nothing that was already
// there to keep.
import {
  crashEnvironment,
  readTrace,
  type CrashPoint,
} from '@credmon/test-fixtures/processes/crash-point';
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { seedToken, writeToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { listing, readJson } from '@credmon/test-fixtures/files/token-files';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { root, runOnce } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let service: Service;
let token: SeededToken;
let trace: string;

beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600 });
});
afterAll(() => issuer.close());
beforeEach(async () => {
  issuer.log.requests.length = 0;
  workspace = createWorkspace();
  service = await workspace.addService('mytok', issuer);
  token = await seedToken(workspace, service, 'alice', 'mytok', { scopes: 'read', age: 500 });
  trace = join(workspace.root, 'trace');
});
afterEach(() => workspace.remove());

const home = (): string => join(workspace.credentialDirectory, 'alice');
const crashing = (point: CrashPoint): Promise<{ exit: { signal: string | null } | undefined }> =>
  runOnce(workspace, crashEnvironment(root, home(), trace, point));

/** The refresh token in `.top`, by the name that the issuer's log uses. */
const stored = (): string => tokenId(String(readJson(token.path('top'))['refresh_token']));

/** Every step of one renewal, as the file system sees it. */
const STEPS = [
  'open alice/.mytok.top.tmp',
  'write alice/.mytok.top.tmp',
  'fchmod alice/.mytok.top.tmp',
  'open alice/.mytok.use.tmp',
  'write alice/.mytok.use.tmp',
  'fchmod alice/.mytok.use.tmp',
  'fsync alice/.mytok.top.tmp',
  'fsync alice/.mytok.use.tmp',
  'close alice/.mytok.top.tmp',
  'close alice/.mytok.use.tmp',
  'rename alice/mytok.top',
  'rename alice/mytok.use',
];

describe('a renewal', () => {
  it('R11 has exactly the steps at which these tests kill it: .top is durable before .use is visible', async () => {
    await runOnce(workspace, crashEnvironment(root, workspace.credentialDirectory, trace, {}));
    expect(readTrace(trace).filter((line) => line.includes('alice/'))).toEqual(STEPS);
  });

  it.each(STEPS.map((step, index) => [index + 1, step] as const).slice(2))(
    'R12 killed before step %d (%s) continues after a restart, and no refresh token is spent twice',
    async (at) => {
      const before = stored();
      const { exit } = await crashing({ at });
      expect(exit).toEqual({ code: null, signal: 'SIGKILL' });

      await runOnce(workspace);
      makeDue();
      await runOnce(workspace);
      const renewals = issuer.log.chain(before);
      expect([stored(), renewals.length]).toEqual([renewals.at(-1), 4]);
      expect([issuer.log.reuses(), issuer.log.presentedTwice()]).toEqual([[], []]);
      expect(listing(home())).toEqual(['mytok.meta 400', 'mytok.top 400', 'mytok.use 400']);
      expect(readJson(token.path('use'))['expires_at']).toBeGreaterThan(Date.now() / 1000 + 500);
    },
  );

  it('R12 the rotated token of a killed process is used although another process has its number now', async () => {
    const before = stored();
    await crashing({ at: STEPS.indexOf('rename alice/mytok.top') + 1 });
    const [stray] = readdirSync(home()).filter((name) => name.startsWith('.mytok.top.'));
    const renamed = (stray ?? '').replace(/\d+(\.\d+\.credmon-tmp)$/, `${process.pid}$1`);
    renameSync(join(home(), stray ?? ''), join(home(), renamed));
    await runOnce(workspace);
    const renewals = issuer.log.chain(before);
    expect([stored(), renewals.length]).toEqual([renewals.at(-1), 3]);
    expect([issuer.log.reuses(), issuer.log.presentedTwice()]).toEqual([[], []]);
    expect(listing(home())).toEqual(['mytok.meta 400', 'mytok.top 400', 'mytok.use 400']);
  });

  it.each([1, 2])(
    'R12 killed before step %d, when the answer was nowhere on disk yet, says that the user must log in again',
    async (at) => {
      await crashing({ at });
      expect((await runOnce(workspace)).exit).toEqual({ code: 0, signal: null });
      expect(issuer.log.reuses()).toHaveLength(1);
      expect(stored()).toBe(tokenId(token.refreshToken));
      expect(readJson(token.path('use'))['access_token']).toBe(token.accessToken);
      expect(readJson(join(home(), '.mytok.renewal'))).toMatchObject({
        code: 'GRANT_REVOKED',
        stopped: true,
      });
    },
  );
});

/** Gives the token in place an age that makes it due. */
function makeDue(): void {
  const issuedAt = Math.floor(Date.now() / 1000) - 500;
  const use = { ...readJson(token.path('use')), issued_at: issuedAt, expires_at: issuedAt + 600 };
  writeToken(token.path('use'), JSON.stringify(use));
}
