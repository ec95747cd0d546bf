// `check --migrate`: the new configuration for an old one is read without a finding.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@credmon/core/config';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/checks/config.ts';
import { checkDaemons } from '../../src/checks/installation.ts';
import { runMigrateCommand } from '../../src/commands/check.ts';
import { proxyLines, wsgiPortalIn } from '../../src/migrate/knobs.ts';
import {
  FIRST_README,
  OAUTH_CREDMON,
  SCITOKENS_CREDMON,
  VAULT_CREDMON,
  WSGI,
} from './old-files.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** The new configuration for these texts, as lines; the files are FILE1, FILE2, ... */
function migrated(...texts: readonly string[]): { lines: string[]; code: number } {
  const folder = mkdtempSync(join(tmpdir(), 'migrate-'));
  const files = texts.map((text, index) => {
    const file = join(folder, `FILE${index + 1}`);
    writeFileSync(file, text);
    return file;
  });
  let printed = '';
  const common = { name: 'CREDMON_OAUTH', credDir: undefined, configFile: undefined };
  const code = runMigrateCommand({ kind: 'migrate', ...common, files }, (text) => {
    printed += text;
  });
  return { lines: printed.replaceAll(`${folder}/`, '').split('\n'), code };
}

/** What the daemon and `check` say about a configuration. */
function findingsOf(lines: readonly string[]): string[] {
  const file = join(mkdtempSync(join(tmpdir(), 'migrated-')), 'condor_config');
  writeFileSync(file, `LOG = /var/log/condor\n${lines.join('\n')}\n`);
  const config = loadConfig({ subsystem: 'CREDMON_OAUTH', env: { CONDOR_CONFIG: file } });
  const { settings, findings } = checkConfig(config, { credDir: undefined });
  const daemons = settings ? checkDaemons({ config, settings }, '/usr/local/bin/x') : [];
  return [...findings, ...daemons].map(
    ({ state, text }) => `${state} ${text.replace(file, 'FILE')}`,
  );
}

const FINE = [
  'ok FILE: no errors',
  // The program is not installed on the machine that runs the tests.
  expect.stringMatching(/^(?:ok starts|error cannot start CREDMON_OAUTH =) \/usr\/local\/bin/),
];
const plain = (lines: readonly string[]): string[] =>
  lines.filter((line) => line !== '' && !line.startsWith('#'));

describe('R45 the configuration of an older credmon becomes one that is read without a finding', () => {
  it.each([
    ['scitokens-credmon', [SCITOKENS_CREDMON]],
    ['the first README of scitokens-credmon', [FIRST_README]],
    ['condor_credmon_oauth', [OAUTH_CREDMON]],
    ['the Vault credmon', [VAULT_CREDMON]],
    ['two files', [OAUTH_CREDMON, VAULT_CREDMON]],
    ['with its web server', [FIRST_README, WSGI]],
  ])('%s', (_, texts) => {
    const { lines, code } = migrated(...texts);
    expect(code).toBe(0);
    expect(findingsOf(lines)).toEqual(FINE);
    // Once more: nothing is left to migrate.
    const again = migrated(lines.join('\n'));
    expect(plain(again.lines)).toEqual(plain(lines));
  });
});

it('R45 scitokens-credmon: logins, a local issuer, and what has no successor', () => {
  const { lines } = migrated(SCITOKENS_CREDMON);
  expect(lines).toEqual([
    '# The configuration of condor_credmon, made from',
    '#   FILE1',
    '# Copy it to /etc/condor/config.d/, and remove the lines for the old credmon from these files.',
    '',
    'use feature : OAUTH',
    'DAEMON_LIST = $(DAEMON_LIST) CREDD',
    'CREDMON_OAUTH = /usr/local/bin/condor_credmon',
    'CREDMON_WEB_PREFIX = https://$(FULL_HOSTNAME)',
    'SEC_DEFAULT_ENCRYPTION = REQUIRED',
    'SEC_CREDENTIAL_DIRECTORY_OAUTH = /var/lib/condor/credentials',
    'CREDMON_OAUTH_LOG = $(LOG)/CredMonLog',
    '',
    'BOX_CLIENT_ID = box-client',
    'BOX_CLIENT_SECRET_FILE = /etc/condor/.secrets/box',
    'BOX_RETURN_URL_SUFFIX = /return/box',
    // The URLs of Box and CREDD_OAUTH_MODE are HTCondor's defaults.
    '',
    '# Tokens that are signed here.',
    '# Instead of SEC_CREDENTIAL_PRODUCER: users write use_oauth_services = scitokens.',
    // The name that every version of HTCondor reads.
    'LOCAL_CREDMON_PROVIDER_NAME = scitokens',
    'LOCAL_CREDMON_ISSUER = https://$(FULL_HOSTNAME)',
    'LOCAL_CREDMON_AUTHZ_TEMPLATE = read:/user/{username} write:/user/{username}',
    '# As before: no version, and no audience. Better: scitoken:2.0 with LOCAL_CREDMON_TOKEN_AUDIENCE.',
    'LOCAL_CREDMON_TOKEN_VERSION = none',
    '# The default of 20 minutes is short: a job may read a token with 4 minutes left.',
    '# LOCAL_CREDMON_TOKEN_LIFETIME = 40 min',
    '',
    '# Without a successor:',
    '#   BOX_USER_URL (FILE1, line 17): the portal shows the name in the ID token; no other address is asked',
    '# Not about credentials, left in their files: NUM_CPUS',
  ]);
});

it('R43 a secret in clear becomes a file, and is not printed', () => {
  const { lines } = migrated(FIRST_README);
  expect(lines.join('\n')).not.toContain('CANARY');
  expect(lines).toEqual(
    expect.arrayContaining([
      '#   install -D -m 600 /dev/stdin /etc/condor/.secrets/scitokens',
      'SCITOKENS_CLIENT_SECRET_FILE = /etc/condor/.secrets/scitokens',
      'SCITOKENS_RETURN_URL_SUFFIX = /return/scitokens',
    ]),
  );
});

it('R45 macros of the old files are expanded, those of HTCondor stay', () => {
  const { lines } = migrated(OAUTH_CREDMON);
  expect(lines).toContain('OTHER_CLIENT_SECRET_FILE = /etc/condor/.secrets/other');
  expect(lines).toContain('LOCAL_CREDMON_PROVIDER_NAME = scitokens');
  expect(lines).toContain('# Not about credentials, left in their files: BASE');
});

it('R45 the Vault credmon: the storer of this project, and trusted hosts', () => {
  expect(plain(migrated(VAULT_CREDMON).lines)).toEqual([
    'use feature : OAUTH',
    'DAEMON_LIST = $(DAEMON_LIST) CREDD',
    'CREDMON_OAUTH = /usr/local/bin/condor_credmon',
    'SEC_DEFAULT_ENCRYPTION = REQUIRED',
    'SEC_CREDENTIAL_STORER = /usr/local/bin/condor_credential_storer',
    'SEC_CREDENTIAL_GETTOKEN_OPTS = -a vault.example.org',
    'CREDMON_OAUTH_TOKEN_MINIMUM = 2400',
    'SEC_CREDENTIAL_SWEEP_DELAY = 604800',
  ]);
  const unnamed = VAULT_CREDMON.replace(/^SEC_CREDENTIAL_GETTOKEN_OPTS.*$/m, '');
  expect(migrated(unnamed).lines).toContain('# TRUSTED_VAULT_HOSTS = vault.example.org');
});

describe('the web server of an older portal', () => {
  it('R45 gets the lines of the proxy, and CREDMON_WEB_PREFIX its address', () => {
    const { lines } = migrated(FIRST_README, WSGI);
    expect(lines).toContain('CREDMON_WEB_PREFIX = https://ap.example.org:8080');
    expect(lines).toContain(
      '#   ProxyPass / "unix:/run/condor_credmon_web.sock|http://condor-credmon-web/" timeout=60',
    );
  });

  it.each([
    ['WSGIScriptAlias /credmon /x.wsgi', { path: '/credmon', host: undefined, port: undefined }],
    [
      '<VirtualHost _default_:443>\nServerName https://ap.example.org:443\n WSGIScriptAlias  / /x.wsgi',
      { path: '', host: 'ap.example.org', port: undefined },
    ],
  ])('%j is a portal', (text, expected) => {
    expect(wsgiPortalIn('f', text)).toEqual({ file: 'f', ...expected });
  });

  it('a configuration of HTCondor is none', () => {
    expect(wsgiPortalIn('f', SCITOKENS_CREDMON)).toBeUndefined();
    expect(wsgiPortalIn('f', '# WSGIScriptAlias / /x.wsgi')).toBeUndefined();
  });

  it('each line is in configs/apache', () => {
    const apache = readFileSync(join(root, 'configs/apache/condor_credmon_web.conf'), 'utf8');
    const backend = /Define CREDMON_WEB_BACKEND (\S+)/.exec(apache)?.[1] ?? '';
    const filled = apache.replaceAll('${CREDMON_WEB_BACKEND}', backend);
    const portal = { file: 'f', path: '', host: undefined, port: undefined };
    for (const line of proxyLines(portal)) expect(filled).toContain(`    ${line}\n`);
    expect(proxyLines({ ...portal, path: '/credmon' }).at(-1)).toBe(
      'ProxyPass /credmon/ "unix:/run/condor_credmon_web.sock|http://condor-credmon-web/credmon/" timeout=60',
    );
  });
});

it('what cannot be understood is a comment, and exit code 1', () => {
  const { lines, code } = migrated('A B C\nTOKENS = True\n');
  expect(code).toBe(1);
  expect(lines).toContain('# Lines that could not be parsed:');
  expect(migrated('include command : /bin/echo TOKENS = True\n').code).toBe(1);
});

describe('a value of the old configuration becomes no other line of the new one', () => {
  it.each([
    [
      'LOCAL_CREDMON_ISSUER @=x\nhttps://a\n@end\nCREDMON_X = 1\n@x\n',
      'https://a\n@end\nCREDMON_X = 1',
    ],
    ['LOCAL_CREDMON_ISSUER = https://a\\', 'https://a'],
  ])('%j', (text, value) => {
    const file = join(mkdtempSync(join(tmpdir(), 'migrated-')), 'condor_config');
    writeFileSync(file, migrated(text).lines.join('\n'));
    const config = loadConfig({ subsystem: 'CREDMON_OAUTH', env: {}, files: [file] });
    expect(config.get('LOCAL_CREDMON_ISSUER')).toBe(value);
    expect(config.get('LOCAL_CREDMON_TOKEN_VERSION')).toBe('none');
    expect(config.get('CREDMON_X')).toBeUndefined();
  });

  it('a message with a line feed', () => {
    const { lines } = migrated('A @=x\nhttps://a\nCREDMON_X = 1\n@x\ninclude : $(A)\n');
    expect(plain(lines).filter((line) => line.includes('CREDMON_X'))).toEqual([]);
  });
});

it('a secret is printed in no form', () => {
  const { lines } = migrated(
    'A_CLIENT_ID = a\nA_CLIENT_SECRET_FILE = hidden1\nB_CLIENT_SECRET_FILE = hidden2\n' +
      'include command : /bin/fetch -u user:hidden3\nC_CLIENT_SECRET hidden4\n',
  );
  expect(lines.filter((line) => line.includes('hidden'))).toEqual([]);
  expect(lines).toContain('A_CLIENT_SECRET_FILE = /etc/condor/.secrets/a');
});

it('a password in a URL is not printed, and its line says where it is', () => {
  const { lines } = migrated(
    'P = hidden1\nA_TOKEN_URL = https://me:hidden2@a.example/t\n' +
      'A_CLIENT_ID = a\nA_AUTHORIZATION_URL = https://me:$(P)@a.example/a\n',
  );
  expect(lines.filter((line) => line.includes('hidden'))).toEqual([]);
  expect(lines.filter((line) => line.includes('by hand'))).toHaveLength(2);
});

it('at most 100 lines say what was not read', () => {
  const { lines } = migrated('A B C\n'.repeat(102));
  expect(lines.filter((line) => line.includes('not a valid'))).toHaveLength(100);
  expect(lines).toContain('#   and 2 more');
});

it('a file without an end is not read', () => {
  const common = { name: 'CREDMON_OAUTH', credDir: undefined, configFile: undefined };
  let printed = '';
  const print = (text: string): void => void (printed += text);
  expect(runMigrateCommand({ kind: 'migrate', ...common, files: ['/dev/zero'] }, print)).toBe(1);
  expect(printed).toContain('#   /dev/zero is too large');
});

it('a file that is missing is an error', () => {
  const common = { name: 'CREDMON_OAUTH', credDir: undefined, configFile: undefined };
  expect(() =>
    runMigrateCommand({ kind: 'migrate', ...common, files: ['/none'] }, () => undefined),
  ).toThrow('/none: cannot be read (ENOENT)');
});
