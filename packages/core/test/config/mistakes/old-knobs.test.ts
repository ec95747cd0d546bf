// Knobs of older credmons: what still works, and what to write instead.
import { doubleNames } from '../../../src/config/mistakes/old-knobs.ts';
import { loadConfig, oldKnobs } from '@credmon/core/config';
import { expect, it } from 'vitest';

const findings = (knobs: Readonly<Record<string, string>>): string[] =>
  oldKnobs(
    loadConfig({
      subsystem: 'CREDMON_OAUTH',
      env: {
        CONDOR_CONFIG: 'ONLY_ENV',
        ...Object.fromEntries(
          Object.entries(knobs).map(([name, value]) => [`_CONDOR_${name}`, value]),
        ),
      },
    }),
  ).map(({ state, text }) => `${state} ${text.replace('<Environment>: ', '')}`);

const DIRECTORY = '/var/lib/condor/credentials';
const OAUTH = 'SEC_CREDENTIAL_DIRECTORY_OAUTH';

it('R43 a program is named where this installation has it', () => {
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env: {
      CONDOR_CONFIG: 'ONLY_ENV',
      _CONDOR_SEC_CREDENTIAL_MONITOR: '/usr/bin/scitokens_credmon',
      _CONDOR_SEC_CREDENTIAL_PRODUCER: '/usr/bin/vault_credential_producer',
    },
  });
  const texts = oldKnobs(config, '/usr/bin').map(({ text }) => text);
  expect(
    texts.map((text) => /(CREDMON_OAUTH|SEC_CREDENTIAL_STORER) = \S+/.exec(text)?.[0]),
  ).toEqual([
    'CREDMON_OAUTH = /usr/bin/condor_credmon',
    'SEC_CREDENTIAL_STORER = /usr/bin/condor_credential_storer',
  ]);
});

it.each<[string, Record<string, string>, string[]]>([
  [
    'the directory of the first README of scitokens-credmon',
    { SEC_CREDENTIAL_DIR: DIRECTORY },
    [
      `warning SEC_CREDENTIAL_DIR is an old name that still works (here only: CredD does not read it); write instead: ${OAUTH} = ${DIRECTORY}`,
    ],
  ],
  [
    'the directory before HTCondor 8.9.7',
    { SEC_CREDENTIAL_DIRECTORY: DIRECTORY },
    [
      `warning SEC_CREDENTIAL_DIRECTORY is an old name that still works (here only: CredD of HTCondor 8.9.7 and newer reads it for Kerberos credentials); write instead: ${OAUTH} = ${DIRECTORY}`,
    ],
  ],
  [
    'a directory for Kerberos beside the new name',
    { SEC_CREDENTIAL_DIRECTORY: DIRECTORY, [OAUTH]: '/creds' },
    [],
  ],
  [
    'the oldest name of the directory beside the new one',
    { SEC_CREDENTIAL_DIR: DIRECTORY, [OAUTH]: '/creds' },
    [`warning SEC_CREDENTIAL_DIR is ignored, because ${OAUTH} is set; remove the line`],
  ],
  [
    'macros in its value',
    { SEC_CREDENTIAL_DIRECTORY: '$(SPOOL)/creds' },
    [expect.stringContaining(`write instead: ${OAUTH} = $(SPOOL)/creds`)],
  ],
  [
    'the log',
    { SEC_CREDENTIAL_MONITOR_LOG: '$(LOG)/CredMonLog' },
    [
      'warning SEC_CREDENTIAL_MONITOR_LOG is an old name that still works; write instead: CREDMON_OAUTH_LOG = $(LOG)/CredMonLog',
    ],
  ],
  [
    'the log of the Vault credmon beside an older one',
    { SEC_CREDENTIAL_MONITOR_OAUTH_LOG: '/log/a', SEC_CREDENTIAL_MONITOR_LOG: '/log/b' },
    [
      'warning SEC_CREDENTIAL_MONITOR_LOG is ignored, because SEC_CREDENTIAL_MONITOR_OAUTH_LOG is set; remove the line',
      'warning SEC_CREDENTIAL_MONITOR_OAUTH_LOG is an old name that still works; write instead: CREDMON_OAUTH_LOG = /log/a',
    ],
  ],
  [
    'the daemon in DAEMON_LIST',
    {
      SEC_CREDENTIAL_MONITOR: '/usr/bin/scitokens_credmon',
      DAEMON_LIST: 'MASTER, SEC_CREDENTIAL_MONITOR',
    },
    [
      'warning SEC_CREDENTIAL_MONITOR is an old name that still works, because DAEMON_LIST names it; write instead: CREDMON_OAUTH = /usr/local/bin/condor_credmon, and CREDMON_OAUTH for SEC_CREDENTIAL_MONITOR in DAEMON_LIST',
    ],
  ],
  [
    'the daemon that nothing starts',
    { SEC_CREDENTIAL_MONITOR: '/usr/bin/scitokens_credmon', DAEMON_LIST: 'MASTER CREDMON_OAUTH' },
    [
      'warning SEC_CREDENTIAL_MONITOR is ignored, because DAEMON_LIST does not name it; write instead: CREDMON_OAUTH = /usr/local/bin/condor_credmon',
    ],
  ],
  [
    'TOKENS',
    { TOKENS: 'True' },
    [
      'warning TOKENS is ignored; remove the line: CredD of HTCondor 8.9.2 and newer always stores tokens',
    ],
  ],
  [
    'the log level',
    { SEC_CREDENTIAL_MONITOR_LOG_LEVEL: 'DEBUG' },
    [
      'warning SEC_CREDENTIAL_MONITOR_LOG_LEVEL is ignored; write instead, for debug messages: CREDMON_OAUTH_DEBUG = D_FULLDEBUG',
    ],
  ],
  [
    'the producer of scitokens-credmon',
    { SEC_CREDENTIAL_PRODUCER: '/usr/bin/scitokens_credential_producer' },
    [expect.stringContaining('LOCAL_CREDMON_PROVIDER_NAMES = scitokens')],
  ],
  ['a producer of Kerberos tickets', { SEC_CREDENTIAL_PRODUCER: '/usr/bin/batch_krb5' }, []],
  ['a macro of the name TOKENS', { TOKENS: '/etc/condor/tokens.d' }, []],
  ['an empty value', { SEC_CREDENTIAL_DIRECTORY: '' }, []],
])('R45 %s', (_, knobs, expected) => {
  expect(findings(knobs)).toEqual(expected);
});

it('R43 a client secret in the configuration is refused with the line to write, and not shown', () => {
  expect(findings({ mytok_CLIENT_ID: 'a', mytok_CLIENT_SECRET: 'CANARY' })).toEqual([
    'error mytok_CLIENT_SECRET is refused; the secret is in clear: everyone who may run condor_config_val can read it; write instead: mytok_CLIENT_SECRET_FILE = /etc/condor/.secrets/mytok, and put the secret into that file: install -D -m 600 /dev/stdin /etc/condor/.secrets/mytok',
  ]);
});

it('R43 a client secret beside its file is ignored', () => {
  const knobs = {
    mytok_CLIENT_ID: 'a',
    mytok_CLIENT_SECRET: 'CANARY',
    mytok_CLIENT_SECRET_FILE: '/s',
  };
  expect(findings(knobs)).toEqual([
    'warning mytok_CLIENT_SECRET is ignored; the secret is in clear: everyone who may run condor_config_val can read it; remove the line, and change the secret at the issuer',
  ]);
});

it.each(['other_CLIENT_SECRET', 'CLIENT_CREDMON_mytok_CLIENT_SECRET'])(
  '%s belongs to no provider with logins, and is left to the check for unknown knobs',
  (name) => {
    expect(findings({ mytok_CLIENT_ID: 'a', [name]: 'CANARY' })).toEqual([]);
  },
);

const NONE = { local: [], client: [], exchange: [], pelican: [], exec: [] };

it.each([
  [
    'local',
    'LOCAL_CREDMON_PROVIDER_NAMES (by default) lists mytok, so the daemon signs its tokens',
  ],
  ['client', 'CLIENT_CREDMON_PROVIDER_NAMES lists mytok, so the daemon fetches its tokens'],
  ['exchange', 'EXCHANGE_CREDMON_PROVIDER_NAMES lists mytok, so the daemon exchanges its tokens'],
  ['pelican', 'PELICAN_CREDMON_PROVIDER_NAMES lists mytok, so the daemon exchanges its tokens'],
  ['exec', 'EXEC_CREDMON_PROVIDER_NAMES lists mytok, so the daemon runs a program'],
])('R45 the list %s owns a name that has a client', (kind, text) => {
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env: { CONDOR_CONFIG: 'ONLY_ENV', _CONDOR_mytok_CLIENT_ID: 'a', _CONDOR_other_CLIENT_ID: 'b' },
  });
  expect(doubleNames(config, { ...NONE, [kind]: ['mytok', 'more'] })).toEqual([
    { name: 'mytok', text: expect.stringContaining(`users cannot log in: ${text}`) as string },
  ]);
  expect(doubleNames(config, NONE)).toEqual([]);
});
