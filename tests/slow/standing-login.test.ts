// The life of a standing token that begins with a device login: the built command on a
// terminal, a real issuer, and the running daemon.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { answerDevicePage } from '@credmon/test-fixtures/servers/device-page';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import {
  executablePath,
  startExecutable,
  startProcess,
  type Child,
} from '@credmon/test-fixtures/processes/processes';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';
import { revokeAt } from './provider-life.ts';
import { configureStanding, labClient, type StandingPlace } from './standing-logins.ts';

let issuer: Issuer;
let workspace: Workspace;
let place: StandingPlace;
let daemon: Child;
beforeAll(async () => {
  issuer = await startIssuer({ clients: [labClient], accessTokenTtl: 600 });
  workspace = createWorkspace();
  place = configureStanding(workspace, issuer);
  daemon = startDaemon(workspace);
});
afterAll(async () => {
  await daemon.stop();
  await issuer.close();
  workspace.remove();
});

const text = (): string => readFileSync(place.file, 'utf8');
const logged = (line: string | RegExp): Promise<unknown> =>
  waitUntil(() => daemonLog(workspace).search(line) >= 0, { what: `the log line ${line}` });
const another = (than: string): Promise<unknown> =>
  waitUntil(() => text() !== than, { what: 'another token' });

/** The command on a terminal of its own. */
function login(): Child {
  const program = executablePath(root, 'condor_credmon');
  const words = [process.execPath, program, 'standing', 'login', 'ce1'];
  const line = words.map((word) => `'${word}'`).join(' ');
  return startProcess('script', ['-qefc', line, '/dev/null'], workspace.environment);
}

/** Logs in, and returns what the terminal showed. */
async function logIn(): Promise<string> {
  const child = login();
  const [, page = ''] = await child.printed(/^ +(http:\S+user_code=\S+)/m);
  await answerDevicePage(page, 'login', 'pilot');
  expect({ exit: await child.exited, output: child.output }).toMatchObject({
    exit: { code: 0, signal: null },
  });
  return child.output;
}

async function command(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = startExecutable(root, 'condor_credmon', args, workspace.environment);
  const { code } = await child.exited;
  return { code, output: child.output };
}

describe('a standing token from a device login', () => {
  it('before a login: log, status and check name the command', async () => {
    await logged(
      '(standing)/ce1: cannot be renewed: no login was made yet; fix: run this as root: condor_credmon standing login ce1'.replaceAll(
        /[()]/g,
        '.',
      ),
    );
    const status = await command('status');
    expect([status.code, status.output]).toEqual([
      1,
      expect.stringContaining('condor_credmon standing login ce1') as unknown,
    ]);
    const check = await command('check');
    expect([check.code, check.output]).toEqual([
      1,
      expect.stringMatching(/no login was made yet\s+fix: run this as root/) as unknown,
    ]);
    expect(check.output).not.toMatch(/lab, a provider of another kind/);
  });

  it('login: the daemon writes the token at once, and no secret is shown', async () => {
    const output = await logIn();
    expect(output).toMatch(
      /Stored the login for ce1\.\r?\nThe token is in \S+ce1, valid for 5\d\d s\./,
    );
    expect(await verifyToken(issuer, text().trim())).toMatchObject({
      sub: 'pilot',
      scope: 'compute.read',
    });
    expect(statSync(join(place.folder, 'ce1.top')).mode & 0o7777).toBe(0o400);
    const top = readJson(join(place.folder, 'ce1.top'));
    const secrets = {
      refresh: String(top['refresh_token']),
      access: text().trim(),
      client: labClient.clientSecret,
    };
    expect(findSecrets(secrets, { output, log: daemonLog(workspace) })).toEqual([]);
    expect((await command('status')).code).toBe(0);
  });

  it('R11 renewal and rotation: again and again, and no refresh token is sent twice', async () => {
    issuer.setAccessTokenTtl(2);
    const first = text();
    workspace.configure({ CREDMON_STANDING_ce1_FORMAT: 'json' });
    daemon.signal('SIGHUP');
    await another(first);
    workspace.configure({ CREDMON_STANDING_ce1_FORMAT: 'jwt' });
    daemon.signal('SIGHUP');
    await waitUntil(() => text().startsWith('ey'), { what: 'the format' });
    const second = text();
    await another(second);
    issuer.setAccessTokenTtl(600);
    await waitUntil(() => issuer.log.successes('refresh_token').length >= 4, { what: 'renewals' });
    expect([issuer.log.reuses(), issuer.log.presentedTwice()]).toEqual([[], []]);
  });

  it('outage and restart: the old token stays, and the stored refresh token is used', async () => {
    await issuer.setFault('refused');
    workspace.configure({ CREDMON_STANDING_ce1_MODE: '0400' });
    daemon.signal('SIGHUP');
    await logged(/the old token|there is no valid token/);
    await daemon.stop();
    await issuer.setFault();
    daemon = startDaemon(workspace);
    await waitUntil(() => (statSync(place.file).mode & 0o777) === 0o400, { what: 'the mode' });
    expect([issuer.log.reuses(), issuer.log.presentedTwice()]).toEqual([[], []]);
  });

  it('R17 dead grant: the old token stays, log, status and list name the command, and a login ends it', async () => {
    const before = text();
    const top = readJson(join(place.folder, 'ce1.top'));
    await revokeAt(issuer, labClient, String(top['refresh_token']));
    workspace.configure({ CREDMON_STANDING_ce1_MODE: '0600' });
    daemon.signal('SIGHUP');
    await logged(/not tried again: fix: run this as root: condor_credmon standing login ce1/);
    expect(text()).toBe(before);
    const list = await command('standing', 'list');
    expect(list.code).toBe(1);
    expect(list.output).toContain('GRANT_REVOKED');
    expect(list.output).toContain('fix: run this as root: condor_credmon standing login ce1');
    await logIn();
    expect(text()).not.toBe(before);
    expect(await command('standing', 'list')).toMatchObject({ code: 0 });
  });
});
