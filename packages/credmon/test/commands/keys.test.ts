// `keys`: the local issuer's keys through a rotation, with every token's life counted,
// and what is said of a single PEM file.
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@credmon/core/base';
import { createKey, readKeyDirectory, writeKey } from '@credmon/scitokens';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/command-line/arguments.ts';
import { runKeysCommand } from '../../src/commands/keys.ts';
import { exitCodeOf } from '../../src/command-line/exit-codes.ts';

let workspace: Workspace;
let directory: string;
beforeEach(() => {
  workspace = createWorkspace();
  directory = join(workspace.root, 'issuer-keys');
  workspace.configure({
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens, wlcg',
    LOCAL_CREDMON_ISSUER: 'https://ap.example',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://data.example',
    LOCAL_CREDMON_wlcg_TOKEN_LIFETIME: 7200,
    CREDMON_LOCAL_KEY_DIRECTORY: directory,
  });
});
afterEach(() => workspace.remove());

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function keys(...argv: string[]): Promise<Ran> {
  const said = { out: '', err: '' };
  const speech = {
    stdout: (text: string): void => void (said.out += `${text}\n`),
    stderr: (text: string): void => void (said.err += `${text}\n`),
  };
  try {
    const command = await parseArguments(['keys', ...argv], '1');
    if (
      command.kind !== 'keys-list' &&
      command.kind !== 'keys-rotate' &&
      command.kind !== 'keys-publish'
    )
      throw new Error(`not keys: ${command.kind}`);
    return { code: runKeysCommand(command, workspace.environment, speech), ...said };
  } catch (error) {
    return { code: exitCodeOf(error, false), ...said, err: said.err + messageOf(error) };
  }
}
const states = (): string[] => readKeyDirectory(directory).keys.map(({ state }) => state);

/** A PEM file of its own for the provider `wlcg`, and the name of its key. */
function pemForWlcg(): string {
  const { privateKey: key, algorithm } = createKey({ algorithm: 'RS256' });
  const path = workspace.secretFile(
    'key.pem',
    writeKey({ key, kid: 'x', algorithm }, 'pem-private'),
  );
  workspace.configure({
    CREDMON_LOCAL_KEY_DIRECTORY: '',
    CREDMON_scitokens_KEY_DIRECTORY: directory,
    LOCAL_CREDMON_wlcg_PRIVATE_KEY: path,
    LOCAL_CREDMON_wlcg_PRIVATE_KEY_ALGORITHM: 'RS256',
    LOCAL_CREDMON_wlcg_KEY_ID: 'old',
  });
  return path;
}

describe('keys of a key directory', () => {
  it('R32 the first key signs once it is published, and the portal has its public half', async () => {
    expect((await keys('rotate')).out).toMatch(
      /: scitokens, wlcg; longest token lifetime 7200 s\ncreate\n\w+ must be published first\n$/,
    );
    expect(states()).toEqual(['next']);
    expect(await keys('publish')).toEqual({
      code: 0,
      out: `${directory}: scitokens, wlcg; longest token lifetime 7200 s\n${directory}/jwks.json\n`,
      err: '',
    });
    expect((await keys('rotate')).out).toMatch(/\nactivate \w+\n\w+ signs; nothing to do\n$/);
    expect(states()).toEqual(['active']);
    expect(statSync(join(directory, 'jwks.json')).mode & 0o777).toBe(0o644);
    expect((await keys('list')).out).toMatch(/\nKID +ALG +STATE .*\n\w+ +ES256 +active /);
  });

  it('R32 --begin creates the next key with the requested algorithm', async () => {
    for (const step of ['rotate', 'publish', 'rotate']) await keys(step);
    await keys('rotate', '--begin', '--algorithm', 'RS256');
    const { out } = await keys('list', '--json');
    expect(JSON.parse(out)).toMatchObject({
      keys: [
        {
          kind: 'directory',
          path: directory,
          providers: ['scitokens', 'wlcg'],
          issuers: ['https://ap.example'],
          longest_lifetime: 7200,
          keys: [
            { state: 'active', algorithm: 'ES256' },
            { state: 'next', algorithm: 'RS256' },
          ],
        },
      ],
    });
  });

  it('R32 the longest lifetime of all providers and standing tokens decides how long a key is kept', async () => {
    workspace.configure({
      CREDMON_STANDING_TOKENS: 'pilot',
      CREDMON_STANDING_pilot_PROVIDER: 'scitokens',
      CREDMON_STANDING_pilot_PATH: join(workspace.root, 'pilot.token'),
      CREDMON_STANDING_pilot_SUBJECT: 'pilot',
      CREDMON_STANDING_pilot_SCOPE: 'compute.read',
      CREDMON_STANDING_pilot_AUDIENCE: 'https://ce.example',
      CREDMON_STANDING_pilot_LIFETIME: '2 days',
    });
    for (const step of ['rotate', 'publish', 'rotate']) await keys(step);
    expect(readKeyDirectory(directory).longestLifetime).toBe(172_800);
    workspace.configure({ CREDMON_STANDING_pilot_LIFETIME: '3 days' });
    const list = await keys('list');
    expect([list.code, list.err]).toEqual([
      1,
      expect.stringContaining(
        'keeps retired keys for tokens of 172800 s, but the longest configured lifetime is 259200 s',
      ),
    ]);
    await keys('rotate');
    expect(readKeyDirectory(directory).longestLifetime).toBe(259_200);
    expect((await keys('list')).code).toBe(0);
  });

  it('publishes for another web server with the configured issuer', async () => {
    await keys('rotate');
    const web = join(workspace.root, 'web');
    const { code, out } = await keys('publish', web, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      keys: [
        { written: [`${web}/.well-known/jwks.json`, `${web}/.well-known/openid-configuration`] },
      ],
    });
    expect(
      JSON.parse(readFileSync(`${web}/.well-known/openid-configuration`, 'utf8')),
    ).toMatchObject({
      issuer: 'https://ap.example',
    });
  });

  it('does not publish two issuers into one directory', async () => {
    workspace.configure({
      LOCAL_CREDMON_wlcg_ISSUER: 'https://wlcg.example',
      CREDMON_wlcg_KEY_DIRECTORY: `${directory}-2`,
    });
    await keys('rotate');
    const web = join(workspace.root, 'web');
    expect(await keys('publish', web)).toMatchObject({
      code: 2,
      err: expect.stringContaining('--provider') as string,
    });
    expect(existsSync(web)).toBe(false);
    expect((await keys('publish', web, '--provider', 'wlcg')).code).toBe(0);
    expect(
      JSON.parse(readFileSync(`${web}/.well-known/openid-configuration`, 'utf8')),
    ).toMatchObject({
      issuer: 'https://wlcg.example',
    });
  });

  it('does not publish without a directory for an issuer that the portal does not serve', async () => {
    workspace.configure({
      LOCAL_CREDMON_wlcg_ISSUER: 'https://wlcg.example',
      CREDMON_wlcg_KEY_DIRECTORY: `${directory}-2`,
    });
    await keys('rotate');
    expect(await keys('publish', '--provider', 'wlcg')).toMatchObject({
      code: 1,
      err: 'wlcg: the portal publishes the keys of https://ap.example only; to publish those of https://wlcg.example: condor_credmon keys publish WEBDIR --provider wlcg, where WEBDIR is the top directory of its web server\n',
    });
    expect(readKeyDirectory(`${directory}-2`).keys[0]?.published).toBeUndefined();
    expect((await keys('publish')).code).toBe(1);
    expect(states()).toEqual(['next']);
  });

  it('a private key that is open to others makes list fail, and the table fits 80 columns', async () => {
    for (const step of ['rotate', 'publish', 'rotate']) await keys(step);
    await keys('rotate', '--begin');
    const good = await keys('list');
    const rows = good.out.split('\n').slice(1);
    expect([good.code, rows.filter((line) => line.length > 80)]).toEqual([0, []]);
    const file = join(directory, readKeyDirectory(directory).keys[0]?.file ?? '');
    chmodSync(file, 0o644);
    expect(await keys('list')).toEqual({
      code: 1,
      out: good.out,
      err: `${file} is open to others (mode 644); fix: chmod go-rwx ${file}\n`,
    });
  });

  it('a missing directory, or one that is open to others, is reported', async () => {
    expect((await keys('list')).err).toBe(`scitokens, wlcg: ${directory} does not exist\n`);
    await keys('rotate');
    chmodSync(directory, 0o777);
    expect(await keys('publish')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is open to others') as string,
    });
  });
});

describe('a single key in a PEM file', () => {
  it('is listed with name, algorithm and path', async () => {
    const path = pemForWlcg();
    await keys('rotate', '--provider', 'scitokens');
    const { code, out } = await keys('list', '--provider', 'wlcg', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      keys: [
        {
          kind: 'file',
          path,
          providers: ['wlcg'],
          issuers: ['https://ap.example'],
          longest_lifetime: 7200,
          keys: [{ kid: 'old', algorithm: 'RS256' }],
        },
      ],
    });
  });

  it.each(['rotate', 'publish'])(
    'R32 %s says what to do instead, and fails if nothing else was done',
    async (step) => {
      pemForWlcg();
      await keys('rotate', '--provider', 'scitokens');
      const alone = await keys(step, '--provider', 'wlcg');
      expect([alone.code, alone.err]).toEqual([
        1,
        expect.stringMatching(
          /^wlcg: .*key\.pem is a single key .* CREDMON_LOCAL_KEY_DIRECTORY \(or CREDMON_wlcg_KEY_DIRECTORY\)/,
        ),
      ]);
      expect((await keys(step)).code).toBe(0);
    },
  );

  it('has its name above its name', async () => {
    pemForWlcg();
    workspace.configure({ LOCAL_CREDMON_wlcg_KEY_ID: 'a long name' });
    expect((await keys('list', '--provider', 'wlcg')).out).toMatch(
      /\nKID {10}ALG\na long name {2}RS256\n$/,
    );
  });

  it('that cannot be used is reported', async () => {
    pemForWlcg();
    workspace.configure({ LOCAL_CREDMON_wlcg_PRIVATE_KEY_ALGORITHM: 'ES256' });
    expect((await keys('list', '--provider', 'wlcg')).code).toBe(1);
    workspace.configure({ LOCAL_CREDMON_wlcg_PRIVATE_KEY: '/no/such.pem' });
    expect((await keys('list', '--provider', 'wlcg')).err).toBe('wlcg: /no/such.pem is missing\n');
  });
});

it('an unknown provider is reported, with the known ones', async () => {
  expect(await keys('list', '--provider', 'nobody')).toMatchObject({
    code: 2,
    err: 'nobody is not a local provider; local providers: scitokens, wlcg',
  });
});

it('without a local provider there is nothing to list', async () => {
  workspace.configure({ LOCAL_CREDMON_PROVIDER_NAMES: '' });
  expect(await keys('list')).toMatchObject({
    code: 1,
    err: expect.stringContaining('no local tokens: neither') as string,
  });
});
