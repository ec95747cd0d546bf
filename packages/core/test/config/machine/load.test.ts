// The real machine: files, directories, commands, and write permission of other users.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isCoded } from '../../../src/base/errors/errors.ts';
import {
  machineFacts,
  machineHost,
  loadConfig,
  type LoadOptions,
} from '../../../src/config/machine/load.ts';

let directory = '';
const path = (name: string): string => join(directory, name);
const host = machineHost(5);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-host-'));
  writeFileSync(path('plain'), 'A = 1\n', { mode: 0o644 });
  writeFileSync(path('open'), `include command : /bin/echo A = 2\n`);
  chmodSync(path('open'), 0o666);
  mkdirSync(path('loose'));
  chmodSync(path('loose'), 0o777);
  writeFileSync(path('loose/file'), 'A = 1\n', { mode: 0o644 });
  symlinkSync(path('plain'), path('link'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function load(file: string, options: Partial<LoadOptions> = {}): string | undefined {
  try {
    return loadConfig({ subsystem: 'TEST', env: { CONDOR_CONFIG: path(file) }, ...options }).get(
      'A',
    );
  } catch (error) {
    return isCoded(error) ? error.code : String(error);
  }
}

test('a source without an end is not read to the end of the memory', () => {
  writeFileSync(path('endless'), 'A = 1\ninclude : /dev/zero\n');
  expect(load('endless')).toBe('CONFIG_LIMIT');
});

test.each([
  ['a file of our own', 'plain', undefined],
  ['a link to it', 'link', undefined],
  ['a file writable by all users', 'open', /is writable by other users$/],
  [
    'a file in a directory writable by all users',
    'loose/file',
    /loose, which contains .*, is writable by other users$/,
  ],
  ['a missing file', 'none', /^failed to check .*: ENOENT$/],
])('%s: write permission of other users', (_title, name, reason) => {
  const found = host.writableByOthers(path(name));
  expect(reason === undefined ? found === undefined : reason.test(found ?? '')).toBe(true);
});

test('a command in a file writable by all users is not run', () => {
  expect(load('open')).toBe('CONFIG_READ');
});

test('a command that hangs is stopped', () => {
  writeFileSync(path('slow'), 'include command : /bin/sleep 60\n', { mode: 0o644 });
  expect(load('slow', { commandSeconds: 0.1 })).toBe('CONFIG_READ');
});

test.each([
  ['a directory', '.'],
  ['a missing file', 'none'],
])('CONDOR_CONFIG with %s is rejected', (_title, name) => {
  expect(load(name)).toBe('CONFIG_READ');
});

test('files of a directory are listed without its directories; a missing directory is undefined', () => {
  expect([
    host.listFiles(directory)?.includes('plain'),
    host.listFiles(directory)?.includes('loose'),
  ]).toEqual([true, false]);
  expect(host.listFiles(path('none'))).toBeUndefined();
});

describe('the text of a template of the installed HTCondor', () => {
  const answer = (script: string, seconds = 5): string | undefined => {
    writeFileSync(path('condor_config_val'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${directory}:/usr/bin:/bin`);
    try {
      return machineHost(seconds).templateText('FEATURE:METRICD');
    } finally {
      vi.unstubAllEnvs();
    }
  };

  test('it is what condor_config_val prints below the heading', () => {
    expect(answer('echo "$1 $2 is"; echo "X = $CONDOR_CONFIG ${HOME:-no home}"')).toBe(
      'X = ONLY_ENV no home\n',
    );
  });

  test("the heading may have HTCondor's spelling of the name", () => {
    expect(answer('echo "use Feature:MetricD is"; echo "X = 1"')).toBe('X = 1\n');
  });

  test.each([
    ['does not know it', 'echo "Not defined: $1 $2"'],
    ['fails', 'echo "$1 $2 is"; exit 1'],
  ])('undefined if condor_config_val %s', (_title, script) => {
    expect(answer(script)).toBeUndefined();
  });

  test('undefined if condor_config_val takes too long', () => {
    expect(answer('exec /bin/sleep 60', 0.1)).toBeUndefined();
  });

  test('undefined if there is no condor_config_val', () => {
    vi.stubEnv('PATH', path('none'));
    expect(host.templateText('FEATURE:METRICD')).toBeUndefined();
    vi.unstubAllEnvs();
  });
});

test('facts contain this process and machine', () => {
  const { uid, late, fullHostname } = machineFacts();
  expect([uid, late['PID'], late['PPID']]).toEqual([
    process.getuid?.(),
    String(process.pid),
    String(process.ppid),
  ]);
  expect(fullHostname()).not.toBe('');
});

test('facts name the system, the rights of this process and its CPUs', () => {
  const { early, addresses } = machineFacts({ OMP_THREAD_LIMIT: '0' });
  const texts = new Map(
    Object.entries(early).map(([name, text]) => [name, typeof text === 'string' ? text : text()]),
  );
  const major = texts.get('OPSYSMAJORVER');
  expect(texts.get('OPSYSANDVER')).toBe(`${texts.get('OPSYSNAME') ?? ''}${major || '0'}`);
  expect([texts.get('CondorIsAdmin'), texts.get('DETECTED_CPUS_LIMIT')]).toEqual([
    String(process.getuid?.() === 0),
    '',
  ]);
  const empty = [...texts].filter(([, text]) => text === '').map(([name]) => name);
  expect(['DETECTED_CPUS_LIMIT', 'OPSYSVER', 'OPSYSMAJORVER']).toEqual(
    expect.arrayContaining(empty),
  );
  expect(addresses().map(({ address }) => address)).toContain('127.0.0.1');
});

test('the knobs that depend on facts have their raw text', () => {
  const config = loadConfig({ subsystem: 'TEST', env: { CONDOR_CONFIG: path('plain') } });
  expect([config.raw('DETECTED_CPUS_LIMIT'), config.get('DETECTED_CPUS_LIMIT')]).toEqual([
    '$(DETECTED_CPUS)',
    config.get('DETECTED_CPUS'),
  ]);
  expect(config.get('ADD_WINDOWS_FIREWALL_EXCEPTION')).toBe(config.get('CondorIsAdmin'));
});
