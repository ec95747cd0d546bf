// The explain command over a real directory and a real status file.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseArguments } from '../../src/command-line/arguments.ts';
import { publishedFacts, runExplainCommand } from '../../src/commands/explain.ts';
import { explain } from '../../src/status/explain.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let on: CheckBench;
const now = Math.floor(Date.now() / 1000);
beforeEach(() => {
  on = checkBench();
  on.file('creds/alice/mytok_h1.top', '{"refresh_token":"canary-refresh"}');
  on.file(
    'creds/alice/mytok_h1.use',
    JSON.stringify({ access_token: 'canary', issued_at: now, expires_at: now + 3600 }),
  );
  on.file('creds/pid', `${process.pid}\n`);
});
afterEach(() => on.close());

async function run(...argv: string[]): Promise<{ code: number; printed: string }> {
  const file = on.file(
    'config',
    `SEC_CREDENTIAL_DIRECTORY_OAUTH = ${on.credDir}\nLOG = ${on.root}\nRUN = ${on.root}\nmytok_CLIENT_ID = me\nmytok_TOKEN_URL = https://issuer.example/token\nCREDMON_RUN_DIR = ${on.root}/run\n`,
  );
  const command = await parseArguments(['explain', '--config', file, ...argv], '1');
  if (command.kind !== 'explain') throw new Error(`not explain: ${JSON.stringify(command)}`);
  const printed: string[] = [];
  const code = await runExplainCommand(command, {}, { stdout: (text) => printed.push(text) });
  return { code, printed: printed.join('\n') };
}

it('shows a token by service and handle, in text and in JSON, without a secret', async () => {
  const text = await run('alice', 'mytok', '--handle', 'h1');
  expect(text.code).toBe(0);
  expect(text.printed).toMatch(/^alice\/mytok_h1\n {2}Next step +renewed at 20/);
  expect(text.printed).toMatch(/Provider +mytok \(oauth\), profile generic, asks https:\/\/issuer/);
  const { printed } = await run('alice@example.org', 'mytok_h1', '--json');
  expect(JSON.parse(printed)).toMatchObject({
    user: 'alice',
    service: 'mytok',
    handle: 'h1',
    state: 'fresh',
    daemon: process.pid,
    actor: 'nobody',
  });
  expect(printed + text.printed).not.toContain('canary');
});

it('a token that needs attention ends with 1, and its provider may be missing', async () => {
  on.file('creds/alice/mytok.use', JSON.stringify({ access_token: 'x', expires_at: now - 5 }));
  expect(await run('alice', 'mytok')).toMatchObject({ code: 1 });
  on.file('creds/alice/other.use', 'x');
  expect((await run('alice', 'other')).printed).toMatch(/not renewed: other is not listed in any/);
});

it('a name without a token is an error that suggests the nearest one', async () => {
  await expect(run('alice', 'mytok_h2')).rejects.toThrow(/did you mean mytok_h1\?$/);
  await expect(run('alice', 'else')).rejects.toThrow(/; tokens of alice: mytok_h1$/);
  await expect(run('bob', 'mytok')).rejects.toMatchObject({ code: 'CRED_FILE_IO' });
});

it('takes the circuit breaker from the status file that the daemon wrote', async () => {
  on.file(
    'creds/alice/mytok_h1.use',
    JSON.stringify({ access_token: 'x', issued_at: now - 3000, expires_at: now + 600 }),
  );
  const message = 'skipped: issuer not available (last error: HTTP status 503)';
  const row = {
    user: 'alice',
    service: 'mytok',
    handle: 'h1',
    provider: 'oauth',
    why: null,
    state: 'waiting',
    expired: false,
    expires_at: now + 600,
    next_renewal: now + 500,
    attempts: 0,
    last_error: { code: 'ISSUER_UNREACHABLE', message, at: now },
  };
  const status = { directory: on.credDir, written_at: now - 5, every: 60, tokens: [row] };
  on.file('run/status/alice.json', JSON.stringify(status));
  const { printed } = await run('alice', 'mytok_h1', '--json');
  expect(JSON.parse(printed)).toMatchObject({
    state: 'waiting',
    circuit_breaker: { message, until: now + 500, written_at: now - 5 },
  });
  const command = {
    kind: 'explain',
    name: 'X',
    configFile: undefined,
    credDir: undefined,
    json: true,
    user: 'alice',
    service: 'mytok',
    handle: 'h1',
  } as const;
  const facts = publishedFacts(command, { credDir: on.credDir, runDir: `${on.root}/run` });
  expect(explain(facts)).toMatchObject({ files: null, daemon: null, state: 'waiting' });
});

it('a due token has its place among the due tokens of its issuer, from all users', async () => {
  const use = (left: number): string =>
    JSON.stringify({ access_token: 'x', issued_at: now - 3000, expires_at: now + left });
  on.file('creds/alice/mytok.top', '{"refresh_token":"canary-refresh"}');
  on.file('creds/alice/mytok.use', use(300));
  on.file('creds/bob/mytok.top', '{"refresh_token":"canary-refresh"}');
  on.file('creds/bob/mytok.use', use(200));
  const { printed } = await run('alice', 'mytok', '--json');
  expect(JSON.parse(printed)).toMatchObject({
    state: 'due',
    queue: { due: 2, before: 1, cap: 16 },
  });
  expect((await run('alice', 'mytok')).printed).toMatch(
    /^ +Queue +1 of 2 due tokens are before it/m,
  );
});
