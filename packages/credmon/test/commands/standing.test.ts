// `standing login` at a real issuer: a public and a confidential client, what is stored,
// what is refused, and that no secret is shown; `standing list`.
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@credmon/core/base';
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { answerDevicePage } from '@credmon/test-fixtures/servers/device-page';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/command-line/arguments.ts';
import { exitCodeOf } from '../../src/command-line/exit-codes.ts';
import { runStandingList, runStandingLogin } from '../../src/commands/standing.ts';

const SECRET = 'CANARY-device-secret';
const client = { redirectUris: ['https://ap.example/return'] };
let issuer: Issuer;
let workspace: Workspace;
beforeAll(async () => {
  issuer = await startIssuer({
    clients: [
      { ...client, clientId: 'public', clientSecret: '', authentication: 'none' },
      { ...client, clientId: 'private', clientSecret: SECRET },
    ],
  });
});
afterAll(() => issuer.close());
beforeEach(() => {
  workspace = createWorkspace();
  workspace.configure({
    lab_CLIENT_ID: 'public',
    CREDMON_lab_ISSUER: issuer.url,
    CREDMON_STANDING_TOKENS: 'ce_1, ours',
    CREDMON_STANDING_ce_1_PROVIDER: 'lab',
    CREDMON_STANDING_ce_1_PATH: join(workspace.root, 'ce_1'),
    CREDMON_STANDING_ce_1_SCOPE: 'read',
    CREDMON_STANDING_ours_PROVIDER: 'frontend',
    CREDMON_STANDING_ours_PATH: join(workspace.root, 'ours'),
    CREDMON_STANDING_ours_SUBJECT: 'a',
    CREDMON_STANDING_ours_SCOPE: 'read:/',
    CREDMON_STANDING_ours_AUDIENCE: 'a',
    LOCAL_CREDMON_frontend_ISSUER: 'https://frontend.example',
  });
});
afterEach(() => workspace.remove());

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly prompt: string;
}

/** Runs the command; the person answers the page that the terminal shows. */
async function login(
  press: 'login' | 'cancel' | 'no terminal' = 'login',
  name = 'ce_1',
): Promise<Ran> {
  const said = { out: '', err: '', prompt: '' };
  const answers: Promise<unknown>[] = [];
  const print = (text: string): void => {
    said.prompt += `${text}\n`;
    const page = /^ +(http:\S+user_code=\S+)/m.exec(text)?.[1];
    if (page !== undefined && press !== 'no terminal')
      answers.push(answerDevicePage(page, press, 'pilot'));
  };
  const output = {
    stdout: (text: string): void => void (said.out += `${text}\n`),
    stderr: (text: string): void => void (said.err += `${text}\n`),
    terminal: press === 'no terminal' ? undefined : { descriptor: 1, print },
    unicode: false,
  };
  // No time passes but that of the person.
  const clock = {
    now: () => Date.now() / 1000,
    steady: () => 0,
    wait: async () => void (await Promise.all(answers)),
  };
  try {
    const command = await parseArguments(['standing', 'login', name], '1');
    if (command.kind !== 'standing-login') throw new Error(`not a login: ${command.kind}`);
    const code = await runStandingLogin(command, workspace.environment, output, clock);
    return { code, ...said };
  } catch (error) {
    return { code: exitCodeOf(error, false), ...said, err: said.err + messageOf(error) };
  }
}

const folder = (): string => join(workspace.credentialDirectory, '.credmon-standing/standing');
const top = (): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder(), 'ce_1.top'), 'utf8')) as Record<string, unknown>;
const log = (): string => readFileSync(join(workspace.logDirectory, 'CredMonOAuthLog'), 'utf8');

describe('standing login', () => {
  it.each([
    ['a public client', {}],
    ['a confidential client', { lab_CLIENT_ID: 'private', secret: SECRET }],
  ] as const)('stores the refresh token of %s, private, and shows no secret', async (_, change) => {
    const { secret, ...knobs } = { secret: undefined, ...change };
    workspace.configure({
      ...knobs,
      ...(secret === undefined
        ? {}
        : { lab_CLIENT_SECRET_FILE: workspace.secretFile('lab', `${secret}\n`) }),
    });
    const { code, out, err, prompt } = await login();
    expect([code, err]).toEqual([0, '']);
    expect(prompt).toMatch(
      /^To let condor_credmon keep the standing token ce_1, open this page on any device and log in:/,
    );
    expect(out).toBe(
      `Stored the login for ce_1.\nNo condor_credmon is running: it writes ${join(workspace.root, 'ce_1')} when it starts.\n`,
    );
    expect(top()).toEqual({
      refresh_token: expect.any(String) as unknown,
      scopes: 'read',
      standing: {
        provider: 'lab',
        client_id: secret === undefined ? 'public' : 'private',
        issuer: issuer.url,
        signed_in_at: expect.any(Number) as unknown,
      },
    });
    expect(readdirSync(folder())).toEqual(['ce_1.top']);
    expect(statSync(join(folder(), 'ce_1.top')).mode & 0o7777).toBe(0o400);
    expect(statSync(folder()).mode & 0o7777).toBe(0o700);
    const line = `Audit: stored a login for the standing token ce_1 (provider lab) as user id ${process.getuid?.()} asked`;
    expect(log()).toContain(line);
    const secrets = { refresh: String(top()['refresh_token']), client: SECRET };
    expect(findSecrets(secrets, { out, prompt, log: log() })).toEqual([]);
  });

  it('asks for the scopes and the audience of the token and for EXTRA_SCOPES, and stores the subject of the ID token', async () => {
    workspace.configure({
      CREDMON_lab_EXTRA_SCOPES: 'openid offline_access',
      CREDMON_STANDING_ce_1_AUDIENCE: 'https://ce.example',
    });
    expect(await login()).toMatchObject({ code: 0, err: '' });
    expect(top()).toMatchObject({
      scopes: 'read',
      audience: 'https://ce.example',
      standing: { subject: 'pilot' },
    });
  });

  it('replaces an earlier login', async () => {
    await login();
    const first = top()['refresh_token'];
    writeFileSync(join(folder(), '.ce_1.renewal'), '{}');
    await login();
    expect([top()['refresh_token'] === first, readdirSync(folder())]).toEqual([
      false,
      ['ce_1.top'],
    ]);
  });

  it('that is declined stores nothing', async () => {
    expect(await login('cancel')).toMatchObject({
      code: 1,
      err: 'login for lab declined by the user',
    });
    expect(existsSync(folder())).toBe(false);
  });

  it('of another account than CREDMON_STANDING_<TOKEN>_SUBJECT stores nothing', async () => {
    workspace.configure({ CREDMON_STANDING_ce_1_SUBJECT: 'somebody-else' });
    expect(await login()).toMatchObject({
      code: 1,
      err: 'subject mismatch: CREDMON_STANDING_ce_1_SUBJECT is somebody-else, the token has another one; nothing was stored',
    });
    expect(existsSync(folder())).toBe(false);
  });

  it('needs a terminal', async () => {
    expect(await login('no terminal')).toMatchObject({
      code: 1,
      err: 'ce_1 needs a login, and there is no terminal to show it on; run this on a terminal',
    });
  });

  it.each([
    ['ours', 'ours needs no login: it is signed here'],
    ['other', 'other is not listed in CREDMON_STANDING_TOKENS; standing tokens with a login: ce_1'],
  ])('of %s is misuse', async (name, err) => {
    expect(await login('login', name)).toMatchObject({ code: 2, err, prompt: '' });
  });

  it('does not write into a directory that others may read', async () => {
    mkdirSync(join(folder(), '..'), { mode: 0o755 });
    expect(await login()).toMatchObject({
      code: 1,
      err: `${join(folder(), '..')} must belong to the user of the daemon with mode 0700`,
    });
  });
});

describe('standing list', () => {
  async function list(...argv: string[]): Promise<Omit<Ran, 'prompt'>> {
    const said = { out: '', err: '' };
    const command = await parseArguments(['standing', 'list', ...argv], '1');
    if (command.kind !== 'standing-list') throw new Error(`not a list: ${command.kind}`);
    const code = await runStandingList(command, workspace.environment, {
      stdout: (text) => void (said.out += `${text}\n`),
      stderr: (text) => void (said.err += `${text}\n`),
    });
    return { code, ...said };
  }

  it('shows each token with its source, and the next step', async () => {
    const { code, out, err } = await list();
    expect([code, out.replaceAll(workspace.root, 'R')]).toEqual([
      1,
      'NAME  PROVIDER  SOURCE  STATE    PATH\nce_1  lab       login   EXPIRED  R/ce_1\nours  frontend  signed  EXPIRED  R/ours\n',
    ]);
    expect(err).toContain(
      '(standing)/ce_1 is unusable (CRED_FILE_INVALID): no login was made yet; fix: run this as root: condor_credmon standing login ce_1',
    );
  });

  it('is JSON with --json', async () => {
    const { out } = await list('--json');
    expect((JSON.parse(out) as { tokens: unknown[] }).tokens[0]).toEqual({
      name: 'ce_1',
      provider: 'lab',
      source: 'login',
      path: join(workspace.root, 'ce_1'),
      state: 'unrenewable',
      expired: true,
      expires_at: null,
      last_error: { code: 'CRED_FILE_INVALID', message: 'no login was made yet', at: 0 },
    });
  });
});
