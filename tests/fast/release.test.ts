// A release: what the dry run says, what is written, what is refused; and the version is
// the same wherever it is.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  existsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { VERSION as DAEMON } from '../../packages/credmon/src/version.ts';
import { VERSION as PORTAL } from '../../packages/webserver/src/version.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const versionIn = (path: string): string =>
  (JSON.parse(readFileSync(join(root, path), 'utf8')) as { version: string }).version;

const CHANGELOG = `# Changelog

## [Unreleased]

### Added

- A command.

### Fixed

- A fault.

## [0.1.0] - 2026-01-31

- The first version.
`;
let checkout: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  writeFileSync(join(checkout, path), text);
}
const textOf = (path: string): string => readFileSync(join(checkout, path), 'utf8');

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, ...words: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(program, words, {
    cwd: checkout,
    encoding: 'utf8',
    timeout: PATIENCE * 1000,
    env: { PATH: `${checkout}/bin:${process.env['PATH'] ?? ''}`, HOME: checkout },
  });
  return { status, stdout, stderr };
}
const release = (...words: readonly string[]): Ran =>
  run(process.execPath, join(checkout, 'scripts/release.mjs'), ...words);

function commit(): void {
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.org'];
  for (const words of [
    ['init', '-q'],
    ['add', '-A'],
    [...who, 'commit', '-qm', 'all'],
  ])
    expect(run('git', ...words)).toEqual({ status: 0, stdout: '', stderr: '' });
}

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'credmon-release-'));
  cpSync(join(root, 'scripts/release'), join(checkout, 'scripts/release'), { recursive: true });
  cpSync(join(root, 'scripts/release.mjs'), join(checkout, 'scripts/release.mjs'));
  write('package.json', '{ "version": "0.1.0", "dependencies": { "x": "10.1.0" } }\n');
  write('packages/core/package.json', '{ "version": "0.1.0" }\n');
  write('packages/credmon/src/version.ts', "export const VERSION = '0.1.0';\n");
  write('docs/install.md', 'credmon_0.1.0-1_all.deb credmon-0.1.0.tgz 0.1.0.1\n');
  write('CHANGELOG.md', CHANGELOG);
  write('.gitignore', 'dist/\n/bin/\n');
  // A fake npm that notes what it was asked.
  write('bin/npm', `#!/bin/sh\nmkdir -p dist\necho "$*" >> dist/asked\n\n`);
  chmodSync(join(checkout, 'bin/npm'), 0o755);
});
afterEach(() => rmSync(checkout, { recursive: true }));

it.each(['core', 'scitokens', 'credmon', 'webserver'])(
  'the version of package.json is the version of %s',
  (name) => {
    expect(versionIn(`packages/${name}/package.json`)).toBe(versionIn('package.json'));
  },
);

it('the programs have the version of package.json', () => {
  expect([DAEMON, PORTAL]).toEqual([versionIn('package.json'), versionIn('package.json')]);
});

describe('npm run release', () => {
  it('-- --dry-run says what it would do, with the notes, and changes nothing', () => {
    expect(release('--dry-run', '0.2.0')).toEqual({
      status: 0,
      stderr: '',
      stdout: `would run: npm run lint
would run: npm run format:check
would run: npm run typecheck
would run: npm run test
would change: package.json
would change: packages/core/package.json
would change: packages/credmon/src/version.ts
would change: docs/install.md
would change: CHANGELOG.md
would run: npm run build
would run: npm run pack
would run: npm run package
would write: dist/release/NOTES.md

# credmon 0.2.0

### Added

- A command.

### Fixed

- A fault.

`,
    });
    expect([textOf('CHANGELOG.md'), existsSync(join(checkout, 'dist'))]).toEqual([
      CHANGELOG,
      false,
    ]);
  });

  it('checks, writes the version, builds, writes the notes, and says how to publish', () => {
    commit();
    const { status, stdout, stderr } = release('0.2.0');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('git tag -a v0.2.0');
    expect(textOf('dist/asked').trim().split('\n')).toEqual(
      ['lint', 'format:check', 'typecheck', 'test', 'build', 'pack', 'package'].map(
        (name) => `run ${name}`,
      ),
    );
    expect(textOf('package.json')).toBe(
      '{ "version": "0.2.0", "dependencies": { "x": "10.1.0" } }\n',
    );
    expect(textOf('packages/credmon/src/version.ts')).toBe("export const VERSION = '0.2.0';\n");
    expect(textOf('docs/install.md')).toBe('credmon_0.2.0-1_all.deb credmon-0.2.0.tgz 0.1.0.1\n');
    expect(textOf('CHANGELOG.md').replace(/ - \d{4}-\d\d-\d\d\n\n###/, ' - DATE\n\n###')).toBe(
      CHANGELOG.replace('[Unreleased]\n', '[Unreleased]\n\n## [0.2.0] - DATE\n'),
    );
    expect(textOf('dist/release/NOTES.md')).toContain('- A command.');
  });

  it('ends at a check that fails, and changes nothing', () => {
    write('bin/npm', '#!/bin/sh\n[ "$2" != typecheck ]\n');
    commit();
    expect(release('0.2.0')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'release: npm run typecheck failed; nothing is published\n',
    });
    expect(run('git', 'status', '--porcelain').stdout).toBe('');
  });

  it('refuses a checkout with changes', () => {
    commit();
    write('new', '');
    expect(release('0.2.0').stderr).toBe(
      'release: commit or remove these changes first:\n?? new\n\n',
    );
  });

  it.each([
    ['0.0.9', '0.0.9 is lower than the current 0.1.0'],
    ['0.1.0-rc.1', '0.1.0-rc.1 is lower than the current 0.1.0'],
    ['0.1.0', 'CHANGELOG.md has a section 0.1.0'],
    ['1', '1 is not a version such as 1.2.3'],
  ])('refuses %s', (version, why) => {
    expect(release('--dry-run', version)).toEqual({
      status: 1,
      stdout: '',
      stderr: `release: ${why}\n`,
    });
  });

  it.each([
    ['nothing', '', 'the section "Unreleased" of CHANGELOG.md is empty'],
    [
      'an unknown section',
      '### New\n\n- A command.\n',
      'CHANGELOG.md: "New" must be one of Added, Changed, Deprecated, Removed, Fixed, Security',
    ],
  ])('refuses a CHANGELOG with %s', (_, notes, why) => {
    write('CHANGELOG.md', `# Changelog\n\n## [Unreleased]\n\n${notes}`);
    expect(release('--dry-run', '0.2.0').stderr).toBe(`release: ${why}\n`);
  });

  it.each([[], ['--dry'], ['1.0.0', '2.0.0']])('%s %s is a misuse', (...words) => {
    const { status, stderr } = release(...words);
    expect([status, stderr]).toEqual([2, expect.stringContaining('usage: npm run release')]);
  });
});

it('the CHANGELOG of this checkout can be released, unless it has nothing new', () => {
  const words = [join(root, 'scripts/release.mjs'), '--dry-run', '999.0.0'];
  const { stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  expect(['', 'release: the section "Unreleased" of CHANGELOG.md is empty\n']).toContain(stderr);
});
