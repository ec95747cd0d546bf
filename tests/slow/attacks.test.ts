// The owner of a user's directory races against a daemon that is root: nothing outside
// the directory is read, written or sent.
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken } from '@credmon/test-fixtures/files/seed-token';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';

const NOBODY = 65_534;
const RACERS = 3;
const SECONDS = Number(process.env['CREDMON_ATTACK_SECONDS'] ?? 10);
const CANARY = 'canary-of-root-that-nobody-may-see';

let issuer: Issuer;
let workspace: Workspace;
let daemon: Child | undefined;
let racers: ChildProcess[];

beforeEach(async () => {
  racers = [];
  issuer = await startIssuer({ accessTokenTtl: 20 });
  workspace = createWorkspace({ knobs: { CREDMON_FIRST_RETRY: 1 } });
});
afterEach(async () => {
  for (const racer of racers) if (racer.exitCode === null) racer.kill('SIGKILL');
  await daemon?.stop();
  daemon = undefined;
  await issuer.close();
  workspace.remove();
});

/**
 * Name, mode, owner, time and content of every file in `directory`: what changes when
 * root writes there.
 */
function everythingIn(directory: string): unknown[] {
  return readdirSync(directory).map((name) => {
    const path = join(directory, name);
    const { mode, uid, gid, nlink, mtimeMs } = lstatSync(path);
    return [name, mode, uid, gid, nlink, mtimeMs, readFileSync(path, 'utf8')];
  });
}

/** Starts a racer as nobody, in the directory: it may not go through the ones above. */
function race(home: string, pid: number, outside: readonly string[]): ChildProcess {
  const script = join(workspace.root, 'racer.mjs');
  return spawn(process.execPath, [script, String(SECONDS), String(pid), ...outside], {
    cwd: home,
    uid: NOBODY,
    gid: NOBODY,
    stdio: 'ignore',
  });
}

describe.skipIf(process.getuid?.() !== 0)('R3 R21 R43 a user who owns a directory', () => {
  it('gets nothing of root by links and planted files, and the tokens of others are renewed meanwhile', async () => {
    const service = await workspace.addService('mytok', issuer);
    const mallory = await seedToken(workspace, service, 'mallory', 'mytok', { age: 15 });
    const home = join(workspace.credentialDirectory, 'mallory');
    for (const name of readdirSync(home)) chownSync(join(home, name), NOBODY, NOBODY);
    chownSync(home, NOBODY, NOBODY);
    chmodSync(workspace.root, 0o711);
    copyFileSync(
      join(root, 'test-fixtures/src/programs/racer.mjs'),
      join(workspace.root, 'racer.mjs'),
    );
    const secrets = join(workspace.root, 'outside');
    mkdirSync(secrets, { mode: 0o700 });
    const secret = join(secrets, 'secret');
    writeFileSync(secret, JSON.stringify({ refresh_token: CANARY, access_token: CANARY }), {
      mode: 0o600,
    });
    const outside = [secret, join(secrets, 'made'), '/etc/shadow', '/dev/zero', '/proc/kmsg'];
    const before = everythingIn(secrets);
    const shadow = lstatSync('/etc/shadow');
    const others = ['alice', 'bob'];
    const tokens = await Promise.all(
      others.map((user) => seedToken(workspace, service, user, 'mytok', { age: 15 })),
    );

    daemon = startDaemon(workspace);
    await waitUntil(() => daemonLog(workspace).includes('Successfully renewed'), {
      what: 'a pass',
    });
    racers = Array.from({ length: RACERS }, () => race(home, daemon?.pid ?? 0, outside));
    const ended = Promise.all(racers.map((racer) => once(racer, 'exit')));
    const signals = setInterval(() => daemon?.signal('SIGHUP'), 150);
    const counts = (): number[] =>
      tokens.map(({ refreshToken }) => issuer.log.chain(tokenId(refreshToken)).length);
    const started = counts();
    expect((await ended).map(([code]) => code as unknown)).toEqual(racers.map(() => 0));
    await waitUntil(() => counts().every((count, n) => count > (started[n] ?? 0)), {
      what: "a renewal of every other user's token",
    });
    clearInterval(signals);
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });

    expect(everythingIn(secrets)).toEqual(before);
    expect(lstatSync('/etc/shadow').mtimeMs).toBe(shadow.mtimeMs);
    expect(issuer.log.requests.filter(({ presented }) => presented === tokenId(CANARY))).toEqual(
      [],
    );
    const hash = /^root:([^:]+):/m.exec(readFileSync('/etc/shadow', 'utf8'))?.[1] ?? '';
    const texts = [daemonLog(workspace), daemon.output, ...plainFiles(home)];
    const seen = [CANARY, ...(hash.length > 8 ? [hash] : [])].filter((text) =>
      texts.some((t) => t.includes(text)),
    );
    expect(seen).toEqual([]);
    expect(
      others.map((user) => readdirSync(join(workspace.credentialDirectory, user)).length),
    ).toEqual([3, 3]);
    for (const { path } of tokens) expect(readJson(path('use'))).toHaveProperty('access_token');
    expect(mallory.refreshToken).not.toBe('');
  });
});

/** The texts of the files in `directory`, not of what links lead to. */
function plainFiles(directory: string): string[] {
  return readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => lstatSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8'));
}
