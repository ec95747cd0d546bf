// The first start of a checkout: what it says, what it installs, and what it says when
// that fails. The package manager is a fake one; tests/packages has the real one.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
  readFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let checkout: string;

/** An importer with two packages, one of them only for tests, and one for another system. */
const LOCK_FILE = `lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      esbuild:
        specifier: 'catalog:'
        version: 0.28.2
      '@credmon/core':
        specifier: workspace:*
        version: link:packages/core
    devDependencies:
      vitest:
        specifier: 'catalog:'
        version: 4.1.12(vite@8.0.0)

packages:

  '@esbuild/aix-ppc64@0.28.2':
    cpu: [ppc64]
    os: [aix]

  esbuild@0.28.2:
    resolution: {integrity: sha512-x}

  ms@2.1.3:
    resolution: {integrity: sha512-x}

snapshots:

  '@esbuild/aix-ppc64@0.28.2':
    optional: true

  esbuild@0.28.2:
    dependencies:
      own-ms: ms@2.1.3
    optionalDependencies:
      '@esbuild/aix-ppc64': 0.28.2

  ms@2.1.3: {}

  vite@8.0.0: {}

  vitest@4.1.12(vite@8.0.0):
    dependencies:
      ms: 2.1.3
      vite: 8.0.0
`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  writeFileSync(join(checkout, path), text);
}

/** A fake npx: `script` is its body after it has noted its arguments. */
function fakePackageManager(script: string): void {
  write('bin/npx', `#!/bin/sh\necho "$*" >> ${checkout}/asked\n${script}\n`);
  chmodSync(join(checkout, 'bin/npx'), 0o755);
}

/** What each run of the fake npx was asked. */
const asked = (): string[] => readFileSync(join(checkout, 'asked'), 'utf8').trim().split('\n');

interface Ran {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly errors: readonly string[];
}

function bootstrap(args: readonly string[], node: readonly string[] = []): Ran {
  const words = [...node, join(checkout, 'scripts/bootstrap.mjs'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    timeout: PATIENCE * 1000,
    env: { PATH: `${checkout}/bin:${process.env['PATH'] ?? ''}`, HOME: checkout },
  });
  const linesOf = (text: string): string[] =>
    text
      .replaceAll(/ in \d+ s$/gm, ' in N s')
      .split('\n')
      .slice(0, -1);
  return { status, lines: linesOf(stdout), errors: linesOf(stderr) };
}

const INSTALL = 'mkdir -p node_modules/.pnpm';
const announced = (count: number, size: string): string =>
  `bootstrap: needs ${count} npm packages (about ${size}); downloads from https://npm.example/ what is not cached. They stay in node_modules and in the caches of npm and pnpm.`;
const PROGRAMS = [
  announced(2, '300 MB on disk'),
  'bootstrap: installed the packages in N s',
  'bootstrap: built the programs in N s',
];

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'credmon-first-run-'));
  cpSync(join(root, 'scripts/first-run'), join(checkout, 'scripts/first-run'), { recursive: true });
  cpSync(join(root, 'scripts/bootstrap.mjs'), join(checkout, 'scripts/bootstrap.mjs'));
  write('package.json', '{ "engines": { "node": ">=20.19.0" } }');
  write('.npmrc', 'registry=https://npm.example/\n');
  write('pnpm-lock.yaml', LOCK_FILE);
  for (const path of ['pnpm-workspace.yaml', 'tsconfig.base.json', 'tsconfig.json'])
    write(path, '');
  const results = ['packages/credmon/dist/bin/condor_credmon.cjs', 'test-fixtures/dist/demo.js'];
  for (const path of [...results, 'bench/dist/run.js']) write(path, '');
  write('scripts/bundle.mjs', '');
  write('node_modules/typescript/bin/tsc', '');
  fakePackageManager(INSTALL);
});
afterEach(() => rmSync(checkout, { recursive: true }));

describe('the first start', () => {
  it('for the demo says what it needs, and installs no tools', () => {
    expect(bootstrap(['--programs'])).toEqual({ status: 0, lines: PROGRAMS, errors: [] });
    expect(asked()).toEqual([
      '--yes pnpm@12 install --frozen-lockfile --reporter=ndjson --config.confirmModulesPurge=false --prod',
    ]);
  });

  it('for tests installs and compiles everything', () => {
    expect(bootstrap([])).toEqual({
      status: 0,
      lines: [
        announced(4, '520 MB on disk, with the tools for tests'),
        'bootstrap: installed the packages in N s',
        'bootstrap: compiled the packages in N s',
        'bootstrap: built the programs in N s',
      ],
      errors: [],
    });
    expect(asked()).toEqual([expect.not.stringContaining('--prod')]);
  });

  it('does nothing and says nothing the second time', () => {
    bootstrap(['--programs']);
    expect(bootstrap(['--programs'])).toEqual({ status: 0, lines: [], errors: [] });
    expect(asked()).toHaveLength(1);
  });

  it('of the demo does not remove the tools that tests have installed', () => {
    bootstrap([]);
    write('pnpm-workspace.yaml', '# changed');
    expect(bootstrap(['--programs']).lines[0]).toBe(
      announced(4, '520 MB on disk, with the tools for tests'),
    );
    expect(asked()[1]).not.toContain('--prod');
  });

  it('shows none of the JSON log of an installation that succeeds', () => {
    fakePackageManager(
      `${INSTALL}
echo '{"name":"pnpm:progress","level":"debug","status":"imported"}'
echo '{"name":"pnpm","level":"warn","message":"deprecated"}'
echo npm notice >&2`,
    );
    expect(bootstrap(['--programs']).lines).toEqual(PROGRAMS);
    expect(bootstrap(['--programs']).errors).toEqual([]);
  });

  it('tries an installation twice, and then shows its messages', () => {
    fakePackageManager(
      `echo '{"name":"pnpm","level":"error","err":{"message":"GET https://npm.example/ms: 503"}}'
echo '{"name":"pnpm:stage","level":"debug"}'
exit 3`,
    );
    const command = 'npx --yes pnpm@12 install failed with status 3';
    expect(bootstrap(['--programs'])).toEqual({
      status: 1,
      lines: [announced(2, '300 MB on disk')],
      errors: [
        'GET https://npm.example/ms: 503',
        `bootstrap: ${command}; trying again`,
        'GET https://npm.example/ms: 503',
        `bootstrap: ${command}`,
      ],
    });
  });

  it.each(['18.20.4', '20.18.9', '12.22.12'])(
    'with Node.js %s says that it is too old',
    (version) => {
      const code = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`;
      const old = ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
      expect(bootstrap(['--programs'], old)).toEqual({
        status: 1,
        lines: [],
        errors: [
          `credmon needs Node.js 20.19.0 or newer, but this is ${version}; install a newer one from https://nodejs.org/ or with the package manager of your system`,
        ],
      });
    },
  );
});
