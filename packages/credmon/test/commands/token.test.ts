// `token`: what is issued by which rules, to whom, where it goes, and the line in the log.
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { isRecord, jwtClaims, messageOf } from '@credmon/core/base';
import { createKey, writeKey } from '@credmon/scitokens';
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/command-line/arguments.ts';
import { exitCodeOf } from '../../src/command-line/exit-codes.ts';
import { runTokenCommand, type Caller } from '../../src/commands/token.ts';

const SECRET = 'CANARY-client-secret';
const client = {
  clientId: 'pilots',
  clientSecret: SECRET,
  redirectUris: [],
  grants: ['client_credentials'],
} as const;
let issuer: Issuer;
let workspace: Workspace;
beforeAll(async () => {
  issuer = await startIssuer({ clients: [client], accessTokenTtl: 600 });
});
afterAll(() => issuer.close());
beforeEach(() => {
  workspace = createWorkspace();
  const key = createKey({ algorithm: 'ES256' });
  const pem = writeKey({ key: key.privateKey, kid: 'local', algorithm: 'ES256' }, 'pem-private');
  workspace.configure({
    LOCAL_CREDMON_frontend_ISSUER: 'https://frontend.example/vo',
    LOCAL_CREDMON_frontend_TOKEN_VERSION: 'wlcg',
    LOCAL_CREDMON_frontend_AUTHZ_TEMPLATE: 'storage.read:/{username} compute.read',
    LOCAL_CREDMON_frontend_TOKEN_LIFETIME: '1200',
    LOCAL_CREDMON_PRIVATE_KEY: workspace.secretFile('key', pem),
    CREDMON_TOKEN_ALLOW: 'compute.create',
    CREDMON_RUN_DIR: join(workspace.root, 'run'),
    CLIENT_CREDMON_lab_CLIENT_ID: 'pilots',
    CLIENT_CREDMON_lab_CLIENT_SECRET_FILE: workspace.secretFile('lab', `${SECRET}\n`),
    CLIENT_CREDMON_lab_ISSUER: issuer.url,
    CLIENT_CREDMON_lab_AUTHZ_TEMPLATE: 'compute.read',
    CLIENT_CREDMON_lab_RESOURCE: 'https://data.example',
    web_CLIENT_ID: 'x',
    web_TOKEN_URL: issuer.tokenUrl,
  });
});
afterEach(() => workspace.remove());

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
interface RunOptions {
  readonly caller?: Caller;
  readonly isTerminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}
const ROOT: Caller = { uid: 0, euid: 0 };

async function run(
  argv: readonly string[],
  { caller = ROOT, isTerminal = false, env = {} }: RunOptions = {},
): Promise<Ran> {
  const said = { out: '', err: '' };
  const output = {
    stdout: (text: string): void => void (said.out += `${text}\n`),
    stderr: (text: string): void => void (said.err += `${text}\n`),
    isTerminal,
    caller,
  };
  try {
    const command = await parseArguments(['token', ...argv], '1');
    if (command.kind !== 'token') throw new Error(`not a token: ${command.kind}`);
    return {
      code: await runTokenCommand(command, { ...workspace.environment, ...env }, output),
      ...said,
    };
  } catch (error) {
    return { code: exitCodeOf(error, false), ...said, err: said.err + messageOf(error) };
  }
}

const logPath = (): string => join(workspace.logDirectory, 'CredMonOAuthLog');
const log = (): string => (existsSync(logPath()) ? readFileSync(logPath(), 'utf8') : '');
const audits = (): readonly string[] => log().match(/Audit: .*/g) ?? [];
const file = (): string => join(workspace.root, 'ce1.token');
const asUser = `user id ${process.getuid?.()}`;
const FRONTEND = ['frontend', '--subject', 'pilot', '--audience', 'ce1.example:9619'];

describe('a token of a local issuer', () => {
  it('is signed for the subject, with the scopes and the lifetime of the provider, into a private file', async () => {
    const { code, out, err } = await run([...FRONTEND, '--output', file()], { isTerminal: true });
    expect([code, out, err]).toEqual([0, `Wrote ${file()}, valid for 1200 s.\n`, '']);
    const token = readFileSync(file(), 'utf8');
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(statSync(file()).mode & 0o7777).toBe(0o600);
    const claims = jwtClaims(token.trim());
    expect(claims).toMatchObject({
      iss: 'https://frontend.example/vo',
      sub: 'pilot',
      aud: 'ce1.example:9619',
      scope: 'storage.read:/pilot compute.read',
      'wlcg.ver': '1.0',
    });
    expect(Number(claims?.['exp']) - Number(claims?.['iat'])).toBe(1200);
    expect(audits()).toEqual([
      `Audit: signed a token of frontend as ${asUser} asked: subject pilot, audience ce1.example:9619, scopes "storage.read:/pilot compute.read", lifetime 1200 s, jti ${String(claims?.['jti'])}; to ${file()}`,
    ]);
    expect(findSecrets({ token: token.trim() }, { out, log: log() })).toEqual([]);
  });

  it('has fewer scopes, a shorter lifetime and several audiences if they are asked for', async () => {
    const { code, out } = await run([
      ...FRONTEND,
      '--audience',
      'ce2.example',
      '--scope',
      'storage.read:/pilot/x',
      '--scope',
      'compute.create',
      '--lifetime',
      '60',
    ]);
    expect(code).toBe(0);
    const claims = jwtClaims(out.trim());
    expect(claims).toMatchObject({
      aud: ['ce1.example:9619', 'ce2.example'],
      scope: 'storage.read:/pilot/x compute.create',
    });
    expect(Number(claims?.['exp']) - Number(claims?.['iat'])).toBe(60);
  });

  it('may be of the shared issuer, and of a provider that a list names', async () => {
    workspace.configure({
      LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
      LOCAL_CREDMON_ISSUER: 'https://ap.example',
    });
    const { out } = await run(['scitokens', '--subject', 'alice', '--audience', 'a']);
    expect(jwtClaims(out.trim())).toMatchObject({ iss: 'https://ap.example', sub: 'alice' });
  });

  it.each<[string, readonly string[], number, RegExp]>([
    [
      'other scopes',
      [...FRONTEND, '--scope', 'storage.modify:/'],
      1,
      /do not give the scopes storage\.modify:\/ for pilot; to allow them, set CREDMON_frontend_TOKEN_ALLOW = compute\.create storage/,
    ],
    [
      'the scopes of another user',
      [...FRONTEND, '--scope', 'storage.read:/bob'],
      1,
      /do not give the scopes storage\.read:\/bob for pilot/,
    ],
    [
      'a longer lifetime',
      [...FRONTEND, '--lifetime', '1201'],
      2,
      /--lifetime is 1201 s; it must be from 1 to 1200 \(LOCAL_CREDMON_frontend_TOKEN_LIFETIME\)/,
    ],
    ['no lifetime', [...FRONTEND, '--lifetime', '0'], 2, /--lifetime is 0 s/],
    ['no subject', ['frontend', '--audience', 'a'], 2, /^name the subject with --subject/],
    [
      'no audience',
      ['frontend', '--subject', 'a'],
      2,
      /^name the audience with --audience: frontend has none/,
    ],
    [
      'a subject that changes a path',
      ['frontend', '--subject', '../x', '--audience', 'a'],
      2,
      /"\.\.\/x" is not a valid subject/,
    ],
    [
      'a misspelt provider',
      ['frontnd', '--subject', 'a'],
      2,
      /"frontnd" cannot issue single tokens: did you mean frontend\?/,
    ],
    [
      'an unknown provider',
      ['other'],
      2,
      /"other" cannot issue single tokens: set LOCAL_CREDMON_other_ISSUER to sign, or CLIENT_CREDMON_other_CLIENT_ID to fetch/,
    ],
    ['a login provider', ['web'], 2, /"web" cannot issue single tokens: it is a login provider/],
    [
      'a file in the credential directory',
      [...FRONTEND, '--output', 'CREDS/x'],
      2,
      /is in the credential directory/,
    ],
  ])('is refused with %s, and nothing is logged', async (_, argv, code, text) => {
    const args = argv.map((word) => word.replace('CREDS', workspace.credentialDirectory));
    const ran = await run(args);
    expect([ran.code, ran.out]).toEqual([code, '']);
    expect(ran.err).toMatch(text);
    expect(audits()).toEqual([]);
  });

  it('is refused by the group requirement of the provider', async () => {
    workspace.configure({
      LOCAL_CREDMON_frontend_AUTHZ_GROUP_REQUIREMENT: 'pilots',
      LOCAL_CREDMON_frontend_AUTHZ_GROUP_MAPFILE: workspace.secretFile('map', '* pilot pilots\n'),
    });
    expect((await run(FRONTEND)).code).toBe(0);
    const other = await run(['frontend', '--subject', 'bob', '--audience', 'a']);
    expect([other.code, other.err]).toEqual([
      1,
      'LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT does not allow a token for bob',
    ]);
  });
});

describe('a token of a client', () => {
  it('is fetched with the scopes and the resource of the client', async () => {
    const { code, out } = await run(['lab']);
    expect(code).toBe(0);
    const claims = await verifyToken(issuer, out.trim(), 'https://data.example');
    expect(claims).toMatchObject({ scope: 'compute.read', client_id: 'pilots' });
    expect(audits()).toEqual([
      expect.stringMatching(
        new RegExp(
          `^Audit: fetched a token of lab as ${asUser} asked: subject \\S+, audience https://data.example, scopes "compute.read", lifetime 600 s, jti \\S+; to standard output$`,
        ),
      ) as unknown,
    ]);
    expect(log()).not.toContain(SECRET);
  });

  it('has an audience of its own in place of the resource, and scopes within the rules', async () => {
    const before = issuer.log.requests.length;
    const ran = await run(['lab', '--audience', 'https://ce.example', '--scope', 'compute.create']);
    expect([ran.code, ran.err]).toEqual([
      0,
      `Note: the issuer gave a token for ${issuer.url}/api, not for https://ce.example; services may reject it.\n`,
    ]);
    expect(await verifyToken(issuer, ran.out.trim())).toMatchObject({ client_id: 'pilots' });
    // What the token has, not what was asked for.
    expect(audits()[0]).toContain(`audience ${issuer.url}/api, scopes `);
    expect((await run(['lab', '--scope', 'read'])).err).toMatch(
      /^the rules of lab do not give the scopes read;/,
    );
    expect(issuer.log.requests.length).toBe(before + 1);
  });

  it.each([
    ['--lifetime', '60', 2, /decides the lifetime/],
    ['--subject', 'somebody', 1, /subject mismatch: --subject is somebody/],
  ])('with %s %s is refused', async (option, value, code, text) => {
    const ran = await run(['lab', option, value]);
    expect([ran.code, ran.out]).toEqual([code, '']);
    expect(ran.err).toMatch(text);
  });

  it('of the issuer is not given if the issuer refuses the client', async () => {
    workspace.secretFile('lab', 'wrong\n');
    const ran = await run(['lab']);
    expect([ran.code, ran.out, audits()]).toEqual([1, '', []]);
    expect(ran.err).toContain('invalid_client');
  });
});

describe('the output', () => {
  it('goes to a terminal only with --print', async () => {
    const ran = await run(FRONTEND, { isTerminal: true });
    expect([ran.code, ran.out, audits()]).toEqual([2, '', []]);
    expect(ran.err).toBe(
      'standard output is a terminal: name a file with --output, or use --print',
    );
    expect((await run([...FRONTEND, '--print'], { isTerminal: true })).out).toMatch(/^eyJ/);
    expect((await run([...FRONTEND, '--json'], { isTerminal: true })).code).toBe(2);
  });

  it('is JSON without the token if a file has it', async () => {
    const { out } = await run([...FRONTEND, '--json', '--output', file()], { isTerminal: true });
    const json: unknown = JSON.parse(out);
    const claims = jwtClaims(readFileSync(file(), 'utf8').trim());
    expect(json).toEqual({
      provider: 'frontend',
      source: 'signed',
      subject: 'pilot',
      audience: ['ce1.example:9619'],
      scopes: ['storage.read:/pilot', 'compute.read'],
      issued_at: claims?.['iat'],
      expires_at: claims?.['exp'],
      jti: claims?.['jti'],
      path: file(),
    });
  });

  it('is JSON with the token otherwise', async () => {
    const json: unknown = JSON.parse((await run([...FRONTEND, '--json'])).out);
    expect(isRecord(json) && [json['path'], String(json['access_token']).slice(0, 3)]).toEqual([
      null,
      'eyJ',
    ]);
  });

  it('replaces a file in one step, also one that others could read', async () => {
    writeFileSync(file(), 'old');
    chmodSync(file(), 0o644);
    const { ino } = statSync(file());
    await run([...FRONTEND, '--output', file()]);
    expect([statSync(file()).ino === ino, statSync(file()).mode & 0o7777]).toEqual([false, 0o600]);
  });

  it('belongs to --owner', async () => {
    const owner = userInfo().username;
    expect((await run([...FRONTEND, '--output', file(), '--owner', owner])).code).toBe(0);
    expect(statSync(file()).uid).toBe(userInfo().uid);
    const unknown = await run([...FRONTEND, '--output', file(), '--owner', 'no-such-user']);
    expect([unknown.code, unknown.err]).toEqual([
      2,
      'user no-such-user not found (or the name service is not available)',
    ]);
    expect(await run([...FRONTEND, '--owner', owner])).toMatchObject({
      code: 2,
      err: '--owner needs --output',
    });
  });

  it('that cannot be written is an error', async () => {
    const ran = await run([...FRONTEND, '--output', join(workspace.root, 'none/x')]);
    expect([ran.code, ran.out]).toEqual([1, '']);
    expect(ran.err).toMatch(/^cannot write \S+none\/x: ENOENT$/);
  });

  it('does not leave the process if it can be logged nowhere', async () => {
    mkdirSync(join(workspace.root, 'empty'));
    workspace.configure({ CREDMON_OAUTH_LOG: '/proc/none' });
    const path = process.env['PATH'];
    process.env['PATH'] = join(workspace.root, 'empty');
    const ran = await run([...FRONTEND, '--output', file()]).finally(() => {
      process.env['PATH'] = path;
    });
    expect([ran.code, ran.out, existsSync(file())]).toEqual([44, '', false]);
    expect(ran.err).toContain('the token is discarded: it cannot be logged');
  });
});

describe('who may issue a token', () => {
  it('is not a setuid program', async () => {
    for (const caller of [
      { uid: 1000, euid: 0 },
      { uid: 0, euid: 1000 },
    ])
      expect(await run(FRONTEND, { caller })).toMatchObject({
        code: 1,
        out: '',
        err: 'this program must not be installed setuid',
      });
  });

  it('is the daemon for all others than root: without one there is no token', async () => {
    const caller = { uid: 54_321, euid: 54_321 };
    const ran = await run(FRONTEND, { caller });
    expect([ran.code, ran.out, audits()]).toEqual([1, '', []]);
    expect(ran.err).toMatch(/^cannot ask for a token: /);
    // Misuse is found before the daemon is asked.
    expect((await run([...FRONTEND, '--scope', 'a"b'], { caller })).code).toBe(2);
    const long = await run([...FRONTEND, '--audience', 'a'.repeat(5000)], { caller });
    expect(long.err).toBe('the request is larger than 4096 bytes');
  });

  it.skipIf(process.getuid?.() !== 0)('is named in the log, also behind sudo', async () => {
    await run(FRONTEND, { env: { SUDO_UID: '1234' } });
    expect(audits()[0]).toContain(' as user id 0 (sudo by user id 1234) asked: ');
    await run(FRONTEND, { env: { SUDO_UID: '12\nx' } });
    expect(audits()[1]).toContain(' as user id 0 asked: ');
  });
});
