// Settings from a configuration: what they come to, and that all mistakes are listed
// together.
import {
  type Settings,
  programFolder,
  readDaemonSettings,
  readSettings,
} from '../../src/settings/read.ts';
import type { CodedError } from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const overrides = { credDir: undefined, logFile: undefined, debug: false, verbose: false };

function settingsOf(text: string, read = readSettings): Settings {
  const file = join(mkdtempSync(join(tmpdir(), 'credmon-settings-')), 'condor_config');
  writeFileSync(file, text);
  return read(loadConfig({ subsystem: 'CREDMON_OAUTH', env: { CONDOR_CONFIG: file } }), overrides);
}

function mistakesOf(text: string): string[] {
  try {
    settingsOf(text);
  } catch (error) {
    return (error as CodedError).message.replaceAll(/\/\S+condor_config/g, 'FILE').split('\n');
  }
  return [];
}

const BASE = 'SEC_CREDENTIAL_DIRECTORY_OAUTH = /creds\nLOG = /log\n';

it('R45 the knobs of scitokens-credmon work, each with one warning that names its successor', () => {
  const settings = settingsOf(
    'SEC_CREDENTIAL_DIR = /creds\nSEC_CREDENTIAL_MONITOR_LOG = /log/CredMonLog\nTOKENS = True\n',
  );
  expect(settings).toMatchObject({ credDir: '/creds', log: { path: '/log/CredMonLog' } });
  expect(settings.warnings.map((text) => text.replace(/^.*condor_config, /, ''))).toEqual([
    expect.stringMatching(/^line 1: .* write instead: SEC_CREDENTIAL_DIRECTORY_OAUTH = \/creds$/),
    expect.stringMatching(/^line 2: .* write instead: CREDMON_OAUTH_LOG = \/log\/CredMonLog$/),
    expect.stringMatching(/^line 3: TOKENS is ignored; remove the line/),
  ]);
});

describe('settings', () => {
  it('have the defaults of the reference and of the design', () => {
    const settings = settingsOf(BASE);
    expect(settings).toMatchObject({
      credDir: '/creds',
      lists: {
        local: ['scitokens'],
        client: [],
        oauth2: '*',
        vault: '*',
        pelican: [],
        exchange: [],
        exec: [],
        specialNames: false,
      },
      allowLoopbackHttp: false,
      policy: { fraction: 0.5, jitter: 0.1 },
      limits: { connectSeconds: 5, totalSeconds: 15, maxBodyBytes: 1_048_576 },
      perIssuer: 16,
      floor: 600,
      starterRefresh: 300,
      log: { path: '/log/CredmonOauthLog', maxBytes: 10 * 2 ** 20, maxSaved: 1, debug: false },
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('use feature : OAUTH is enough', () => {
    expect(settingsOf('LOG = /log\nuse feature : OAUTH\n')).toMatchObject({
      credDir: '/var/lib/condor/oauth_credentials',
      log: { path: '/log/CredMonOAuthLog' },
    });
  });

  it('contain the clients of every service, case-insensitive, and not those of other providers', () => {
    const text = `${BASE}mytok_CLIENT_ID = me\nmytok_TOKEN_URL = https://i.example/t\nmytok_CLIENT_SECRET_FILE = /s\nCREDMON_mytok_ISSUER = https://i.example\nCREDMON_mytok_CLIENT_AUTH = basic\nCLIENT_CREDMON_CLIENT_ID = other\nosdf_PELICAN_CLIENT_ID = other\nbox_CLIENT_ID = b\n`;
    expect([...settingsOf(text).clients]).toEqual([
      [
        'BOX',
        {
          clientId: 'b',
          tokenUrl: 'https://api.box.com/oauth2/token',
          secretFile: undefined,
          policy: expect.objectContaining({ profile: 'box', issuer: undefined }),
        },
      ],
      [
        'MYTOK',
        {
          clientId: 'me',
          tokenUrl: 'https://i.example/t',
          secretFile: '/s',
          policy: expect.objectContaining({
            profile: 'generic',
            issuer: 'https://i.example',
            authentication: 'basic',
          }),
        },
      ],
    ]);
  });

  it('follow the knobs of the log', () => {
    const text = `${BASE}CREDMON_OAUTH_LOG = /x/Mon\nMAX_CREDMON_OAUTH_LOG = 1 day\nMAX_NUM_CREDMON_OAUTH_LOG = 5\nCREDMON_OAUTH_DEBUG = D_FULLDEBUG D_PID\nTRUNC_CREDMON_OAUTH_LOG_ON_OPEN = true\n`;
    expect(settingsOf(text).log).toMatchObject({
      path: '/x/Mon',
      maxBytes: 0,
      maxSeconds: 86_400,
      maxSaved: 5,
      debug: true,
      truncate: true,
      style: { showPid: true, showCategory: false },
    });
  });

  it('an unknown template is a warning with file and line', () => {
    const { warnings, credDir } = settingsOf(`${BASE}use FEATURE : AssignProjectNames(x)\n`);
    expect([credDir, warnings]).toEqual([
      '/creds',
      [
        expect.stringMatching(
          /condor_config, line 3: use FEATURE:AssignProjectNames is ignored and its settings are missing/,
        ),
      ],
    ]);
  });

  it('a list that expands without end is one of several mistakes', () => {
    const text = `${BASE}A = a $(B)\nB = b $(A)\nCREDMON_ENDPOINT_ORIGINS = $(A)\nCREDMON_RENEW_FRACTION = 7\n`;
    expect(mistakesOf(text)).toEqual([
      'The configuration has 2 errors:',
      expect.stringMatching(/^FILE, line 5: CREDMON_ENDPOINT_ORIGINS cannot be expanded: /),
      'FILE, line 6: CREDMON_RENEW_FRACTION = 7 is too large: must be at most 0.95',
    ]);
  });

  it('numbers may be expressions', () => {
    expect(settingsOf(`${BASE}CREDMON_RENEWALS_PER_ISSUER = 4\n`).perIssuer).toBe(4);
  });

  it('list all mistakes together, each with file and line', () => {
    expect(
      mistakesOf(
        'LOG = /log\nCREDMON_ALLOW_LOOPBACK_HTTP = maybe\nOAUTH2_CREDMON_PROVIDER_NAMES = good, b/d\nCREDMON_REQUEST_TIMEOUT = 9999\nx_CLIENT_ID = me\ny_CLIENT_ID = me\ny_TOKEN_URL = http://y.example/t\n',
      ),
    ).toEqual([
      'The configuration has 5 errors:',
      'SEC_CREDENTIAL_DIRECTORY_OAUTH is not set; add "use feature : OAUTH", or set it to the credential directory',
      'FILE, line 2: CREDMON_ALLOW_LOOPBACK_HTTP = maybe is not a boolean: must be true or false',
      'FILE, line 3: OAUTH2_CREDMON_PROVIDER_NAMES names "b/d": a provider name has letters, digits and "-" only (see CREDMON_ALLOW_SPECIAL_CHAR_NAMES)',
      'FILE, line 4: CREDMON_REQUEST_TIMEOUT = 9999 is too large: must be at most 600',
      expect.stringMatching(
        /^FILE, line 7: y_TOKEN_URL is unusable: .*http is allowed only to loopback/,
      ),
    ]);
  });

  const FIX = 'fix: raise CREDMON_RENEW_FRACTION or lower CREDMON_RENEW_JITTER';
  it.each([
    [
      'below the default jitter',
      'CREDMON_RENEW_FRACTION = 0.05\n',
      [
        `FILE, line 3: CREDMON_RENEW_FRACTION = 0.05 must be greater than CREDMON_RENEW_JITTER = 0.1 (default); ${FIX}`,
      ],
    ],
    [
      'equal to the jitter, as an expression',
      'CREDMON_RENEW_JITTER = 0.12\nCREDMON_RENEW_FRACTION = 0.06 * 2\n',
      [
        `FILE, line 4: CREDMON_RENEW_FRACTION = 0.12 must be greater than CREDMON_RENEW_JITTER = 0.12 (FILE, line 3); ${FIX}`,
      ],
    ],
    [
      'left at its default, below the jitter',
      'CREDMON_RENEW_JITTER = 0.6\n',
      [
        `FILE, line 3: CREDMON_RENEW_JITTER = 0.6 must be less than CREDMON_RENEW_FRACTION = 0.5 (default); ${FIX}`,
      ],
    ],
    ['just above the jitter', 'CREDMON_RENEW_FRACTION = 0.11\n', []],
    [
      'below the default of a jitter that is 0',
      'CREDMON_RENEW_FRACTION = .05\nCREDMON_RENEW_JITTER = 0\n',
      [],
    ],
    [
      'below the default of a jitter that is not a number',
      'CREDMON_RENEW_FRACTION = 0.05\nCREDMON_RENEW_JITTER = much\n',
      ['FILE, line 4: CREDMON_RENEW_JITTER = much is not a number'],
    ],
    [
      'not a number at all',
      'CREDMON_RENEW_FRACTION = real("NaN")\n',
      ['FILE, line 3: CREDMON_RENEW_FRACTION = real("NaN") is not a number'],
    ],
  ])('R5 a fraction %s', (_, knobs, mistakes) => {
    expect(mistakesOf(`${BASE}${knobs}`).slice(1)).toEqual(mistakes);
  });

  it('of the daemon warn about quotes, once for a value that cannot be used', () => {
    const text = `${BASE}x_CLIENT_ID = "me"\nx_TOKEN_URL = https://i.example/token\n`;
    expect(settingsOf(text, readDaemonSettings).warnings).toEqual([
      expect.stringMatching(/line 3: the quotes around the value of x_CLIENT_ID .*; fix: remove/),
    ]);
    expect(settingsOf(`${BASE}A = a $(B)\nB = b $(A)\n`, readDaemonSettings).warnings).toEqual([]);
    expect(mistakesOf(`${text}CREDMON_x_EXTRA_SCOPES = "openid email"\n`)).toEqual([
      'The configuration has an error:',
      expect.stringMatching(/line 5: CREDMON_x_EXTRA_SCOPES has "\\"openid", .*; fix: remove/),
    ]);
  });

  it('warn about a client without a token URL', () => {
    expect(settingsOf(`${BASE}x_CLIENT_ID = me\n`).warnings).toEqual([
      expect.stringMatching(
        /line 3: x_CLIENT_ID is set, but neither x_TOKEN_URL nor CREDMON_x_ISSUER is/,
      ),
    ]);
  });

  it('accept a client without a token URL whose issuer is known', () => {
    const text = `${BASE}x_CLIENT_ID = me\nCREDMON_x_ISSUER = https://i.example\ny_CLIENT_ID = me\nCREDMON_y_PROFILE = github\n`;
    const { clients, warnings } = settingsOf(text);
    expect([clients.get('X')?.tokenUrl, clients.get('Y')?.tokenUrl]).toEqual([
      undefined,
      undefined,
    ]);
    expect(clients.get('Y')?.policy.endpoints.tokenUrl).toMatch(/^https:\/\/github\.com\//);
    expect(warnings).toEqual([]);
  });

  it('R19 reject a name with two owners', () => {
    expect(
      mistakesOf(`${BASE}LOCAL_CREDMON_PROVIDER_NAMES = a\nOAUTH2_CREDMON_PROVIDER_NAMES = a, b\n`),
    ).toEqual([
      'The configuration has an error:',
      'FILE, line 3: LOCAL_CREDMON_PROVIDER_NAMES and OAUTH2_CREDMON_PROVIDER_NAMES both list a: a name can have only one owner',
    ]);
  });

  it('R19 report a name with two owners before missing knobs', () => {
    const [, first, ...others] = mistakesOf(
      `${BASE}CREDMON_FIRST_RETRY = never\nOAUTH2_CREDMON_PROVIDER_NAMES = a\nCLIENT_CREDMON_PROVIDER_NAMES = a\n`,
    );
    expect(first).toContain(
      'CLIENT_CREDMON_PROVIDER_NAMES and OAUTH2_CREDMON_PROVIDER_NAMES both list a',
    );
    expect(others).toHaveLength(4);
    expect(others.at(-1)).toContain('CREDMON_FIRST_RETRY');
  });
});

describe('the folder of the programs', () => {
  it.each([
    ['a package', '/usr/bin/condor_credmon', '/usr/bin'],
    ["HTCondor's name in a package", '/usr/sbin/condor_credmon_oauth', '/usr/bin'],
    ['a directory', '/opt/credmon/bin/condor_credmon', '/opt/credmon/bin'],
    ['/usr/local', '/usr/local/bin/condor_credmon', '/usr/local/bin'],
    ['a bundle of a checkout', '/src/dist/bin/condor_credmon.cjs', '/usr/local/bin'],
    ['a relative path', 'condor_credmon', '/usr/local/bin'],
    ['no program', undefined, '/usr/local/bin'],
  ])('of %s', (_, started, folder) => {
    expect(programFolder(started)).toBe(folder);
  });
});
