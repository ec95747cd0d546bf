// `npm run deps`: the packages of a small checkout, and the licences of this one.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let checkout: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  writeFileSync(join(checkout, path), text);
}

interface Ran {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

function deps(directory: string, ...words: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(directory, 'scripts/dependencies.mjs'), ...words],
    {
      encoding: 'utf8',
      timeout: PATIENCE * 1000,
      env: { PATH: `${directory}/bin:${process.env['PATH'] ?? ''}`, HOME: directory },
    },
  );
  return { status, lines: stdout.split('\n').slice(0, -1), stderr };
}

/** A fake npx whose answer about outdated packages is `answer`. */
function registry(answer: string, exitCode: number): void {
  write('bin/npx', `#!/bin/sh\necho '${answer}'\nexit ${exitCode}\n`);
  chmodSync(join(checkout, 'bin/npx'), 0o755);
}

/** Licences of packages that programs under Apache-2.0 may contain, or be built with. */
const ALLOWED = new Set(
  'MIT ISC Apache-2.0 BSD-2-Clause BSD-3-Clause 0BSD BlueOak-1.0.0 CC0-1.0 MPL-2.0 Python-2.0 Unlicense'.split(
    ' ',
  ),
);
const STORE = 'node_modules/.pnpm';
const MS = `${STORE}/ms@2.1.3/node_modules/ms`;
const TABLE = [
  'PACKAGE  VERSION  LICENCE       SIZE   USED BY',
  '@a/big   1.0.0    MIT OR WTFPL  3 KiB  tools',
  'ms       2.1.3    MIT           1 KiB  programs',
  '',
  '2 packages, 3 KiB; licences: MIT 1, MIT OR WTFPL 1',
];

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'credmon-deps-'));
  cpSync(join(root, 'scripts/dependencies.mjs'), join(checkout, 'scripts/dependencies.mjs'));
  const big = `${STORE}/@a+big@1.0.0_ms@2.1.3/node_modules`;
  const licenses = [{ type: 'MIT' }, 'WTFPL'];
  write(
    `${big}/@a/big/package.json`,
    JSON.stringify({ name: '@a/big', version: '1.0.0', licenses }),
  );
  write(`${big}/@a/big/data`, ' '.repeat(2900));
  write(`${MS}/package.json`, '{ "name": "ms", "version": "2.1.3", "license": "MIT" }');
  // As pnpm links dependencies: such a link is not a second package.
  symlinkSync(join(checkout, MS), join(checkout, big, 'ms'));
  write('packages/credmon/dist/bin/condor_credmon.packages.json', JSON.stringify([MS]));
});
afterEach(() => rmSync(checkout, { recursive: true }));

describe('npm run deps', () => {
  it('-- --offline lists each package once with licence, size and use', () => {
    expect(deps(checkout, '--offline')).toEqual({
      status: 0,
      lines: [...TABLE, 'outdated: not asked (--offline)'],
      stderr: '',
    });
  });

  it('lists the outdated ones', () => {
    registry('{"ms":{"current":"2.1.3","latest":"3.0.0"}}', 1);
    expect(deps(checkout).lines).toEqual([
      ...TABLE,
      '',
      'OUTDATED  CURRENT  LATEST',
      'ms        2.1.3    3.0.0',
    ]);
  });

  it.each([
    ['says that none is outdated', '{}', 0, 'outdated: none'],
    [
      'says that the registry did not answer',
      'ENOTFOUND',
      1,
      'outdated: unknown, the registry did not answer',
    ],
  ])('%s', (_, answer, exitCode, line) => {
    registry(answer, exitCode);
    expect(deps(checkout).lines).toEqual([...TABLE, line]);
  });

  it('-- --programs --json gives what is in the programs', () => {
    const { lines } = deps(checkout, '--programs', '--json', '--offline');
    expect(JSON.parse(lines.join('\n'))).toEqual({
      packages: [{ name: 'ms', version: '2.1.3', licence: 'MIT', bytes: 54, use: 'programs' }],
      licences: { MIT: 1 },
      outdated: null,
    });
  });

  it('an unknown option is a misuse', () => {
    const { status, stderr } = deps(checkout, '--all');
    expect([status, stderr]).toEqual([2, expect.stringContaining('usage: npm run deps')]);
  });

  it('finds in this checkout only licences that allow to publish the programs', () => {
    const { lines } = deps(root, '--offline', '--json');
    const { licences } = JSON.parse(lines.join('\n')) as { licences: Record<string, number> };
    const isAllowed = (licence: string): boolean =>
      licence
        .replaceAll(/[()]/g, '')
        .split(' OR ')
        .some((one) => ALLOWED.has(one));
    expect(Object.keys(licences).filter((licence) => !isAllowed(licence))).toEqual([]);
  });
});
