// The status command over a real directory: the table for programs and people, and what a
// person should know besides.
import { renameSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runStatusCommand } from '../../src/commands/status.ts';
import { runUsableCommand } from '../../src/commands/usable.ts';
import { SELECT_ALL, type Selection } from '../../src/command-line/command.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let on: CheckBench;
beforeEach(() => {
  on = checkBench();
  const now = Math.floor(Date.now() / 1000);
  const use = (from: number): string =>
    JSON.stringify({ access_token: 'x', issued_at: now + from, expires_at: now + from + 3600 });
  on.file('creds/alice/mytok.top', '{"refresh_token":"r"}');
  on.file('creds/alice/mytok.use', use(0));
  on.file('creds/bob/mytok_h1.top', '{"refresh_token":""}');
  on.file('creds/bob/mytok_h1.use', use(-7200));
  on.file(`creds/${'long-name-'.repeat(8)}/foo.use`, use(0));
});
afterEach(() => on.close());

interface LogOnce {
  readonly code: number;
  readonly printed: string;
  readonly complaints: readonly string[];
}

const common = (): { configFile: string; credDir: undefined; name: string } => ({
  configFile: on.file(
    'config',
    `SEC_CREDENTIAL_DIRECTORY_OAUTH = ${on.credDir}\nLOG = ${on.root}\nmytok_CLIENT_ID = me\nmytok_TOKEN_URL = https://issuer.example/token\n`,
  ),
  credDir: undefined,
  name: 'CREDMON_OAUTH',
});

async function status(
  options: { json?: boolean; user?: string; width?: number; selection?: Partial<Selection> } = {},
): Promise<LogOnce> {
  const printed: string[] = [];
  const complaints: string[] = [];
  const code = await runStatusCommand(
    {
      kind: 'status',
      ...common(),
      json: options.json ?? false,
      user: options.user,
      selection: { ...SELECT_ALL, ...options.selection },
      watch: undefined,
    },
    {},
    {
      stdout: (text) => printed.push(text),
      stderr: (text) => complaints.push(text),
      width: options.width,
    },
  );
  return { code, printed: printed.join('\n'), complaints };
}

it('prints whole names without a terminal, and the problems and commands after the table', async () => {
  const { code, printed, complaints } = await status();
  expect(code).toBe(1);
  expect(printed.split('\n').map((line) => line.split(/ +/).slice(0, 3).join(' '))).toEqual([
    'OWNER SERVICE PROVIDER',
    'alice mytok mytok',
    'bob mytok_h1 mytok',
    `${'long-name-'.repeat(8)} foo -`,
  ]);
  expect(complaints).toEqual([
    'bob/mytok_h1 is expired (REFRESH_TOKEN_MISSING): the issuer gave no refresh token: the user must log in again when it expires; fix: if the issuer gives refresh tokens, the administrator sets CREDMON_mytok_PROFILE or adds offline_access to the EXTRA_SCOPES; then bob runs this and submits again: condor_store_cred delete-oauth -s mytok -H h1',
    `${'long-name-'.repeat(8)}/foo is not renewed: foo is not listed in any *_CREDMON_PROVIDER_NAMES and has no foo_CLIENT_ID`,
    'No condor_credmon is running here: nothing is renewed.',
  ]);
});

it('fits a terminal', async () => {
  const { printed } = await status({ width: 80 });
  expect(printed.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

it('JSON has the daemon and the reason why a token is not renewed, without other output', async () => {
  const { printed, complaints } = await status({ json: true });
  const { daemon, tokens } = JSON.parse(printed) as {
    daemon: unknown;
    tokens: { service: string; why: unknown }[];
  };
  expect([daemon, complaints]).toEqual([null, []]);
  expect(tokens.map(({ service, why }) => [service, why])).toEqual([
    ['mytok', null],
    ['mytok', null],
    ['foo', 'foo is not listed in any *_CREDMON_PROVIDER_NAMES and has no foo_CLIENT_ID'],
  ]);
});

it('shows the process in the pid file', async () => {
  on.file('creds/pid', `${process.pid}\n`);
  expect((await status({ user: 'alice' })).complaints).toEqual([]);
  expect(JSON.parse((await status({ json: true })).printed)).toMatchObject({ daemon: process.pid });
});

it('exit code and notes follow from the tokens that are shown', async () => {
  const shown = async (selection: Partial<Selection>): Promise<unknown> => {
    const { code, printed, complaints } = await status({ selection });
    const names = printed.split('\n').map((line) => line.split(/ +/).slice(0, 2).join('/'));
    return [code, names.slice(1), complaints.length];
  };
  expect([
    await shown({ states: ['fresh'] }),
    await shown({ states: ['expired'] }),
    await shown({ provider: 'mytok', sort: 'expires' }),
    await shown({ expiringWithin: 60 }),
  ]).toEqual([
    [0, ['alice/mytok'], 1],
    [1, ['bob/mytok_h1'], 2],
    [1, ['bob/mytok_h1', 'alice/mytok'], 2],
    [1, ['bob/mytok_h1'], 2],
  ]);
  expect(await status({ selection: { states: ['stopped'] } })).toMatchObject({
    code: 0,
    printed: 'No tokens match.',
  });
});

it('with --watch prints again until it is stopped: a time and a table, or a line of JSON', async () => {
  for (const json of [false, true]) {
    const printed: string[] = [];
    let cleared = 0;
    const watching = runStatusCommand(
      {
        kind: 'status',
        ...common(),
        json,
        user: 'alice',
        selection: SELECT_ALL,
        // Not a whole second: the test must not wait for one.
        watch: 0.01,
      },
      {},
      {
        stdout: (text) => {
          printed.push(text);
          // As main does when its reader is gone.
          if (printed.length === 5) throw new Error('gone');
        },
        stderr: () => undefined,
        width: undefined,
        clear: () => void (cleared += 1),
      },
    );
    await expect(watching).rejects.toThrow('gone');
    expect(cleared).toBe(json ? 5 : 3);
    const first = json ? /^\{"directory":.*\}$/ : /^20\S+Z, every 0.01 s$/;
    expect(printed[0]).toMatch(first);
    expect(printed[json ? 1 : 2]).toMatch(first);
  }
});

it('--watch continues when a look fails, and shows when the user has tokens again', async () => {
  const alice = `${on.credDir}/alice`;
  const said: string[] = [];
  const watching = runStatusCommand(
    { kind: 'status', ...common(), json: false, user: 'alice', selection: SELECT_ALL, watch: 0.01 },
    {},
    {
      stdout: (text) => {
        const what = /^20\S+Z, every 0.01 s$/.test(text) ? 'time' : text.split(' ', 1)[0];
        said.push(what ?? '');
        if (said.length === 2) renameSync(alice, `${alice}-away`);
        if (said.length > 5) throw new Error('gone');
      },
      stderr: (text) => {
        if (!text.startsWith('no token of alice')) return;
        if (said.length === 3) renameSync(`${alice}-away`, alice);
        said.push('no token');
      },
      width: undefined,
    },
  );
  await expect(watching).rejects.toThrow('gone');
  expect(said).toEqual(['time', 'OWNER', 'time', 'no token', 'time', 'OWNER']);
});

it('a user without tokens is an error', async () => {
  await expect(status({ user: 'carl' })).rejects.toMatchObject({ code: 'CRED_FILE_IO' });
});

it.each([
  ['alice', 'mytok', 60, []],
  ['alice', 'mytok', 4000, [expect.stringMatching(/^alice\/mytok: expires in 3\d\d\d s$/)]],
  ['bob', 'mytok_h1', 0, ['bob/mytok_h1: expired']],
  ['bob', 'other', 0, ['bob/other: no such token']],
])('usable %s %s for %d s', async (user, service, seconds, expected) => {
  const said: string[] = [];
  const code = await runUsableCommand(
    { kind: 'usable', ...common(), user, service, seconds },
    {},
    (text) => said.push(text),
  );
  expect([code, said]).toEqual([expected.length, expected]);
});
