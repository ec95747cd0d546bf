// The life of tokens from a mytoken server, under one running daemon, which runs the
// executable condor_credmon_mytoken.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startMytoken, type FakeMytoken } from '@credmon/test-fixtures/servers/fake-mytoken';
import { executablePath, startProcess } from '@credmon/test-fixtures/processes/processes';
import { programFolder } from '@credmon/test-fixtures/processes/program-folder';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog, root } from './daemon-runs.ts';
import { startLife, type Life } from './provider-life.ts';

let server: FakeMytoken;
let workspace: Workspace;
let programs: string;
let life: Life;
const program = (): string => join(programs, 'condor_credmon_mytoken');
const file = (user: string): string => join(programs, 'mytokens', user);

beforeAll(async () => {
  server = await startMytoken();
  workspace = createWorkspace();
  programs = programFolder();
  // Copied as an administrator does: the bundle needs nothing beside it.
  copyFileSync(executablePath(root, 'condor_credmon_mytoken'), program());
  chmodSync(program(), 0o755);
  mkdirSync(join(programs, 'mytokens'), { mode: 0o700 });
  const command = `${process.execPath} ${program()} --server ${server.url} --allow-loopback-http --timeout 5`;
  workspace.configure({
    EXEC_CREDMON_PROVIDER_NAMES: 'own, robot',
    EXEC_CREDMON_own_COMMAND: command,
    EXEC_CREDMON_robot_COMMAND: `${command} --mytoken-file ${join(programs, 'mytokens', '{user}')}`,
  });
  life = await startLife(workspace);
});
afterAll(async () => {
  await life.daemon.stop();
  await server.close();
  workspace.remove();
  rmSync(programs, { recursive: true, force: true });
});

/** The mytoken in `.top` now. */
const stored = (token: string): string =>
  String(readJson(life.path(token, 'top'))['refresh_token']);

/** Runs the program as an administrator does. */
async function byHand(
  args: readonly string[],
  input: string,
): Promise<{ status: number | null; text: string }> {
  const words = [program(), '--server', server.url, '--allow-loopback-http', ...args];
  const child = startProcess(process.execPath, words, workspace.environment, { input });
  const { code } = await child.exited;
  return { status: code, text: child.output };
}

describe('a token of a mytoken that the user has stored', () => {
  it('issue: the access token is written, and the mytoken stays', async () => {
    const mytoken = server.issue('alice');
    life.store('alice/own', { mytoken, scopes: 'openid' });
    const use = JSON.parse(await life.changed('alice/own')) as Record<string, unknown>;
    expect(use).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'openid' });
    expect(readJson(life.path('alice/own', 'top'))).toEqual({ mytoken, scopes: 'openid' });
  });

  it('R16 renew: each new mytoken is stored and used the next time, without a reuse', async () => {
    const mytoken = server.issue('bob', { rotating: true, autoRevoke: true });
    server.setTokenTtl(2);
    life.store('bob/own', { mytoken });
    const first = await life.changed('bob/own');
    const second = await life.changed('bob/own', first);
    server.setTokenTtl(600);
    await life.changed('bob/own', second);
    await waitUntil(() => server.isUsable(stored('bob/own')), { what: 'the newest mytoken' });
    expect(server.isUsable(mytoken)).toBe(false);
  });

  it('transfer code: it is exchanged once, and its mytoken is stored', async () => {
    const mytoken = server.issue('carol');
    life.store('carol/own', { transfer_code: server.transferCode(mytoken) });
    const before = await life.changed('carol/own');
    expect(stored('carol/own')).toBe(mytoken);
    life.again('carol/own');
    expect(await life.changed('carol/own', before)).not.toBe('');
  });

  it('R9 revoke: a revoked mytoken leaves the token that jobs have, and asks for another one', async () => {
    const mytoken = server.issue('dave');
    life.store('dave/own', { mytoken });
    const before = await life.changed('dave/own');
    server.revoke(mytoken);
    life.again('dave/own');
    await life.failed('dave/own', 'GRANT_REVOKED');
    await life.logged('(the mytoken server rejects the mytoken)');
    await life.logged('condor_store_cred add-oauth -s own -i FILE');
    expect(life.use('dave/own')).toBe(before);
    life.store('dave/own', { mytoken: server.issue('dave') });
    await life.changed('dave/own', before);
  });

  it('refuse: scopes that the mytoken does not allow are no token', async () => {
    life.store('erin/own', {
      mytoken: server.issue('erin', { restrictions: [{ scope: 'compute' }] }),
      scopes: 'admin',
    });
    await life.failed('erin/own', 'GRANT_REVOKED');
    await life.logged('the restrictions of the mytoken do not allow this');
    expect(life.use('erin/own')).toBe('');
  });

  it('R2 outage: a server that does not answer is given up, and tried again', async () => {
    life.store('frank/own', { mytoken: server.issue('frank') });
    const before = await life.changed('frank/own');
    server.setFault('hang');
    life.again('frank/own');
    await life.failed('frank/own', 'ISSUER_BUSY');
    expect(life.use('frank/own')).toBe(before);
    server.setFault();
    await life.changedOnCall('frank/own', before);
  });

  it('bad answer: HTML changes nothing, and the next good answer counts', async () => {
    life.store('grace/own', { mytoken: server.issue('grace') });
    const before = await life.changed('grace/own');
    server.setFault('html');
    life.again('grace/own');
    await life.failed('grace/own', 'PLUGIN_FAILED');
    await life.logged('invalid answer of the mytoken server');
    expect(life.use('grace/own')).toBe(before);
    server.setFault();
    await life.changedOnCall('grace/own', before);
  });

  it('nothing stored: the user is asked for a mytoken', async () => {
    life.store('heidi/own', { anything: 1 });
    await life.failed('heidi/own', 'GRANT_REVOKED');
    await life.logged('no mytoken or transfer code in the credential of own');
    expect(life.use('heidi/own')).toBe('');
  });
});

describe('a token of a mytoken in a file', () => {
  it('redeem: the administrator puts the mytoken of a transfer code there', async () => {
    const mytoken = server.issue('robot', { rotating: true, autoRevoke: true });
    const code = server.transferCode(mytoken);
    const done = await byHand(['--redeem', '--mytoken-file', file('robot')], `${code}\n`);
    expect(done).toEqual({ status: 0, text: '' });
    expect(readFileSync(file('robot'), 'utf8')).toBe(`${mytoken}\n`);
    const again = await byHand(['--redeem', '--mytoken-file', file('other')], `${code}\n`);
    expect([again.status, existsSync(file('other'))]).toEqual([1, false]);
    expect(again.text).toMatch(/^condor_credmon_mytoken: the mytoken server rejects the transfer/);
  });

  it('R16 renew: a new mytoken is in the file, and not in .top', async () => {
    life.store('robot/robot', {});
    const first = await life.changed('robot/robot');
    life.again('robot/robot');
    await life.changed('robot/robot', first);
    expect(server.isUsable(readFileSync(file('robot'), 'utf8').trim())).toBe(true);
    expect(readJson(life.path('robot/robot', 'top'))).toEqual({});
  });

  it('revoke: another mytoken in the file is noticed without another .top', async () => {
    const before = life.use('robot/robot');
    server.revoke(readFileSync(file('robot'), 'utf8').trim());
    life.again('robot/robot');
    await life.failed('robot/robot', 'PLUGIN_FAILED');
    await life.logged('store another one in');
    const code = server.transferCode(server.issue('robot'));
    expect((await byHand(['--redeem', '--mytoken-file', file('robot')], code)).status).toBe(0);
    await life.changedOnCall('robot/robot', before);
  });

  it('a file that others can read is not used', async () => {
    await byHand(
      ['--redeem', '--mytoken-file', file('ivan')],
      server.transferCode(server.issue('ivan')),
    );
    chmodSync(file('ivan'), 0o644);
    life.store('ivan/robot', {});
    await life.failed('ivan/robot', 'PLUGIN_FAILED');
    await life.logged('can be read by others');
    expect(life.use('ivan/robot')).toBe('');
  });
});

it('wrong usage says what is wrong, and exits 2', async () => {
  expect(await byHand(['--bogus'], '')).toMatchObject({ status: 2 });
  expect(await byHand([], 'not a request')).toEqual({
    status: 2,
    text: expect.stringMatching(/^condor_credmon_mytoken: invalid request on standard input/),
  });
  expect(await byHand(['--help'], '')).toMatchObject({ status: 0 });
});

it('R43 after all of this no secret is in the log', () => {
  expect(daemonLog(workspace)).not.toContain('CANARY');
});
