// The order of sources, and which of them are optional.
import { expect, test } from 'vitest';
import { isCoded } from '../../../src/base/errors/errors.ts';
import type { SourceHost } from '../../../src/config/syntax/reader-state.ts';
import { FACTS, memoryHost, readText } from '../read-text.ts';

const add = (what: string): string => `A = $(A) ${what}\n`;

function order(
  files: Record<string, string>,
  options: Parameters<typeof readText>[1] = {},
): unknown {
  try {
    return readText('', { host: memoryHost(files), ...options })
      .get('A')
      ?.trim();
  } catch (error) {
    return isCoded(error) ? error.code : error;
  }
}

const everywhere = {
  '/etc/condor/condor_config': add('etc'),
  '/usr/local/etc/condor_config': add('local'),
  '/home/condor/condor_config': add('home'),
};

test.each([
  [
    'CONDOR_CONFIG, when it is set',
    { '/c': add('c'), ...everywhere },
    { CONDOR_CONFIG: '/c' },
    'c',
  ],
  ['/etc/condor, if it is not set', everywhere, {}, 'etc'],
  ['/usr/local/etc next', { ...everywhere, '/etc/condor/condor_config': undefined }, {}, 'local'],
  ["condor's home last", { '/home/condor/condor_config': add('home') }, {}, 'home'],
  [
    'no file at all for ONLY_ENV',
    everywhere,
    { CONDOR_CONFIG: 'ONLY_ENV', _CONDOR_A: 'env' },
    'env',
  ],
  [
    'no file at all for Only_Env in any case',
    everywhere,
    { CONDOR_CONFIG: 'Only_Env', _CONDOR_A: 'env' },
    'env',
  ],
  ['without any, an error', {}, {}, 'CONFIG_READ'],
])('the root file is %s', (_title, files, env, wanted) => {
  const there = Object.entries(files).filter(([, text]) => text !== undefined) as [
    string,
    string,
  ][];
  expect(order(Object.fromEntries(there), { env })).toBe(wanted);
});

test('directories, local files, the directories again if their list changed, the user file, the environment', () => {
  const files = {
    '/c': `LOCAL_CONFIG_DIR = /d\nLOCAL_CONFIG_FILE = /l1 /l2\n${add('c')}`,
    '/d/10': add('d10'),
    '/d/9': add('d9'),
    '/d/skipped.rpmsave': add('rpmsave'),
    '/l1': `LOCAL_CONFIG_DIR = /e\n${add('l1')}`,
    '/l2': add('l2'),
    '/e/1': add('e1'),
    '/home/u/.condor/user_config': add('user'),
  };
  const facts = { ...FACTS, uid: 1000, home: '/home/u' };
  const env = { CONDOR_CONFIG: '/c', _CONDOR_A: '$(A) env' };
  expect(order(files, { facts, env })).toBe('c d10 d9 l1 l2 e1 user env');
});

test.each([
  ['a missing local file is an error', 'LOCAL_CONFIG_FILE = /none\n', 'CONFIG_READ'],
  [
    'unless it is not required',
    'LOCAL_CONFIG_FILE = /none\nREQUIRE_LOCAL_CONFIG_FILE = F\nA = 1\n',
    '1',
  ],
  ['a missing directory is ignored', 'LOCAL_CONFIG_DIR = /none\nA = 1\n', '1'],
  [
    'an invalid exclusion excludes nothing',
    'LOCAL_CONFIG_DIR_EXCLUDE_REGEXP = (\nLOCAL_CONFIG_DIR = /d\n',
    'd',
  ],
  [
    'a file that changes the list replaces the rest of it',
    'LOCAL_CONFIG_FILE = /swap /never\n',
    'swap kept',
  ],
])('%s', (_title, text, wanted) => {
  const files = {
    '/c': text,
    '/d/1': add('d'),
    '/swap': `LOCAL_CONFIG_FILE = /swap /kept\n${add('swap')}`,
    '/kept': add('kept'),
    '/never': add('never'),
  };
  expect(order(files)).toBe(wanted);
});

test.each([
  ['true', '/var/lib/condor/oauth_credentials'],
  ['$(YES)', '/var/lib/condor/oauth_credentials'],
  ['false', undefined],
])('AUTO_USE_FEATURE_OAUTH = %s', (value, wanted) => {
  const config = readText(`AUTO_USE_FEATURE_OAUTH = ${value}\nYES = 1\n`);
  expect(config.get('SEC_CREDENTIAL_DIRECTORY_OAUTH')).toBe(wanted);
});

test('the names of host and process cannot be set, and conditions in the root file do not know them yet', () => {
  const config = readText(
    'FULL_HOSTNAME = x\nPID = 1\nif $(HOSTNAME)\nA = seen\nendif\nNETWORK_HOSTNAME = n.example.test\n',
  );
  expect([config.get('HOSTNAME'), config.get('PID'), config.get('A')]).toEqual([
    'n',
    '42',
    undefined,
  ]);
});

test.each([
  ['DAEMON_LIST = A\n', '$(DAEMON_LIST) B', 'A B'],
  ['', '$(DAEMON_LIST) B', '$(DAEMON_LIST) B'],
])('after %j a variable that refers to its own knob is stored: %s', (text, value, raw) => {
  const config = readText(text, { env: { CONDOR_CONFIG: '/c', _CONDOR_DAEMON_LIST: value } });
  expect(config.raw('DAEMON_LIST')).toBe(raw);
});

/** A host whose programs print a knob; `failing` exits with status 3. */
function programHost(files: Record<string, string>): SourceHost {
  return {
    ...memoryHost(files),
    run: ([program = '', ...words]) =>
      program === 'missing'
        ? { kind: 'missing', reason: 'ENOENT' }
        : {
            kind: 'done',
            output: Buffer.from(`B = ${words.join('+')}\n`),
            status: program === 'failing' ? 3 : 0,
          },
  };
}

function local(lines: string, files: Record<string, string> = {}): unknown {
  try {
    return readText('', { host: programHost({ '/c': `B = none\n${lines}\n`, ...files }) }).get('B');
  } catch (error) {
    return isCoded(error) ? error.message : error;
  }
}

test.each([
  ['LOCAL_CONFIG_FILE = say x |', 'x'],
  ['LOCAL_CONFIG_FILE = say x | y ||', 'x+|+y'],
  ['LOCAL_CONFIG_FILE = "say \'a b\'" |', 'a b'],
  ['LOCAL_CONFIG_FILE = /a|b', '/a|b: not a valid command: | must be at the end'],
  ['LOCAL_CONFIG_FILE = failing x |', 'failing x |: exited with status 3'],
  ['LOCAL_CONFIG_FILE = missing |', 'missing |: not a valid command: ENOENT'],
  [
    'REQUIRE_LOCAL_CONFIG_FILE = false\nLOCAL_CONFIG_FILE = missing |',
    'missing |: not a valid command: ENOENT',
  ],
])('a local file with | is a command that must succeed: %s gives %s', (lines, wanted) => {
  expect(local(lines)).toBe(wanted);
});

test.each([
  ['1 > 2', 'none'],
  ['F', 'none'],
  ['falsely', 'none'],
  ['0', 'none'],
  ['2 > 1', '/no: the configuration file does not exist or cannot be read'],
  ['True', '/no: the configuration file does not exist or cannot be read'],
  ['no', '/no: the configuration file does not exist or cannot be read'],
])('REQUIRE_LOCAL_CONFIG_FILE = %s: a missing local file gives %s', (value, wanted) => {
  expect(local(`REQUIRE_LOCAL_CONFIG_FILE = ${value}\nLOCAL_CONFIG_FILE = /no`)).toBe(wanted);
});

test('a file of a directory whose name ends in | is a command, if others cannot write there', () => {
  const files = { '/d/say x|': '', '/tmp/d/say x|': '' };
  expect(local('LOCAL_CONFIG_DIR = /d', files)).toBe('x');
  expect(local('LOCAL_CONFIG_DIR = /tmp/d', files)).toBe(
    '/tmp/d:0: /tmp/d/say x is not run: /tmp/d is writable by other users',
  );
});
