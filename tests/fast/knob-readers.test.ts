// Who reads a knob: the declarations name exactly the programs that look it up.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KNOBS, loadConfig, type Config } from '@credmon/core/config';
import { expect, it } from 'vitest';
import { readSettings as readDaemon } from '../../packages/credmon/src/settings/read.ts';
import { readStorerSettings } from '../../packages/credmon/src/storer/settings.ts';
import { readSettings as readPortal } from '../../packages/webserver/src/settings/read.ts';
import { configuredProviders, checkAddresses } from '../../packages/webserver/src/check/knobs.ts';

const SHARED = `
LOG = /log
CLIENT_CREDMON_PROVIDER_NAMES = cli
CLIENT_CREDMON_CLIENT_ID = a
CLIENT_CREDMON_CLIENT_SECRET_FILE = /s
CLIENT_CREDMON_ISSUER = https://i.example
EXCHANGE_CREDMON_PROVIDER_NAMES = exch
EXCHANGE_CREDMON_CLIENT_ID = a
EXCHANGE_CREDMON_ISSUER = https://i.example
PELICAN_CREDMON_PROVIDER_NAMES = pel
PELICAN_CREDMON_CLIENT_ID = a
PELICAN_CREDMON_ISSUER = https://i.example
EXEC_CREDMON_PROVIDER_NAMES = exe
EXEC_CREDMON_exe_COMMAND = /bin/x
CREDMON_DEVICE_PROVIDER_NAMES = mytok
mytok_CLIENT_ID = a
mytok_TOKEN_URL = https://i.example/t
mytok_AUTHORIZATION_URL = https://i.example/a
CREDMON_mytok_ISSUER = https://i.example
CREDMON_mytok_EXTRA_SCOPES = a
CREDMON_mytok_USE_ID_TOKEN = true
CLASSAD_USER_MAP_NAMES = groups
CREDMON_STANDING_TOKENS = st1 st2 st3
CREDMON_STANDING_SCOPE = a
CREDMON_STANDING_AUDIENCE = a
CREDMON_STANDING_st1_PROVIDER = loc
CREDMON_STANDING_st1_PATH = /t/1
CREDMON_STANDING_st1_SUBJECT = a
CREDMON_STANDING_st2_PROVIDER = cli
CREDMON_STANDING_st2_PATH = /t/2
CREDMON_STANDING_st3_PROVIDER = mytok
CREDMON_STANDING_st3_PATH = /t/3
LOCAL_CREDMON_TOKEN_AUDIENCE = a
`;
/** Some knobs are read only where another is not set, such as those with older names. */
const CONFIGURATIONS = [
  `${SHARED}SEC_CREDENTIAL_DIRECTORY_OAUTH = /creds\nLOCAL_CREDMON_PROVIDER_NAMES = loc\nCREDMON_loc_KEY_DIRECTORY = /k\nVAULT_CREDMON_PROVIDER_NAMES = mytok\n`,
  `${SHARED}SEC_CREDENTIAL_DIRECTORY = /creds\nLOCAL_CREDMON_PROVIDER_NAME = loc\n`,
  `${SHARED}SEC_CREDENTIAL_DIR = /creds\nLOCAL_CREDMON_PROVIDER_NAME = loc\n`,
];

/** Read by commands of the program, not by its settings. */
const BY_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  condor_credmon: [
    '<PROVIDER>_AUTHORIZATION_URL',
    '<PROVIDER>_RETURN_URL_SUFFIX',
    'CREDMON_<PROVIDER>_REVOCATION_URL',
    'CREDMON_WEB_PREFIX',
    'CREDMON_WEB_LISTEN',
    'CREDMON_<PROVIDER>_DEVICE_URL',
    'DAEMON_LIST',
    'AUTO_INCLUDE_CREDD_IN_DAEMON_LIST',
    'CREDMON_OAUTH',
    'SEC_CREDENTIAL_MONITOR',
    'BIN',
    'SBIN',
  ],
};

const PLACES: Readonly<Record<string, readonly string[]>> = {
  KIND: ['CLIENT', 'EXCHANGE', 'PELICAN'],
  PROVIDER: ['loc', 'cli', 'exch', 'pel', 'exe', 'mytok'],
  TOKEN: ['st1', 'st2', 'st3'],
  SUBSYS: ['CREDMON_OAUTH', 'CREDMON_WEB'],
  MAP: ['groups'],
};

function filled(name: string): string[] {
  const [place, word = ''] = /<([A-Z]+)>/.exec(name) ?? [];
  if (place === undefined) return [name.toLowerCase()];
  return (PLACES[word] ?? []).flatMap((one) => filled(name.replace(place, one)));
}

const rows = Object.entries(KNOBS);
/** A name of several declarations counts for the first. */
const declared = new Map(
  rows
    .flatMap(([name, { own }]) =>
      [name, ...(own === undefined ? [] : [own])].flatMap((pattern) =>
        filled(pattern).map((one) => [one, name] as const),
      ),
    )
    .toReversed(),
);

/** The declared names of what `work` looks up in these configurations. */
function looksUp(subsystem: string, work: (config: Config) => void): string[] {
  const names = new Set<string>();
  for (const text of CONFIGURATIONS) {
    const file = join(mkdtempSync(join(tmpdir(), 'knob-readers-')), 'condor_config');
    writeFileSync(file, text);
    const config = loadConfig({ subsystem, env: { CONDOR_CONFIG: file } });
    const seen = <Value>(look: (name: string) => Value) => {
      return (name: string): Value => {
        names.add(declared.get(name.toLowerCase()) ?? name);
        return look(name);
      };
    };
    work({
      ...config,
      get: seen((name) => config.get(name)),
      raw: seen((name) => config.raw(name)),
      origin: seen((name) => config.origin(name)),
    });
  }
  return [...names];
}

it.each([
  [
    'condor_credmon',
    'CREDMON_OAUTH',
    (config: Config): void => {
      readDaemon(config, { credDir: undefined, logFile: undefined, debug: false, verbose: false });
    },
  ],
  [
    'web server',
    'CREDMON_WEB',
    (config: Config): void => {
      const settings = readPortal(config, { kind: 'unix', path: '/x' });
      readPortal(config);
      for (const provider of configuredProviders(config, settings))
        checkAddresses(config, settings, provider);
    },
  ],
  [
    'condor_credential_storer',
    'TOOL',
    (config: Config): void => {
      const settings = readStorerSettings(config);
      settings.device('mytok');
      settings.defaults('mytok');
      settings.pelican('pel');
    },
  ],
] as const)('%s reads the knobs that name it as a reader', (program, subsystem, work) => {
  const said = rows.filter(([, { readers }]) => readers.includes(program)).map(([name]) => name);
  const read = new Set([...looksUp(subsystem, work), ...(BY_COMMANDS[program] ?? [])]);
  expect([...read].sort()).toEqual(said.sort());
});
