// What `check` says of the installation: the version of HTCondor, the programs that
// condor_master starts, and the portal's address.
import {
  CONDOR_VERSIONS,
  checkCondorVersion,
  checkDaemons,
  checkPortal,
  compareVersions,
  usesOf,
  versionFindings,
  versionIn,
} from '../../src/checks/installation.ts';
import { settingsOf } from '../../src/settings/read.ts';
import { type CheckBench, checkBench } from '../support/check-bench.ts';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let on: CheckBench;
let own: string;
beforeEach(() => {
  on = checkBench();
  own = on.file('lib/condor_credmon.cjs', '#!/usr/bin/env node\n', 0o755);
});
afterEach(() => on.close());

const said = async (knobs: Record<string, string>): Promise<string[]> =>
  on.findings(
    { DAEMON_LIST: 'MASTER SCHEDD CREDD CREDMON_OAUTH', CREDMON_OAUTH: own, ...knobs },
    async (context) => checkDaemons(context, own),
  );
const fine = 'ok condor_master: starts $R/lib/condor_credmon.cjs';
const NO_CREDD =
  'warning condor_master: <Environment>: DAEMON_LIST has no CREDD: condor_submit cannot store credentials on this host; fix: DAEMON_LIST = $(DAEMON_LIST) CREDD';

it.each<[string, Record<string, string>, string[]]>([
  ['with all daemons', {}, [fine]],
  ['in lower case with commas', { DAEMON_LIST: 'master, schedd, credd, credmon_oauth' }, [fine]],
  ['without CREDD', { DAEMON_LIST: 'MASTER SCHEDD CREDMON_OAUTH' }, [NO_CREDD, fine]],
  [
    'without CREDD, which condor_master adds beside SCHEDD',
    { DAEMON_LIST: 'MASTER SCHEDD CREDMON_OAUTH', AUTO_INCLUDE_CREDD_IN_DAEMON_LIST: 'True' },
    [fine],
  ],
  [
    'without CREDD and SCHEDD',
    { DAEMON_LIST: 'MASTER CREDMON_OAUTH', AUTO_INCLUDE_CREDD_IN_DAEMON_LIST: 'True' },
    [NO_CREDD, fine],
  ],
  [
    'without CREDMON_OAUTH',
    { DAEMON_LIST: 'MASTER SCHEDD CREDD' },
    [
      'warning condor_master: <Environment>: DAEMON_LIST has no CREDMON_OAUTH: condor_master does not start condor_credmon; fix: DAEMON_LIST = $(DAEMON_LIST) CREDMON_OAUTH',
    ],
  ],
])('R45 a DAEMON_LIST %s', async (_, knobs, expected) => {
  expect(await said(knobs)).toEqual(expected);
});

it('R45 a DAEMON_LIST with the name of scitokens-credmon starts the daemon, too', async () => {
  const old = { DAEMON_LIST: 'MASTER, SCHEDD, CREDD, SEC_CREDENTIAL_MONITOR' };
  expect(await said({ ...old, SEC_CREDENTIAL_MONITOR: own })).toEqual([fine]);
  expect(await said({ ...old, SEC_CREDENTIAL_MONITOR: '/none/scitokens_credmon' })).toEqual([
    expect.stringMatching(
      /^error condor_master: cannot start SEC_CREDENTIAL_MONITOR = \/none\/scitokens_credmon \(ENOENT\); fix: SEC_CREDENTIAL_MONITOR = /,
    ),
  ]);
});

it('a DAEMON_LIST that is not set says nothing about this host', async () => {
  expect(await on.findings({}, async (context) => checkDaemons(context, own))).toEqual([]);
});

it('standing tokens alone need no CredD', async () => {
  const found = await said({
    DAEMON_LIST: 'MASTER COLLECTOR',
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_PROVIDER: 'frontend',
    LOCAL_CREDMON_frontend_ISSUER: 'https://ap.example',
    CREDMON_STANDING_ce1_SCOPE: 'compute.read',
    CREDMON_STANDING_ce1_AUDIENCE: 'ce.example',
    CREDMON_STANDING_ce1_SUBJECT: 'me',
    CREDMON_STANDING_ce1_PATH: '/var/lib/ce1',
  });
  expect(found).toEqual([expect.stringMatching(/DAEMON_LIST has no CREDMON_OAUTH/)]);
});

it.each<[string, () => string, RegExp]>([
  [
    'a link to this program',
    () => {
      symlinkSync(own, join(on.root, 'condor_credmon_oauth'));
      return join(on.root, 'condor_credmon_oauth');
    },
    /^ok condor_master: starts \$R\/condor_credmon_oauth$/,
  ],
  [
    'another copy of this program',
    () => on.file('opt/condor_credmon.cjs', '#!/usr/bin/env node\n', 0o755),
    /^ok /,
  ],
  [
    'a script that runs this program',
    () => on.file('wrapper', '#!/bin/sh\nexec node /opt/condor_credmon.cjs "$@"\n', 0o755),
    /^ok /,
  ],
  [
    "HTCondor's own program",
    () => on.file('sbin/condor_credmon_oauth', '#!/usr/bin/python3\n', 0o755),
    /^warning condor_master: CREDMON_OAUTH = \$R\/sbin\/condor_credmon_oauth is a Python program such as HTCondor's own, not this one; fix: CREDMON_OAUTH = \$R\/lib\/condor_credmon\.cjs$/,
  ],
  [
    'another program',
    () => on.file('bin/other', '#!/bin/sh\n', 0o755),
    /^warning condor_master: CREDMON_OAUTH = \$R\/bin\/other is not this program; fix: /,
  ],
  [
    'no file',
    () => '/no/such/condor_credmon_oauth',
    /^error condor_master: cannot start CREDMON_OAUTH = \/no\/such\/condor_credmon_oauth \(ENOENT\); fix: CREDMON_OAUTH = /,
  ],
])('R45 CREDMON_OAUTH is %s', async (_, path, expected) => {
  expect(await said({ CREDMON_OAUTH: path() })).toEqual([expect.stringMatching(expected)]);
});

it('a program that cannot be executed cannot be started', async () => {
  const path = join(on.root, 'plain');
  writeFileSync(path, '', { mode: 0o644 });
  expect(await said({ CREDMON_OAUTH: path })).toEqual([
    expect.stringMatching(
      /^error condor_master: cannot start CREDMON_OAUTH = \S+ \(not executable\); fix: /,
    ),
  ]);
});

it.each([
  [{ CREDMON_WEB_LISTEN: '0.0.0.0:8081' }, 1],
  [{ 'CREDMON_WEB.CREDMON_WEB_LISTEN': '10.0.0.1:80' }, 1],
  [{ CREDMON_WEB_LISTEN: '127.0.0.1:8081' }, 0],
  [{ CREDMON_WEB_LISTEN: 'unix:/run/web.sock' }, 0],
  [{}, 0],
])('R45 a portal with %j is reported %d times', async (knobs, count) => {
  const found = await on.findings(knobs, async (context) => checkPortal(context));
  expect(found).toEqual(
    Array.from({ length: count }, () =>
      expect.stringMatching(/^warning web portal: the portal answers on .* without TLS /),
    ),
  );
});

const root = fileURLToPath(new URL('../../../../', import.meta.url));

it.each([
  ['$CondorVersion: 23.9.6 2026-07-12 PackageID: 23.9.6+dfsg-2.1+b10 $', '23.9.6'],
  ['$CondorVersion: 25.14.0 2026-11-01 BuildID: 1 $\n$CondorPlatform: X $', '25.14.0'],
  ['no version', undefined],
])('%s is version %s', (output, version) => {
  expect(versionIn(output)).toBe(version);
});

it.each([
  ['23.9.6', '23.9.6', 0],
  ['23.9.6', '23.10.1', -1],
  ['8.9.13', '8.9.7', 6],
  ['24.0.2', '23.10.19', 1],
])('%s compared with %s', (one, other, expected) => {
  expect(Math.sign(compareVersions(one, other))).toBe(Math.sign(expected));
});

const lines = (version: string, ...uses: string[]): string[] =>
  versionFindings(version, new Set(['all', ...uses])).map(({ state, text }) => `${state} ${text}`);

describe('R45 the version of HTCondor', () => {
  it('25.14.0 lacks nothing', () => {
    expect(lines('25.14.0', 'local', 'storer', 'vault', 'pelican', 'special names')).toEqual([
      'ok 25.14.0 is installed',
    ]);
  });

  it('23.9.6 lacks what a local provider and a storer use', () => {
    expect(lines('23.9.6', 'local', 'storer')).toEqual([
      'ok 23.9.6 is installed',
      expect.stringMatching(
        /^warning 23\.9\.6 has no LOCAL_CREDMON_PROVIDER_NAMES .*: condor_submit fails .*; fix: each user runs the following command, .*: echo '\{\}' \| condor_store_cred add-oauth /,
      ),
      expect.stringMatching(
        /^warning 23\.9\.6 has no SUBMIT_ADD_LOCAL_CREDMON_PROVIDERS \(local tokens/,
      ),
      expect.stringMatching(/^ok 23\.9\.6 has no condor_store_cred -P: /),
      expect.stringMatching(/^ok 23\.9\.6 has no SEC_CREDENTIAL_STORER only for names/),
    ]);
  });

  it('says nothing of what is not used', () => {
    expect(lines('23.9.6')).toEqual(['ok 23.9.6 is installed']);
  });

  it('a version between two that were measured may lack it', () => {
    expect(lines('24.6.1', 'storer')).toEqual([
      'ok 24.6.1 is installed; tested with HTCondor 23.9.6 and 25.14.0',
      expect.stringMatching(/^ok 24\.6\.1 may have no condor_store_cred -P/),
      expect.stringMatching(/^ok 24\.6\.1 may have no SEC_CREDENTIAL_STORER/),
    ]);
  });

  it('a version that does not know the credential directory is an error', () => {
    expect(lines('8.8.5')[1]).toMatch(/^error 8\.8\.5 has no SEC_CREDENTIAL_DIRECTORY_OAUTH/);
  });
});

describe('condor_version', () => {
  let on: CheckBench;
  beforeEach(() => {
    on = checkBench();
  });
  afterEach(() => on.close());
  const found = async (script: string, knobs: Record<string, string> = {}): Promise<string[]> => {
    on.file('bin/condor_version', `#!/bin/sh\n${script}\n`, 0o755);
    const BIN = join(on.root, 'bin');
    return on.findings({ BIN, SBIN: '', ...knobs }, (context) => checkCondorVersion(context, ''));
  };

  it('R45 is found in $(BIN) and asked', async () => {
    expect(
      await found("echo '$CondorVersion: 23.9.6 x $'", { LOCAL_CREDMON_PROVIDER_NAMES: 'loc' }),
    ).toEqual([
      'ok HTCondor: 23.9.6 is installed',
      expect.stringContaining('has no LOCAL_CREDMON_PROVIDER_NAMES'),
      expect.stringContaining(
        'has no SUBMIT_ADD_LOCAL_CREDMON_PROVIDERS (local tokens without use_',
      ),
    ]);
  });

  it.each([
    ['exit 3', 'warning HTCondor: cannot run $R/bin/condor_version (exit code 3)'],
    ['echo hello', 'warning HTCondor: $R/bin/condor_version prints no version'],
  ])('that fails is a warning: %s', async (script, expected) => {
    expect(await found(script)).toEqual([expected]);
  });

  it('a host without HTCondor is not judged', async () => {
    expect(
      await on.findings({ BIN: '/none', SBIN: '/none' }, (context) =>
        checkCondorVersion(context, ''),
      ),
    ).toEqual([]);
  });

  it('the uses follow from the configuration', () => {
    const config = on.config({
      CREDMON_ALLOW_SPECIAL_CHAR_NAMES: 'true',
      LOCAL_CREDMON_PROVIDER_NAMES: 'loc',
      VAULT_CREDMON_PROVIDER_NAMES: 'v',
    });
    const settings = settingsOf(config, { credDir: undefined }, undefined);
    expect([...usesOf(settings, '/usr/local/bin/condor_credential_storer')]).toEqual([
      'all',
      'local',
      'storer',
      'vault',
      'special names',
    ]);
  });
});

/** The table of docs/htcondor-versions.md. */
function versionTable(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = CONDOR_VERSIONS.features.map(({ name, since, absent, lacking, instead, source }) => {
    const versions = `${since}${absent === undefined ? '' : ` (not in ${absent})`}`;
    return `| ${[name, versions, lacking, instead, source].map(cell).join(' | ')} |`;
  });
  const head = '| what | since | without it | instead | source |\n| --- | --- | --- | --- | --- |';
  return `${head}\n${rows.join('\n')}\n`;
}

it('docs/htcondor-versions.md has the table (UPDATE_DOCS=1 writes it again), and README the versions', async () => {
  const page = join(root, 'docs/htcondor-versions.md');
  const text = readFileSync(page, 'utf8');
  const [before = '', , after = ''] = text.split(/<!-- (?:begin|end) table -->\n/);
  const wanted = await format(
    `${before}<!-- begin table -->\n\n${versionTable()}\n<!-- end table -->\n${after}`,
    { ...(await resolveConfig(page)), parser: 'markdown' },
  );
  if (process.env['UPDATE_DOCS']) writeFileSync(page, wanted);
  expect(readFileSync(page, 'utf8')).toBe(wanted);
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const version of CONDOR_VERSIONS.measured) {
    expect(text).toContain(version);
    expect(readme).toContain(version);
  }
});
