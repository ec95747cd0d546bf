// What the commands print with --json, and the lines of both logs, are as docs/schemas says.
import { readdirSync, readFileSync } from 'node:fs';
import { createKey, writeKey } from '@credmon/scitokens';
import { DEFAULT_STYLE, openLog } from '@credmon/core/log';
import { schemaProblems } from '@credmon/test-fixtures/files/json-schema';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/command-line/arguments.ts';
import { runCheckCommand } from '../../src/commands/check.ts';
import { runConfigDump, runConfigGet } from '../../src/commands/config.ts';
import { runExplainCommand } from '../../src/commands/explain.ts';
import { runKeysCommand } from '../../src/commands/keys.ts';
import { resultRow } from '../../src/commands/renew.ts';
import { runRevokeCommand } from '../../src/commands/revoke.ts';
import { runStandingList } from '../../src/commands/standing.ts';
import { runStatusCommand } from '../../src/commands/status.ts';
import { runTokenCommand } from '../../src/commands/token.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

const schemas = new URL('../../../../docs/schemas/', import.meta.url);
const problems = (name: string, value: unknown): string[] =>
  schemaProblems(new URL(`${name}.json`, schemas), value);

let on: CheckBench;
let env: Record<string, string>;
beforeEach(() => {
  on = checkBench();
  const now = Math.floor(Date.now() / 1000);
  const key = createKey({ algorithm: 'ES256' });
  const pem = writeKey({ key: key.privateKey, kid: 'local', algorithm: 'ES256' }, 'pem-private');
  const knobs = {
    SEC_CREDENTIAL_DIRECTORY_OAUTH: on.credDir,
    LOG: on.root,
    CREDMON_REQUEST_TIMEOUT: '3',
    mytok_CLIENT_ID: 'me',
    mytok_TOKEN_URL: 'https://127.0.0.1:9/token',
    LOCAL_CREDMON_PROVIDER_NAMES: 'here',
    LOCAL_CREDMON_here_ISSUER: 'https://here.example/vo',
    LOCAL_CREDMON_here_AUTHZ_TEMPLATE: 'compute.read',
    LOCAL_CREDMON_PRIVATE_KEY: on.file('key', pem),
    CREDMON_STANDING_TOKENS: 'ce_1',
    CREDMON_STANDING_ce_1_PROVIDER: 'here',
    CREDMON_STANDING_ce_1_PATH: `${on.root}/standing/token`,
    CREDMON_STANDING_ce_1_SUBJECT: 'frontend',
    CREDMON_STANDING_ce_1_SCOPE: 'compute.read',
    CREDMON_STANDING_ce_1_AUDIENCE: 'ce.example',
    CREDMON_STANDING_ce_1_OWNER: 'root',
  };
  env = { CONDOR_CONFIG: 'ONLY_ENV' };
  for (const [name, value] of Object.entries(knobs)) env[`_CONDOR_${name}`] = value;
  const use = (from: number): string =>
    JSON.stringify({ access_token: 'x', issued_at: now + from, expires_at: now + from + 3600 });
  on.file('creds/alice/mytok.top', '{"refresh_token":"r"}');
  on.file('creds/alice/mytok.use', use(0));
  on.file('creds/alice/mytok_h1.top', '{"refresh_token":""}');
  on.file('creds/alice/mytok_h1.use', use(-7200));
  on.file('creds/alice/mytok_h1.meta', 'broken');
  on.file('creds/alice/here.top', '');
  on.file('creds/alice/other.use', use(0));
});
afterEach(() => on.close());

/** Runs a command, and returns what it prints on standard output. */
async function printed(...argv: readonly string[]): Promise<unknown> {
  const command = await parseArguments([...argv, '--json'], '1');
  const out: string[] = [];
  const stdout = (text: string): void => void out.push(text);
  const output = { stdout, stderr: () => undefined, width: undefined };
  switch (command.kind) {
    case 'status':
      await runStatusCommand(command, env, output);
      break;
    case 'explain':
      await runExplainCommand(command, env, output);
      break;
    case 'check':
      await runCheckCommand(command, env, stdout);
      break;
    case 'revoke':
      await runRevokeCommand(command, env, output);
      break;
    case 'config-dump':
      runConfigDump(command, env, stdout);
      break;
    case 'config-get':
      runConfigGet(command, env, stdout, () => undefined);
      break;
    case 'keys-list':
      runKeysCommand(command, env, output);
      break;
    case 'standing-list':
      await runStandingList(command, env, output);
      break;
    case 'token':
      await runTokenCommand(command, env, {
        ...output,
        isTerminal: false,
        caller: { uid: 0, euid: 0 },
      });
      break;
    default:
      throw new Error(`not a command with a schema: ${JSON.stringify(command)}`);
  }
  return JSON.parse(out.join('\n'));
}

describe('the JSON of', () => {
  it.each([
    ['status', 'status'],
    ['status', 'status --user alice --state expired'],
    ['explain', 'explain alice mytok'],
    ['explain', 'explain alice mytok_h1'],
    ['explain', 'explain alice here'],
    ['explain', 'explain alice other'],
    ['check', 'check'],
    ['revoke-dry-run', 'revoke alice --dry-run'],
    ['revoke', 'revoke alice'],
    ['config-get', 'config get LOG'],
    ['config-get', 'config get NO_SUCH_KNOB'],
    ['config-dump', 'config dump CREDMON'],
    ['keys', 'keys list'],
    ['standing-list', 'standing list'],
    ['token', 'token here --subject alice --audience https://ce.example --print'],
  ])('%s: %s', async (schema, words) => {
    const value = await printed(...words.split(' '));
    expect(problems(schema, value)).toEqual([]);
  });

  it('renew', () => {
    const result = {
      result: 'failed',
      at: 1,
      provider: 'oauth',
      expires_at: null,
      code: 'ISSUER_BUSY',
      message: 'busy',
      next_renewal: 5,
    } as const;
    expect(problems('renew', resultRow({ user: 'alice', stem: 'mytok' }, result))).toEqual([]);
  });

  it('both logs', async () => {
    const [path, audit] = [`${on.root}/Log`, `${on.root}/Audit`];
    const rest = { maxBytes: 0, maxSeconds: 0, maxSaved: 1, truncate: false, mode: 0o640 };
    const log = await openLog({
      path,
      stderr: false,
      debug: true,
      ...rest,
      style: { ...DEFAULT_STYLE, json: true },
      audit: { path: audit, subsystem: 'CREDMON_OAUTH' },
    });
    log.warn('text');
    log.record({
      event: 'renewed',
      user: 'alice',
      service: 'mytok',
      handle: '',
      provider: 'oauth',
      details: { rotated: true },
    });
    log.close();
    const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
    expect([problems('log', read(path)), problems('audit-log', read(audit))]).toEqual([[], []]);
  });
});

it('a schema rejects what is missing, unknown or of another type', () => {
  const token = { user: 'alice', service: 'mytok', surplus: 1, provider: 3 };
  expect(problems('renew', token)).toEqual([
    '$.handle: missing',
    '$.result: missing',
    '$.at: missing',
    '$.code: missing',
    '$.message: missing',
    '$.expires_at: missing',
    '$.next_renewal: missing',
    '$.surplus: not in the schema',
    '$.provider: not string or null',
  ]);
});

it('every schema has a test here', () => {
  const text = readFileSync(new URL(import.meta.url), 'utf8');
  const names = readdirSync(schemas).map((name) => name.replace('.json', ''));
  expect(names.filter((name) => !text.includes(`'${name}'`))).toEqual([]);
});
