// The built daemon and issuers that answer after the time-out, or while the daemon stands
// still: no answer is lost, no refresh token is sent twice.
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { listing, readJson, secondsLeft } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';

const USERS = Array.from({ length: 12 }, (_, index) => `user${index}`);
let issuer: Issuer;
let workspace: Workspace;
let tokens: SeededToken[];
let daemon: Child | undefined;

beforeAll(async () => {
  issuer = await startIssuer({ name: 'slow', accessTokenTtl: 600 });
});
afterAll(() => issuer.close());
beforeEach(async () => {
  await issuer.setFault();
  issuer.log.requests.length = 0;
  workspace = createWorkspace({ knobs: { CREDMON_REQUEST_TIMEOUT: 6, CREDMON_FIRST_RETRY: 1 } });
  const service = await workspace.addService('mytok', issuer);
  tokens = await Promise.all(
    USERS.map((user) => seedToken(workspace, service, user, 'mytok', { age: 400 })),
  );
});
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
  workspace.remove();
});

const renewed = ({ path, accessToken }: SeededToken): boolean =>
  readJson(path('use'))['access_token'] !== accessToken &&
  secondsLeft(path('use'), Date.now() / 1000) > 0;
const hasFailed = (user: string): boolean =>
  listing(join(workspace.credentialDirectory, user)).includes('.mytok.renewal 600');
const answered = (count: number): Promise<unknown> =>
  issuer.log.until(({ requests }) => requests.length >= count);

describe('an answer that the daemon gets late', () => {
  it('R2 R12 R13 is stored, though it comes after the time-out, and its refresh token is not sent twice', async () => {
    await issuer.setFault('held');
    daemon = startDaemon(workspace);
    await waitUntil(() => USERS.filter(hasFailed).length >= 12, { what: 'twelve time-outs' });
    await issuer.setFault();
    await waitUntil(() => tokens.every(renewed), { what: 'twelve late answers' });
    // The failure is forgotten after .use is in place.
    await waitUntil(() => !USERS.some(hasFailed), { what: 'no failure left' });
    expect(issuer.log.presentedTwice()).toEqual([]);
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });

  it('R12 R13 R22 is stored, though the daemon stood still for longer than its time-out', async () => {
    await issuer.setFault('held');
    daemon = startDaemon(workspace);
    await answered(12);
    const { pid } = daemon;
    process.kill(pid, 'SIGSTOP');
    try {
      await issuer.setFault();
      // As long as the time-out, and more: this is the stall itself.
      await new Promise((resolve) => setTimeout(resolve, 8000));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await waitUntil(() => tokens.every(renewed), { what: 'twelve renewals' });
    expect(issuer.log.presentedTwice()).toEqual([]);
    expect(daemonLog(workspace)).not.toContain('no answer within');
  });

  it('R22 is abandoned with a line when it has not come at the end', async () => {
    workspace.configure({ CREDMON_REQUEST_TIMEOUT: 1 });
    await issuer.setFault('held');
    daemon = startDaemon(workspace);
    await waitUntil(() => USERS.some(hasFailed), { what: 'a time-out' });
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(daemonLog(workspace)).toContain('renewal still running at shutdown, abandoned');
    await issuer.setFault();
  });
});
