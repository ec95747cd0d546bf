// `revoke` at a real issuer: what is sent, what goes, what stays, what is said, and that
// nothing a user stores steers a secret.
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { messageOf } from '@credmon/core/base';
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { postToken } from '@credmon/test-fixtures/browsers/http-login';
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { seedToken, writeToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { listing } from '@credmon/test-fixtures/files/token-files';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/command-line/arguments.ts';
import { runRevokeCommand, type RevokeOutput } from '../../src/commands/revoke.ts';
import { exitCodeOf } from '../../src/command-line/exit-codes.ts';

let issuer: Issuer;
let opaque: Issuer;
let workspace: Workspace;
beforeAll(async () => {
  issuer = await startIssuer({ name: 'jwt' });
  opaque = await startIssuer({ name: 'opaque', accessTokenFormat: 'opaque' });
});
afterAll(() => Promise.all([issuer.close(), opaque.close()]));
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(() => workspace.remove());

const home = (): string => join(workspace.credentialDirectory, 'alice');
const log = (): string => {
  const path = join(workspace.logDirectory, 'CredMonOAuthLog');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const run = (...argv: string[]): Promise<Ran> => runWith(undefined, ...argv);

async function runWith(person: RevokeOutput['person'], ...argv: string[]): Promise<Ran> {
  const said = { out: '', err: '' };
  const speech = {
    stdout: (text: string): void => void (said.out += `${text}\n`),
    stderr: (text: string): void => void (said.err += `${text}\n`),
    person,
  };
  try {
    const command = await parseArguments(['revoke', ...argv], '1');
    if (command.kind !== 'revoke') throw new Error(`not revoke: ${command.kind}`);
    return { code: await runRevokeCommand(command, workspace.environment, speech), ...said };
  } catch (error) {
    return { code: exitCodeOf(error, false), ...said, err: said.err + messageOf(error) };
  }
}

const refreshed = async (
  { issuer: at, clientId, clientSecret }: Service,
  token: SeededToken,
): Promise<number> =>
  (
    await postToken(at.tokenUrl, {
      client_id: clientId,
      client_secret: clientSecret,
      grant_type: 'refresh_token',
      refresh_token: token.refreshToken,
    })
  ).status;

function store(name: string, text: string): void {
  if (!existsSync(home())) mkdirSync(home(), { mode: 0o700 });
  writeToken(join(home(), name), text);
}

it('R31 output that cannot be written stops no revocation that has begun', async () => {
  workspace.configure({ LOCAL_CREDMON_PROVIDER_NAMES: 'here' });
  const service = await workspace.addService('mytok', opaque);
  await seedToken(workspace, service, 'alice');
  store('here.use', 'x');
  const before = opaque.revocations.length;
  const full = (): never => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  const command = await parseArguments(['revoke', 'alice', '--yes'], '1');
  if (command.kind !== 'revoke') throw new Error(`not revoke: ${command.kind}`);
  const speech = { stdout: full, stderr: full };
  await expect(runRevokeCommand(command, workspace.environment, speech)).rejects.toThrow('ENOSPC');
  expect([listing(home()), opaque.revocations.length - before]).toEqual([[], 2]);
  expect(log().match(/Audit: removed alice\/\w+/g)).toEqual([
    'Audit: removed alice/here',
    'Audit: removed alice/mytok',
  ]);
});

describe('revoke of a login', () => {
  it('R31 revokes refresh and access token, removes all files, and logs one line for each step', async () => {
    const service = await workspace.addService('mytok', opaque);
    const token = await seedToken(workspace, service, 'alice');
    writeFileSync(join(home(), '.mytok.renewal'), '{}');
    const { code, out, err } = await run('alice', 'mytok');
    expect([code, err]).toEqual([0, '']);
    const line = `removed alice/mytok (oauth) as user id ${process.getuid?.()} asked: mytok.use, mytok.top, mytok.meta, .mytok.renewal; refresh token revoked at ${opaque.url}; access token revoked at ${opaque.url}`;
    expect(out).toBe(`${line}\n`);
    expect(log().match(/Audit: .*/g)).toEqual([
      `Audit: revoking alice/mytok (oauth) as user id ${process.getuid?.()} asked`,
      `Audit: ${line}`,
    ]);
    expect(listing(home())).toEqual([]);
    expect(opaque.revocations.slice(-2)).toEqual([
      {
        client: 'mytok-client',
        hint: 'refresh_token',
        token: tokenId(token.refreshToken),
        status: 200,
      },
      {
        client: 'mytok-client',
        hint: 'access_token',
        token: tokenId(token.accessToken),
        status: 200,
      },
    ]);
    expect(await refreshed(service, token)).toBe(400);
  });

  it('R31 says how long an access token stays valid that its issuer cannot revoke, without a failure', async () => {
    const service = await workspace.addService('mytok', issuer);
    const token = await seedToken(workspace, service, 'alice');
    const { code, out } = await run('alice', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      directory: workspace.credentialDirectory,
      tokens: [
        {
          user: 'alice',
          service: 'mytok',
          handle: '',
          provider: 'oauth',
          state: 'removed',
          why: null,
          files: ['mytok.use', 'mytok.top', 'mytok.meta'],
          secrets: [
            { what: 'refresh token', revoked: true, where: issuer.url },
            {
              what: 'access token',
              revoked: false,
              why: expect.stringMatching(
                /^its issuer does not revoke tokens of this kind; it is valid for 3\d{3} s more$/,
              ) as string,
              fixable: false,
            },
          ],
        },
      ],
    });
    expect(await refreshed(service, token)).toBe(400);
  });

  it('R31 without a service revokes all tokens of the user and none of others, with any domain', async () => {
    const service = await workspace.addService('mytok', opaque);
    const mine = [
      await seedToken(workspace, service, 'alice'),
      await seedToken(workspace, service, 'alice', 'mytok_h1'),
    ];
    const hers = await seedToken(workspace, service, 'bob');
    const { code, out } = await run('alice@example.org');
    expect([code, out.split('\n').length]).toEqual([0, 3]);
    expect(listing(home())).toEqual([]);
    expect(await Promise.all([...mine, hers].map((token) => refreshed(service, token)))).toEqual([
      400, 400, 200,
    ]);
    expect(existsSync(hers.path('top'))).toBe(true);
  });

  it('R31 with a service revokes that stem only, and keeps files that belong to no token', async () => {
    const service = await workspace.addService('mytok', opaque);
    await seedToken(workspace, service, 'alice');
    await seedToken(workspace, service, 'alice', 'mytok_h1');
    writeFileSync(join(workspace.credentialDirectory, 'alice.mark'), '');
    store('notes.txt', 'mine');
    expect((await run('alice', 'mytok_h1')).code).toBe(0);
    expect(listing(home())).toEqual([
      'mytok.meta 400',
      'mytok.top 400',
      'mytok.use 400',
      'notes.txt 400',
    ]);
    expect(existsSync(join(workspace.credentialDirectory, 'alice.mark'))).toBe(true);
  });

  it('R12 R31 revokes the rotated refresh token that a dead daemon did not put in place', async () => {
    const service = await workspace.addService('mytok', opaque);
    const token = await seedToken(workspace, service, 'alice');
    const answer = await postToken(opaque.tokenUrl, {
      client_id: service.clientId,
      client_secret: service.clientSecret,
      grant_type: 'refresh_token',
      refresh_token: token.refreshToken,
    });
    const rotated = String(answer.answer['refresh_token']);
    // No process has this number: the kernel's largest is 2^22.
    store('.mytok.top.4194305.1.credmon-tmp', JSON.stringify({ refresh_token: rotated }));
    expect((await run('alice')).code).toBe(0);
    expect(listing(home())).toEqual([]);
    expect(opaque.revocations.at(-2)?.token).toBe(tokenId(rotated));
  });
});

it('records each revoked token in the audit log, without a secret', async () => {
  const service = await workspace.addService('mytok', opaque);
  const token = await seedToken(workspace, service, 'alice');
  const path = join(workspace.root, 'Audit');
  workspace.configure({ CREDMON_AUDIT_LOG: path });
  expect((await run('alice')).code).toBe(0);
  const text = readFileSync(path, 'utf8');
  expect(JSON.parse(text)).toMatchObject({
    subsystem: 'CREDMON_OAUTH',
    event: 'revoked',
    user: 'alice',
    service: 'mytok',
    by: `user id ${process.getuid?.()}`,
    files: ['mytok.use', 'mytok.top', 'mytok.meta'],
    secrets: [
      { what: 'refresh token', revoked: true, where: opaque.url },
      { what: 'access token', revoked: true, where: opaque.url },
    ],
  });
  expect(text).not.toContain(token.refreshToken);
});

describe('revoke --dry-run', () => {
  it('says what would be done, changes no file, sends no token and logs nothing', async () => {
    const service = await workspace.addService('mytok', opaque);
    const token = await seedToken(workspace, service, 'alice');
    writeFileSync(join(home(), '.mytok.renewal'), '{}');
    // No process has this number: the kernel's largest is 2^22.
    store('.mytok.top.4194305.1.credmon-tmp', '{"refresh_token":"r9"}');
    const before = [listing(home()), opaque.revocations.length];
    expect(await run('alice', '--dry-run')).toEqual({
      code: 0,
      out: `would remove alice/mytok (oauth): .mytok.renewal, mytok.meta, mytok.top, mytok.use; revoke its refresh token at ${opaque.url}; revoke its access token at ${opaque.url}\n`,
      err: '',
    });
    expect([listing(home()), opaque.revocations.length]).toEqual(before);
    expect(log()).toBe('');
    expect(await refreshed(service, token)).toBe(200);
  });

  it('in JSON has one row for each token, and ends as the revocation would', async () => {
    await seedToken(workspace, await workspace.addService('mytok', opaque), 'alice');
    store('other.use', 'x');
    const { code, out } = await run('alice', '--dry-run', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      directory: workspace.credentialDirectory,
      dry_run: true,
      tokens: [
        {
          user: 'alice',
          service: 'mytok',
          handle: '',
          provider: 'oauth',
          state: 'planned',
          why: null,
          files: ['mytok.meta', 'mytok.top', 'mytok.use'],
          revoked: [
            { what: 'refresh token', where: opaque.url },
            { what: 'access token', where: opaque.url },
          ],
          not_revoked: [],
        },
        {
          user: 'alice',
          service: 'other',
          handle: '',
          provider: null,
          state: 'kept',
          why: expect.stringMatching(/^no provider owns it \(/) as string,
          files: [],
          revoked: [],
          not_revoked: [],
        },
      ],
    });
    expect((await run('alice', 'other', '--dry-run')).code).toBe(1);
  });

  it('names a token that cannot be revoked, and how long it is valid', async () => {
    workspace.configure({ mytok_CLIENT_ID: 'me', mytok_TOKEN_URL: 'https://issuer.invalid/token' });
    store('mytok.top', '{"refresh_token":"r1"}');
    const now = Math.floor(Date.now() / 1000);
    const times = { issued_at: now - 50, expires_at: now + 100_000 };
    store('mytok.use', JSON.stringify({ access_token: 'a', ...times }));
    const { code, out } = await run('alice', 'mytok', '--dry-run');
    expect(code).toBe(1);
    expect(out).toMatch(
      /^would remove alice\/mytok \(oauth\): mytok.top, mytok.use; NOT revoke its refresh token: no revocation endpoint: .+; NOT revoke its access token: .+; it is valid for \d+ s more\n$/,
    );
  });
});

describe('revoke at a terminal', () => {
  const person = (answer: string | undefined, asked: string[]): RevokeOutput['person'] => ({
    line: async (question) => {
      asked.push(question);
      return answer;
    },
  });

  it.each([
    ['y', true],
    ['Yes', true],
    ['n', false],
    ['', false],
    ['yess', false],
    [undefined, false],
  ])('asks first, and %j means %s', async (answer, isGone) => {
    const service = await workspace.addService('mytok', opaque);
    await seedToken(workspace, service, 'alice');
    await seedToken(workspace, service, 'alice', 'mytok_h1');
    const asked: string[] = [];
    const { code, err } = await runWith(person(answer, asked), 'alice');
    expect(asked).toEqual(['Revoke and remove these 2 tokens of alice: mytok, mytok_h1? [y/N] ']);
    expect([code, err, listing(home()).length]).toEqual(
      isGone ? [0, '', 0] : [1, 'Nothing was revoked.\n', 6],
    );
    expect(log().includes('Audit:')).toBe(isGone);
  });

  it.each([['--yes'], ['-y'], ['--dry-run']])('does not ask with %s', async (flag) => {
    await seedToken(workspace, await workspace.addService('mytok', opaque), 'alice');
    const asked: string[] = [];
    expect((await runWith(person('n', asked), 'alice', flag)).code).toBe(0);
    expect(asked).toEqual([]);
  });
});

describe('revoke with a running daemon', () => {
  const told = 'condor_credmon may have been renewing it';

  it.each([
    ['a due token may just have been renewed', true, 0, true],
    ['a token that is not due was not', true, 100_000, false],
    ['without a daemon there is no such note', false, 0, false],
  ])('R31 %s', async (_, running, left, said) => {
    const now = Math.floor(Date.now() / 1000);
    workspace.configure({ mytok_CLIENT_ID: 'me', mytok_TOKEN_URL: 'https://issuer.invalid/token' });
    store('mytok.top', '{"refresh_token":"r1"}');
    const at = new Date(Date.now() - 60_000);
    utimesSync(join(home(), 'mytok.top'), at, at);
    store(
      'mytok.use',
      JSON.stringify({ access_token: 'a', issued_at: now - 50, expires_at: now + left }),
    );
    if (running) writeFileSync(join(workspace.credentialDirectory, 'pid'), `${process.pid}\n`);
    const { out } = await run('alice');
    expect([out.includes(told), log().includes(told)]).toEqual([said, said]);
  });
});

describe('revoke of many tokens at once', () => {
  it('R6 R31 limits concurrent requests to an issuer, and removes no file before its request may start', async () => {
    const most = { requests: 0, gone: 0 };
    let now = 0;
    let done = 0;
    const server = createServer((request, response) => {
      now += 1;
      most.requests = Math.max(most.requests, now);
      request.resume();
      request.on('end', () => {
        const left = listing(home()).filter((name) => name.includes('.top ')).length;
        most.gone = Math.max(most.gone, 40 - left - done);
        setImmediate(() => {
          now -= 1;
          done += 1;
          response.end();
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    workspace.configure({
      box_CLIENT_ID: 'me',
      box_TOKEN_URL: `${url}/token`,
      CREDMON_box_REVOCATION_URL: `${url}/revoke`,
      CREDMON_RENEWALS_PER_ISSUER: '3',
    });
    for (let n = 0; n < 40; n += 1) store(`box_h${n}.top`, `{"refresh_token":"rt${n}"}`);
    const { code, out } = await run('alice', '--json');
    server.close();
    const { tokens } = JSON.parse(out) as { tokens: { state: string }[] };
    expect([code, tokens.filter(({ state }) => state === 'revoked').length]).toEqual([0, 40]);
    expect(listing(home())).toEqual([]);
    expect(most.requests).toBeLessThanOrEqual(3);
    expect(most.gone).toBeLessThanOrEqual(3);
  });
});

describe('the servers to which revoke sends secrets', () => {
  const asked = (at: Issuer): number => at.revocations.length;

  it('R26 never to servers in .meta and .top: without a configured client the files are removed and no request is sent', async () => {
    const service = await workspace.addService('mytok', opaque);
    await seedToken(workspace, service, 'alice');
    workspace.configure({
      mytok_CLIENT_ID: '',
      mytok_TOKEN_URL: '',
      CREDMON_mytok_REVOCATION_URL: `${issuer.url}/x`,
    });
    const before = [asked(opaque), asked(issuer)];
    const { code, out } = await run('alice', 'mytok');
    expect(code).toBe(1);
    expect(out).toContain(
      'refresh token NOT revoked: mytok_CLIENT_ID and mytok_TOKEN_URL (or CREDMON_mytok_ISSUER) are not configured; access token NOT revoked',
    );
    expect(listing(home())).toEqual([]);
    expect([asked(opaque), asked(issuer)]).toEqual(before);
  });

  it('R25 not to an issuer with another identifier in its metadata', async () => {
    const service = await workspace.addService('mytok', opaque);
    await seedToken(workspace, service, 'alice');
    workspace.configure({ CREDMON_mytok_ISSUER: `${opaque.url}/` });
    const before = asked(opaque);
    const { code, out } = await run('alice', 'mytok');
    expect([code, asked(opaque)]).toEqual([1, before]);
    expect(out).toContain('issuer mismatch: configured');
    expect(listing(home())).toEqual([]);
  });

  it('R31 to CREDMON_<PROVIDER>_REVOCATION_URL if set, without a request for metadata', async () => {
    const service = await workspace.addService('mytok', opaque);
    await seedToken(workspace, service, 'alice');
    workspace.configure({
      CREDMON_mytok_ISSUER: 'https://issuer.invalid',
      CREDMON_MYTOK_REVOCATION_URL: `${opaque.url}/token/revocation`,
    });
    expect(await run('alice', 'mytok')).toMatchObject({ code: 0 });
  });

  it('R31 to none without a configured endpoint, and the line names the knob', async () => {
    const service = await workspace.addService('mytok', opaque);
    await seedToken(workspace, service, 'alice');
    workspace.configure({ CREDMON_mytok_ISSUER: '' });
    const { code, out } = await run('alice', 'mytok');
    expect(code).toBe(1);
    expect(out).toContain(
      'neither the issuer of mytok nor CREDMON_mytok_REVOCATION_URL is configured',
    );
    expect(listing(home())).toEqual([]);
  });

  it('R26 an endpoint that is not https stops the command before any change', async () => {
    const service = await workspace.addService('mytok', opaque);
    await seedToken(workspace, service, 'alice');
    workspace.configure({ CREDMON_mytok_REVOCATION_URL: 'http://issuer.example/revoke' });
    const { code, err } = await run('alice', 'mytok');
    expect(code).toBe(1);
    expect(err).toContain('CREDMON_mytok_REVOCATION_URL');
    expect(listing(home())).toEqual(['mytok.meta 400', 'mytok.top 400', 'mytok.use 400']);
  });

  it('R29 an unreadable client secret is reported, and the files are removed', async () => {
    const service = await workspace.addService('mytok', opaque);
    await seedToken(workspace, service, 'alice');
    workspace.configure({ mytok_CLIENT_SECRET_FILE: join(workspace.root, 'no-such-file') });
    const { code, out } = await run('alice', 'mytok');
    expect(code).toBe(1);
    expect(out).toContain('no-such-file is missing');
    expect(listing(home())).toEqual([]);
  });
});

describe('revoke of other sources', () => {
  it.each([
    ['local', { LOCAL_CREDMON_PROVIDER_NAMES: 'own' }, 'locally signed tokens cannot be revoked'],
    [
      'exec',
      { EXEC_CREDMON_PROVIDER_NAMES: 'own', EXEC_CREDMON_own_COMMAND: '/bin/true' },
      'its token program does not support revocation',
    ],
  ])('R31 a %s token has files only', async (kind, knobs, why) => {
    workspace.configure(knobs);
    store('own.top', 'alice');
    store('own.use', JSON.stringify({ access_token: 'CANARY-use', expires_in: 600 }));
    const { code, out } = await run('alice', 'own');
    expect(code).toBe(0);
    expect(out).toContain(`removed alice/own (${kind})`);
    expect(out).toContain(`own.use, own.top; access token NOT revoked: ${why}; it is valid for`);
    expect(listing(home())).toEqual([]);
  });

  it('R31 client credentials: the access token is revoked by the same client that fetched it', async () => {
    await opaque.addClient({
      clientId: 'svc-client',
      clientSecret: 'svc-secret',
      redirectUris: [],
      grants: ['client_credentials'],
    });
    workspace.configure({
      CLIENT_CREDMON_PROVIDER_NAMES: 'svc',
      CLIENT_CREDMON_svc_CLIENT_ID: 'svc-client',
      CLIENT_CREDMON_svc_CLIENT_SECRET_FILE: workspace.secretFile('svc', 'svc-secret\n'),
      CLIENT_CREDMON_svc_ISSUER: opaque.url,
    });
    const { answer } = await postToken(opaque.tokenUrl, {
      client_id: 'svc-client',
      client_secret: 'svc-secret',
      grant_type: 'client_credentials',
      scope: 'read',
    });
    store('svc.top', 'alice');
    store('svc.use', JSON.stringify(answer));
    expect(await run('alice')).toMatchObject({ code: 0 });
    expect(opaque.revocations.at(-1)).toEqual({
      client: 'svc-client',
      hint: 'access_token',
      token: tokenId(String(answer['access_token'])),
      status: 200,
    });
  });

  it('R26 R31 token exchange: only a configured issuer is asked, and never for a refresh token of another issuer', async () => {
    await opaque.addClient({ clientId: 'ap', clientSecret: 'ap-secret', redirectUris: [] });
    workspace.configure({
      EXCHANGE_CREDMON_PROVIDER_NAMES: 'swap',
      EXCHANGE_CREDMON_swap_CLIENT_ID: 'ap',
      EXCHANGE_CREDMON_swap_CLIENT_SECRET_FILE: workspace.secretFile('swap', 'ap-secret\n'),
      EXCHANGE_CREDMON_swap_ISSUER: `${opaque.url} https://other.example`,
    });
    const before = opaque.revocations.length;
    store('swap.top', JSON.stringify({ refresh_token: 'CANARY-refresh', iss: issuer.url }));
    const foreign = await run('alice');
    expect([foreign.code, listing(home()), opaque.revocations.length]).toEqual([1, [], before]);
    expect(foreign.out).toContain('.top does not name a configured issuer');
    store('swap.top', JSON.stringify({ refresh_token: 'CANARY-refresh', iss: opaque.url }));
    expect((await run('alice')).code).toBe(0);
    expect(opaque.revocations.slice(before).map(({ client, hint }) => [client, hint])).toEqual([
      ['ap', 'refresh_token'],
    ]);
  });

  it('R19 a token without a provider is kept: an error when named, a note otherwise', async () => {
    store('foreign.use', 'not-ours');
    const named = await run('alice', 'foreign');
    expect(named.code).toBe(1);
    expect(named.out).toMatch(
      /^did not revoke alice\/foreign: no provider owns it \(foreign is not listed in any /,
    );
    const all = await run('alice');
    expect([all.code, all.out.slice(0, 18)]).toEqual([0, 'kept alice/foreign']);
    expect(listing(home())).toEqual(['foreign.use 400']);
  });

  it('a standing token is an error with the fix', async () => {
    expect(await run('(standing)', 'pilot')).toMatchObject({
      code: 2,
      err: expect.stringContaining('CREDMON_STANDING_TOKENS') as string,
    });
  });

  it.each([
    ['a user without tokens', ['bob'], 1, 'no token of bob in'],
    ['a service without a token', ['alice', 'mytok_h2'], 1, 'tokens of alice: mytok'],
    ['a user that is a path', ['../etc'], 2, 'is not a valid user name'],
  ])('%s is reported', async (_, argv, code, text) => {
    store('mytok.use', 'x');
    const ran = await run(...argv);
    expect(ran).toMatchObject({ code });
    expect(ran.err).toContain(text);
  });
});

it('R43 no secret is in anything that is printed or logged', async () => {
  const service = await workspace.addService('mytok', opaque);
  const token = await seedToken(workspace, service, 'alice');
  const text = await run('alice');
  const again = await seedToken(workspace, service, 'alice');
  const json = await run('alice', '--json');
  const secrets = {
    refresh: token.refreshToken,
    access: token.accessToken,
    'second refresh': again.refreshToken,
    'second access': again.accessToken,
    client: service.clientSecret,
  };
  const texts = {
    ...textsBelow(workspace.logDirectory),
    text: text.out + text.err,
    json: json.out + json.err,
  };
  expect(findSecrets(secrets, texts)).toEqual([]);
});
