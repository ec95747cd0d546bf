// A submit waits for its local token: how long, beside 20,000 others. The exact figures come from bench/local.mjs, on a quiet machine.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { waitUntil } from '@credmon/test-fixtures/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/workspace';
import type { Child } from '@credmon/test-fixtures/processes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDaemon } from './daemon-runs.ts';

const USERS = 2000;
const SIGNALS = 40;
let workspace: Workspace;
let daemon: Child;
const file = (...parts: readonly string[]): string => join(workspace.credentialDirectory, ...parts);

/** Ten requests of every user: what a busy Access Point has after a while. */
function fill(): void {
  for (let user = 0; user < USERS; user += 1) {
    mkdirSync(file(`u${user}`), { mode: 0o700 });
    for (let n = 0; n < 10; n += 1)
      writeFileSync(file(`u${user}`, `scitokens${n === 0 ? '' : `_h${n}`}.top`), 'x', { mode: 0o600 });
  }
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
  fill();
  daemon = startDaemon(workspace);
  await waitUntil(() => existsSync(file('CREDMON_COMPLETE')), { what: 'the first pass', seconds: 60 });
});
afterAll(async () => {
  await daemon.stop();
  workspace.remove();
});

/** Milliseconds from SIGHUP to `.use` of a request of `user`. */
async function wait(user: string, stem: string): Promise<number> {
  mkdirSync(file(user), { recursive: true, mode: 0o700 });
  writeFileSync(file(user, `${stem}.top`), 'x', { mode: 0o600 });
  const signalled = performance.now();
  daemon.signal('SIGHUP');
  const use = file(user, `${stem}.use`);
  while (!existsSync(use) && performance.now() - signalled < 20_000) await turn();
  return performance.now() - signalled;
}

it.each([
  ['a new user', (n: number) => wait(`new${n}`, 'scitokens')],
  ['a new handle of a user who has ten', (n: number) => wait(`u${n * 47}`, 'scitokens_new')],
])('R4 %s does not wait for 20,000 other tokens', async (_, request) => {
  const waits: number[] = [];
  for (let n = 0; n < SIGNALS; n += 1) waits.push(await request(n));
  waits.sort((a, b) => a - b);
  // One call follows the other, and other tests run beside this one: the tail has room.
  expect(waits[SIGNALS / 2]).toBeLessThan(100);
  expect(waits[Math.floor(SIGNALS * 0.9)]).toBeLessThan(250);
});
