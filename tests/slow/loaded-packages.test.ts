// Which packages a command of condor_credmon runs code of: short commands load neither
// the log, nor the OAuth client, nor the HTTP client, and few modules of Node.js.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/** The parts that a run loads; V8 names each script of a run. */
function partsOf(args: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-loaded-'));
  const { stderr } = spawnSync(process.execPath, [program, ...args], {
    env: { ...workspace.environment, NODE_V8_COVERAGE: directory },
    encoding: 'utf8',
  });
  const loaded = readdirSync(directory)
    .filter((name) => name.startsWith('coverage-'))
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Coverage)
    .flatMap(({ result }) => result.map(({ url }) => decodeURIComponent(url).split('#')[1]))
    .filter((part) => part !== undefined);
  if (loaded.length === 0) throw new Error(`nothing was loaded: ${stderr}`);
  return loaded;
}

/** The heavy packages in the parts that a run loads. */
function heavyPackagesOf(args: readonly string[]): string[] {
  const packages = partsOf(args).flatMap((part) => packagesOf[part] ?? []);
  return HEAVY.filter((each) => packages.includes(each));
}

/** The modules of Node.js that a run loads and an empty program does not. */
function modulesOf(args: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-modules-'));
  const preload = join(directory, 'preload.cjs');
  writeFileSync(
    preload,
    `const known = new Set(process.moduleLoadList);
const { writeFileSync } = require('node:fs');
process.on('exit', () => {
  const names = process.moduleLoadList.filter((name) => !known.has(name));
  writeFileSync(${JSON.stringify(join(directory, 'modules'))}, names.join('\\n'));
});`,
  );
  const run = (): void =>
    void spawnSync(process.execPath, ['--require', preload, program, ...args], {
      env: workspace.environment,
    });
  // The first run unpacks parts and keeps their compiled code.
  run();
  run();
  return readFileSync(join(directory, 'modules'), 'utf8')
    .split('\n')
    .flatMap((name) => /^NativeModule ((?!internal\/)[\w/]+)$/.exec(name)?.[1] ?? [])
    .sort();
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

it.each(['--version', 'status', 'usable alice mytok', 'config get LOG'])(
  'condor_credmon %s loads no part that waits for a first call',
  (words) => {
    expect(partsOf(words.split(' ')).filter((part) => part.startsWith('late-'))).toEqual([]);
  },
);

it.each([
  ['--version', ['vm']],
  ['config get LOG', ['vm']],
  ['usable alice mytok', ['vm']],
  ['status', ['os', 'vm']],
])('condor_credmon %s loads these modules of Node.js: %j', (words, modules) => {
  expect(modulesOf(words.split(' '))).toEqual(modules);
});

it('the daemon loads neither HTTP nor cryptography of Node.js before a token needs it', () => {
  const modules = modulesOf(['--once']);
  expect(modules).toContain('child_process');
  expect(
    modules.filter((name) => /^(?:_?http|https|crypto|tls|zlib|dns|perf_hooks)/.test(name)),
  ).toEqual([]);
});

it('the daemon loads of what waits for a first call only the look-up of providers', () => {
  expect(partsOf(['--once']).filter((part) => part.startsWith('late-'))).toEqual([
    'late-credmon-daemon-provider-lookup.js',
  ]);
});

it('the daemon loads its log', () => {
  expect(heavyPackagesOf(['--once'])).toContain('winston');
});
