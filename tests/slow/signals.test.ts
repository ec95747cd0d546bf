// Signals while thousands of local tokens are signed: what a daemon meets that was down for longer than its tokens live.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { waitUntil } from '@credmon/test-fixtures/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/workspace';
import type { Child } from '@credmon/test-fixtures/processes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';

const USERS = 400;
const EACH = 20;
/** Milliseconds: 50 on a quiet machine; the tests of a whole project share this one. Without yields it is the time of the batch. */
const PROMPT = 2000;

let workspace: Workspace;
let daemon: Child;
const file = (...parts: readonly string[]): string => join(workspace.credentialDirectory, ...parts);
const signed = (): number => daemonLog(workspace).split('Successfully renewed').length - 1;

function request(user: string, stem: string): void {
  mkdirSync(file(user), { recursive: true, mode: 0o700 });
  writeFileSync(file(user, `${stem}.top`), 'x', { mode: 0o600 });
}

beforeAll(async () => {
  workspace = createWorkspace();
  workspace.configure({
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
    LOCAL_CREDMON_PRIVATE_KEY: join(workspace.root, 'private.pem'),
    LOCAL_CREDMON_PUBLIC_KEY: join(workspace.root, 'public.pem'),
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'ANY',
    LOCAL_CREDMON_TOKEN_LIFETIME: 86_400,
  });
  for (let user = 0; user < USERS; user += 1)
    for (let n = 0; n < EACH; n += 1) request(`u${user}`, `scitokens_h${n}`);
  daemon = startDaemon(workspace);
  await waitUntil(() => signed() >= 2, { what: 'the first tokens', seconds: 60 });
});
afterAll(async () => {
  await daemon.stop();
  workspace.remove();
});

/** Sends a signal; returns the milliseconds until `answered`, and how many tokens were signed by then. */
async function answerTo(
  signal: NodeJS.Signals,
  answered: () => boolean,
): Promise<{ milliseconds: number; signed: number }> {
  const sent = performance.now();
  daemon.signal(signal);
  while (!answered() && performance.now() - sent < 60_000) await rest(1);
  return { milliseconds: performance.now() - sent, signed: signed() };
}

it('R4 SIGHUP for a new token is answered while 8,000 local tokens are signed', async () => {
  request('newcomer', 'scitokens');
  const answer = await answerTo('SIGHUP', () => existsSync(file('newcomer', 'scitokens.use')));
  expect(answer.milliseconds).toBeLessThan(PROMPT);
  expect(answer.signed).toBeLessThan(USERS * EACH);
});

it('R22 SIGTERM ends the daemon while 8,000 local tokens are signed', async () => {
  const answer = await answerTo('SIGTERM', () => daemonLog(workspace).includes('Got SIGTERM, stopping'));
  expect(answer.milliseconds).toBeLessThan(PROMPT);
  expect(answer.signed).toBeLessThan(USERS * EACH);
  const ended = performance.now();
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - ended).toBeLessThan(PROMPT);
  expect(signed()).toBeLessThan(USERS * EACH);
});
