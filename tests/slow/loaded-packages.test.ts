// Which packages a command of condor_credmon runs code of: short commands load neither
// the log, nor the OAuth client, nor the HTTP client.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { executablePath } from '@credmon/test-fixtures/processes/processes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from './daemon-runs.ts';

const HEAVY = ['openid-client', 'oauth4webapi', 'prom-client', 'undici', 'winston'];

let workspace: Workspace;
beforeAll(() => {
  workspace = createWorkspace();
  workspace.configure({ LOCAL_CREDMON_PROVIDER_NAMES: '' });
});
afterAll(() => workspace.remove());

interface Coverage {
  readonly result: readonly { readonly url: string }[];
}

/** The packages in each part of the program. */
const program = executablePath(root, 'condor_credmon');
const packagesOf = JSON.parse(
  readFileSync(program.replace(/cjs$/, 'parts.json'), 'utf8'),
) as Record<string, readonly string[]>;

/** The heavy packages in the parts that a run loads; V8 names each script of a run. */
function heavyPackagesOf(args: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-loaded-'));
  const { stderr } = spawnSync(process.execPath, [program, ...args], {
    env: { ...workspace.environment, NODE_V8_COVERAGE: directory },
    encoding: 'utf8',
  });
  const loaded = readdirSync(directory)
    .filter((name) => name.startsWith('coverage-'))
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Coverage)
    .flatMap(({ result }) => result.map(({ url }) => decodeURIComponent(url).split('#')[1]))
    .flatMap((part) => (part === undefined ? [] : (packagesOf[part] ?? [])));
  if (loaded.length === 0) throw new Error(`nothing was loaded: ${stderr}`);
  return HEAVY.filter((each) => loaded.includes(each));
}

it.each([
  '--version',
  '--help',
  'status',
  'usable alice mytok',
  'renew alice mytok',
  'config get LOG',
  'config dump',
  '--no-such-flag',
])('condor_credmon %s loads none of them', (words) => {
  expect(heavyPackagesOf(words.split(' '))).toEqual([]);
});

it('the daemon loads its log', () => {
  expect(heavyPackagesOf(['--once'])).toContain('winston');
});
