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
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly { readonly count: number }[];
    }[];
  }[];
}

/** The heavy packages whose modules a run evaluates: the bundle wraps each in a function. */
function heavyPackagesOf(args: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-loaded-'));
  const command = [executablePath(root, 'condor_credmon'), ...args];
  const { stderr } = spawnSync(process.execPath, command, {
    env: { ...workspace.environment, NODE_V8_COVERAGE: directory },
    encoding: 'utf8',
  });
  const found = new Set<string>();
  for (const name of readdirSync(directory).filter((each) => each.startsWith('coverage-'))) {
    const coverage = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Coverage;
    for (const script of coverage.result.filter(({ url }) => url.includes('condor_credmon')))
      for (const { functionName, ranges } of script.functions) {
        const owner = /^node_modules\/.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(
          functionName,
        )?.[1];
        if (owner !== undefined && (ranges[0]?.count ?? 0) > 0) found.add(owner);
      }
  }
  if (found.size === 0) throw new Error(`nothing was loaded: ${stderr}`);
  return HEAVY.filter((each) => found.has(each));
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
