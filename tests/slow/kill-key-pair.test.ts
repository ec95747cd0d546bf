// A daemon that is killed while it makes its first key pair: the next start signs, and
// the pair is one pair.
import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crashEnvironment, readTrace } from '@credmon/test-fixtures/processes/crash-point';
import { startExecutable, type Exit } from '@credmon/test-fixtures/processes/processes';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root, runOnce } from './daemon-runs.ts';

let workspace: Workspace;
let keys: string;
beforeEach(() => {
  workspace = fresh();
});
afterEach(() => workspace.remove());

/**
 * A site that signs tokens of `scitokens` here and has no key yet; alice waits for a
 * token.
 */
function fresh(): Workspace {
  const made = createWorkspace();
  keys = join(made.root, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  made.configure({
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
    LOCAL_CREDMON_ISSUER: 'https://ap.example',
    LOCAL_CREDMON_AUTHZ_TEMPLATE: 'read:/',
    LOCAL_CREDMON_PRIVATE_KEY: join(keys, 'priv.pem'),
    LOCAL_CREDMON_PUBLIC_KEY: join(keys, 'pub.pem'),
  });
  const home = join(made.credentialDirectory, 'alice');
  mkdirSync(home, { mode: 0o700 });
  writeFileSync(join(home, 'scitokens.top'), 'alice@ap.example', { mode: 0o600 });
  return made;
}

const use = (): string => join(workspace.credentialDirectory, 'alice/scitokens.use');
const key = (name: string): KeyObject => createPublicKey(readFileSync(join(keys, name)));

async function signsAfter(): Promise<void> {
  const next = await runOnce(workspace);
  expect([next.exit?.code, existsSync(use())]).toEqual([0, true]);
  expect(key('priv.pem').equals(key('pub.pem'))).toBe(true);
  expect(readdirSync(keys).sort()).toEqual(['priv.pem', 'pub.pem']);
}

it('R20 killed before any change of the key directory, it has a whole key pair and signs after the next start', async () => {
  const trace = join(workspace.root, 'trace');
  await runOnce(workspace, crashEnvironment(root, keys, trace, {}));
  const steps = readTrace(trace);
  expect(steps).toEqual([
    ...['open', 'write', 'fchmod', 'fsync', 'close'].map((step) => `${step} .priv.pem.tmp`),
    'rename priv.pem',
    ...['open', 'write', 'fchmod', 'fsync', 'close'].map((step) => `${step} .pub.pem.tmp`),
    'rename pub.pem',
  ]);
  for (let at = 1; at <= steps.length; at += 1) {
    workspace.remove();
    workspace = fresh();
    const killed = await runOnce(
      workspace,
      crashEnvironment(root, keys, join(workspace.root, 'trace'), { at }),
    );
    expect(killed.exit, `killed at ${steps[at - 1]}`).toEqual({ code: null, signal: 'SIGKILL' });
    await signsAfter();
  }
});

it('R20 the private key that an earlier version left in a temporary file, beside its public half, is put in place', async () => {
  await signsAfter();
  const before = readFileSync(join(keys, 'priv.pem'), 'utf8');
  renameSync(join(keys, 'priv.pem'), join(keys, '.priv.pem.4194303.2.credmon-tmp'));
  await signsAfter();
  expect(readFileSync(join(keys, 'priv.pem'), 'utf8')).toBe(before);
});

it('R32 killed before any change of a key directory, keys rotate and keys publish complete it', async () => {
  const directory = join(keys, 'rotating');
  const trace = join(workspace.root, 'trace');
  const environment = (at?: number) => ({
    ...workspace.environment,
    ...crashEnvironment(root, directory, trace, at === undefined ? {} : { at }),
  });
  const run = async (words: string, at?: number): Promise<Exit> => {
    rmSync(trace, { force: true });
    return startExecutable(root, 'condor_credmon', words.split(' '), environment(at)).exited;
  };
  const commands = ['keys rotate', 'keys publish', 'keys rotate'];
  /** Where a file is half written, and where it is whole but not in place. */
  const points: number[][] = [];
  const begin = (): void => {
    rmSync(directory, { recursive: true, force: true });
    workspace.configure({ CREDMON_LOCAL_KEY_DIRECTORY: directory });
  };
  begin();
  const seen = new Set<string>();
  for (const command of commands) {
    expect(await run(command)).toEqual({ code: 0, signal: null });
    const steps = readTrace(trace).map((step) => step.replace(/[\w-]{43}/, 'KEY'));
    points.push(steps.flatMap((step, at) => (isWorthAKill(step, seen) ? [at + 1] : [])));
  }
  expect([...seen]).toEqual(
    expect.arrayContaining([
      'fchmod .KEY.pem.tmp',
      'rename KEY.pem',
      'rename keys.json',
      'rename jwks.json',
    ]),
  );
  for (const [index, places] of points.entries()) {
    for (const at of places) {
      begin();
      for (const command of commands.slice(0, index)) await run(command);
      expect(await run(commands[index] ?? '', at)).toEqual({ code: null, signal: 'SIGKILL' });
      for (const command of commands) expect(await run(command)).toEqual({ code: 0, signal: null });
      expect(readdirSync(directory).filter((name) => /tmp|lock/.test(name))).toEqual([]);
      expect(readFileSync(join(directory, 'keys.json'), 'utf8')).toContain('"active"');
    }
  }
});

/**
 * The first time that a file is half written, and that it is whole but not in place: the
 * others are alike.
 */
function isWorthAKill(step: string, seen: Set<string>): boolean {
  if (!/^(fchmod|rename) /.test(step) || step.includes('lock') || seen.has(step)) return false;
  seen.add(step);
  return true;
}
