// Signals while thousands of local tokens are signed: what a daemon meets that was down
// for longer than its tokens live.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';

const USERS = 400;
const EACH = 20;
/**
 * All tokens of the batch. Without yields all of them are signed before a signal is
 * answered, however slow the machine is.
 */
const ALL = USERS * EACH;

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
  await waitUntil(() => signed() >= 2, { what: 'the first tokens' });
});
afterAll(async () => {
  await daemon.stop();
  workspace.remove();
});

/**
 * Sends a signal, and waits for its answer; returns how many tokens were signed by then.
 */
async function answerTo(signal: NodeJS.Signals, answered: () => boolean): Promise<number> {
  daemon.signal(signal);
  await waitUntil(answered, { what: `an answer to ${signal}`, every: 0.001 });
  return signed();
}

it('R4 SIGHUP for a new token is answered while 8,000 local tokens are signed', async () => {
  request('newcomer', 'scitokens');
  expect(
    await answerTo('SIGHUP', () => existsSync(file('newcomer', 'scitokens.use'))),
  ).toBeLessThan(ALL / 2);
});

it('R22 SIGTERM ends the daemon while 8,000 local tokens are signed', async () => {
  const stopping = await answerTo('SIGTERM', () =>
    daemonLog(workspace).includes('Got SIGTERM, stopping'),
  );
  expect(stopping).toBeLessThan(ALL);
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
  expect(signed()).toBeLessThan(ALL);
});

describe('a scan of one directory with 100,000 files', () => {
  let large: Workspace;
  let scanning: Child;
  beforeAll(async () => {
    large = createWorkspace();
    large.configure({
      LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
      LOCAL_CREDMON_PRIVATE_KEY: join(large.root, 'private.pem'),
      LOCAL_CREDMON_PUBLIC_KEY: join(large.root, 'public.pem'),
      LOCAL_CREDMON_TOKEN_AUDIENCE: 'ANY',
      OAUTH2_CREDMON_PROVIDER_NAMES: 'none',
    });
    const directory = join(large.credentialDirectory, 'alice');
    mkdirSync(directory, { mode: 0o700 });
    for (let n = 0; n < 100_000; n += 1)
      writeFileSync(join(directory, `t${n}.use`), '{"access_token":"a"}', { mode: 0o600 });
    scanning = startDaemon(large, ['-d']);
    await waitUntil(() => existsSync(join(large.credentialDirectory, 'pid')), {
      what: 'the start of the first scan',
    });
  }, 300_000);
  afterAll(async () => {
    await scanning.stop();
    large.remove();
  });
  /** A scan that was not interrupted has a line in the log. */
  const scanned = (): boolean => daemonLog(large).includes('Scanned ');

  it('R4 R22 is not waited for by a new token, nor by the end', async () => {
    mkdirSync(join(large.credentialDirectory, 'newcomer'), { mode: 0o700 });
    writeFileSync(join(large.credentialDirectory, 'newcomer', 'scitokens.top'), 'x', {
      mode: 0o600,
    });
    scanning.signal('SIGHUP');
    await waitUntil(
      () => existsSync(join(large.credentialDirectory, 'newcomer', 'scitokens.use')),
      {
        what: 'the new token',
        every: 0.001,
      },
    );
    expect(scanned()).toBe(false);
    scanning.signal('SIGTERM');
    expect(await scanning.exited).toEqual({ code: 0, signal: null });
    expect(scanned()).toBe(false);
  });
});

describe('SIGHUP', () => {
  let own: Workspace;
  beforeAll(() => {
    own = createWorkspace();
    own.configure({ OAUTH2_CREDMON_PROVIDER_NAMES: 'none' });
  });
  afterAll(() => own.remove());

  it('R22 does not kill a daemon that ends: the exit code is 0', async () => {
    const child = startDaemon(own);
    await waitUntil(() => existsSync(join(own.credentialDirectory, 'pid')), { what: 'the start' });
    child.signal('SIGTERM');
    await waitUntil(
      () => {
        child.signal('SIGHUP');
        return child.exit !== undefined;
      },
      { what: 'the end', every: 0.001 },
    );
    expect(child.exit).toEqual({ code: 0, signal: null });
  });

  it('R4 that comes while the daemon starts is followed by a reload', async () => {
    const child = startDaemon(own);
    // Before its code runs, the system's default action ends every process.
    await waitUntil(() => daemonLog(own).split('starting up').length === 3, {
      what: 'the start',
      every: 0.001,
    });
    own.configure({ OAUTH2_CREDMON_PROVIDER_NAMES: 'none, other' });
    child.signal('SIGHUP');
    await waitUntil(() => daemonLog(own).includes('Configuration read again'), {
      what: 'a reload',
    });
    expect(child.exit).toBeUndefined();
    await child.stop();
  });
});
