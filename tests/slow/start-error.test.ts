// What keeps the daemon or the portal from starting is in its log, as condor_master
// starts them: nobody sees standard error.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startExecutable, type Executable } from '@credmon/test-fixtures/processes/processes';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from './daemon-runs.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(() => workspace.remove());

async function run(
  name: Executable,
  args: readonly string[] = [],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const inherit = { CONDOR_INHERIT: '1 <127.0.0.1:9618> 0' };
  const child = startExecutable(root, name, args, { ...workspace.environment, ...inherit });
  const { code } = (await child.exited) ?? { code: null };
  return { code, output: child.output };
}
const append = (text: string): void => writeFileSync(workspace.configFile, text, { flag: 'a' });
const log = (name = 'CredMonOAuthLog'): string => {
  const path = join(workspace.logDirectory, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

describe('R46 an error at the start of the daemon', () => {
  it.each<[string, string, readonly RegExp[]]>([
    [
      'of two knobs',
      'CREDMON_TOKEN_FLOOR = banana\nCREDMON_RENEWALS_PER_ISSUER = 0\n',
      [
        /condor_config, line \d+: CREDMON_TOKEN_FLOOR /,
        /condor_config, line \d+: CREDMON_RENEWALS_PER_ISSUER /,
      ],
    ],
    [
      'of an incomplete provider',
      'CLIENT_CREDMON_PROVIDER_NAMES = site\n',
      [/CLIENT_CREDMON_site_CLIENT_ID is not set/],
    ],
    [
      'of a knob of the log itself',
      'MAX_NUM_CREDMON_OAUTH_LOG = many\n',
      [/condor_config, line \d+: MAX_NUM_CREDMON_OAUTH_LOG /],
    ],
    [
      'of the grammar, twice, before the line that names the log',
      'this is not a statement\nif nonsense &&\nCREDMON_OAUTH_LOG = $(LOG)/CredMonOAuthLog\n',
      [/condor_config:\d+: not a valid configuration statement/, /condor_config:\d+: .*nonsense/],
    ],
    [
      'of a file that is required and missing',
      'LOCAL_CONFIG_FILE = /no/such/file\n',
      [/\/no\/such\/file: the configuration file does not exist/],
    ],
    [
      'of the credential directory',
      'SEC_CREDENTIAL_DIRECTORY_OAUTH = /dev/null\n',
      [/\/dev\/null/],
    ],
  ])('%s is in its log, line by line, and in standard error', async (_, text, expected) => {
    append(text);
    const { code, output } = await run('condor_credmon');
    expect(code).toBe(99);
    for (const pattern of expected) {
      expect(
        log()
          .split('\n')
          .filter((line) => pattern.test(line) && / ERROR: /.test(line)),
      ).toHaveLength(1);
      expect(output).toMatch(pattern);
    }
  });

  it('is in the file of -l where that is given', async () => {
    append('CREDMON_TOKEN_FLOOR = banana\n');
    const path = join(workspace.logDirectory, 'other');
    await run('condor_credmon', ['-l', path]);
    expect([readFileSync(path, 'utf8'), log()]).toEqual([
      expect.stringContaining('CREDMON_TOKEN_FLOOR'),
      '',
    ]);
  });

  it('does not empty or rotate the log', async () => {
    writeFileSync(join(workspace.logDirectory, 'CredMonOAuthLog'), 'an old line\n');
    append(
      'TRUNC_CREDMON_OAUTH_LOG_ON_OPEN = true\nMAX_CREDMON_OAUTH_LOG = 1\nCREDMON_TOKEN_FLOOR = banana\n',
    );
    await run('condor_credmon');
    expect(log()).toMatch(/^an old line\n.*\n.*CREDMON_TOKEN_FLOOR/);
  });
});

it('R46 an error at the start of the portal is in CREDMON_WEB_LOG', async () => {
  append('CREDMON_WEB_LOG = $(LOG)/WebLog\nCREDMON_WEB_RATE_LIMIT = many\n');
  const { output } = await run('condor_credmon_webserver');
  expect([log('WebLog'), output]).toEqual([
    expect.stringMatching(/ERROR: .*CREDMON_WEB_RATE_LIMIT/),
    expect.stringMatching(/CREDMON_WEB_RATE_LIMIT/),
  ]);
});
