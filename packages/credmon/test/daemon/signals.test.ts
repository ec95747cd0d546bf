// What SIGHUP says of the configuration, and how often.
import { describe, expect, it } from 'vitest';
import { createReload } from '../../src/daemon/signals.ts';
import type { Settings } from '../../src/settings/read.ts';
import { settingsWith } from '../support/access-point.ts';

const first = settingsWith({});
const second = settingsWith({ CREDMON_RENEWALS_PER_ISSUER: '3' });

it('R45 each rejection, and the end of rejections, is logged once', () => {
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(text);
  let found: Settings | string = first;
  let taken: Settings | undefined;
  let unusable = false;
  const reload = createReload(
    () => {
      if (typeof found === 'string') throw new Error(found);
      return found;
    },
    (next) => {
      if (unusable) throw new Error('the log cannot be opened');
      taken = next;
    },
    { error: say, warn: say, info: say, debug: say },
  );
  const steps: readonly (readonly [Settings | string, Settings | undefined, string | undefined])[] =
    [
      [settingsWith({}), undefined, undefined],
      ['line 3', undefined, 'The new configuration is rejected, the old one is still used: line 3'],
      ['line 3', undefined, undefined],
      ['line 4', undefined, 'The new configuration is rejected, the old one is still used: line 4'],
      [settingsWith({}), undefined, 'The configuration is valid again and unchanged'],
      [settingsWith({}), undefined, undefined],
      ['line 4', undefined, 'The new configuration is rejected, the old one is still used: line 4'],
      [second, second, undefined],
      [settingsWith({}), undefined, undefined],
    ];
  for (const [what, expected, line] of steps) {
    found = what;
    lines.length = 0;
    taken = undefined;
    reload(first);
    expect([taken, lines]).toEqual([expected, line === undefined ? [] : [line]]);
  }
  [found, taken, unusable] = [second, undefined, true];
  for (const expected of [
    ['The new configuration is rejected, the old one is still used: the log cannot be opened'],
    [],
  ]) {
    lines.length = 0;
    reload(first);
    expect([taken, lines]).toEqual([undefined, expected]);
  }
  unusable = false;
  reload(first);
  expect(taken).toBe(second);
});

/** A configuration with something of everything. */
const FULL: Readonly<Record<string, string>> = {
  mytok_CLIENT_ID: 'c',
  mytok_TOKEN_URL: 'https://issuer.example/token',
  CREDMON_mytok_EXTRA_SCOPES: 'read',
  CLIENT_CREDMON_PROVIDER_NAMES: 'site',
  CLIENT_CREDMON_site_CLIENT_ID: 'c',
  CLIENT_CREDMON_site_TOKEN_URL: 'https://issuer.example/token',
  CLIENT_CREDMON_site_CLIENT_SECRET_FILE: '/no/secret',
  EXEC_CREDMON_PROVIDER_NAMES: 'own',
  EXEC_CREDMON_own_COMMAND: '/bin/true',
  LOCAL_CREDMON_PROVIDER_NAMES: 'sci',
  LOCAL_CREDMON_ISSUER: 'https://ap.example',
  CREDMON_STANDING_TOKENS: 'ce',
  CREDMON_STANDING_PROVIDER: 'sci',
  CREDMON_STANDING_ce_PATH: '/run/ce.token',
  CREDMON_STANDING_AUDIENCE: 'https://ce.example',
  CREDMON_STANDING_ce_SUBJECT: 'x',
  CREDMON_STANDING_ce_SCOPE: 'condor:/READ',
};

/** For each setting, knobs that change it: every setting must be here. */
const CHANGES: Readonly<Record<keyof Settings, Readonly<Record<string, string>>>> = {
  credDir: {},
  condorIds: {},
  runDir: {},
  names: { CREDMON_ALLOW_SPECIAL_CHAR_NAMES: 'true' },
  lists: { OAUTH2_CREDMON_PROVIDER_NAMES: 'mytok' },
  vaultEnabled: { SEC_CREDENTIAL_STORER: '/usr/bin/condor_credential_storer' },
  vault: { AUTH_SSL_CLIENT_CAFILE: '/other.pem' },
  clients: { mytok_CLIENT_ID: 'other' },
  policies: { CREDMON_mytok_EXTRA_SCOPES: 'read, write' },
  tokenClients: { CLIENT_CREDMON_site_CLIENT_ID: 'other' },
  pelicanCaFile: { PELICAN_CREDMON_CA_FILE: '/other.pem' },
  tokenPrograms: { EXEC_CREDMON_own_COMMAND: '/bin/false' },
  local: { LOCAL_CREDMON_TOKEN_LIFETIME: '999' },
  standing: { CREDMON_STANDING_ce_SUBJECT: 'y' },
  tokens: { CREDMON_TOKEN_GROUP: 'daemon' },
  keyRotation: { CREDMON_LOCAL_KEY_ROTATE: '90d' },
  allowLoopbackHttp: { CREDMON_ALLOW_LOOPBACK_HTTP: 'false' },
  endpointOrigins: { CREDMON_ENDPOINT_ORIGINS: 'https://other.example' },
  policy: { CREDMON_DEFAULT_TOKEN_LIFETIME: '777' },
  limits: { CREDMON_REQUEST_TIMEOUT: '7' },
  lateAnswer: { CREDMON_LATE_ANSWER: '7' },
  perIssuer: { CREDMON_RENEWALS_PER_ISSUER: '7' },
  floor: { CREDMON_TOKEN_FLOOR: '7' },
  starterRefresh: { SEC_CREDENTIAL_REFRESH: '7' },
  log: { CREDMON_OAUTH_DEBUG: 'D_FULLDEBUG' },
  metrics: { CREDMON_METRICS_LISTEN: '127.0.0.1:9' },
  warnings: { noturl_CLIENT_ID: 'c' },
};

describe('R45 a changed setting', () => {
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(text);
  const log = { error: say, warn: say, info: say, debug: say };
  const taken = (before: Settings, after: Settings): Settings | undefined => {
    let next: Settings | undefined;
    lines.length = 0;
    createReload(
      () => after,
      (settings) => {
        next = settings;
      },
      log,
    )(before);
    return next;
  };

  it('is not detected when the same configuration is read twice', () => {
    expect([taken(settingsWith(FULL), settingsWith(FULL)), lines]).toEqual([undefined, []]);
  });

  it('has a row in this table for each setting', () => {
    expect(Object.keys(CHANGES).sort()).toEqual(Object.keys(settingsWith(FULL)).sort());
  });

  it.each(Object.entries(CHANGES).filter(([, knobs]) => Object.keys(knobs).length > 0))(
    'is applied: %s',
    (key, knobs) => {
      const [before, after] = [settingsWith(FULL), settingsWith({ ...FULL, ...knobs })];
      const setting = key as keyof Settings;
      expect(after[setting]).not.toEqual(before[setting]);
      expect(taken(before, after)).toBe(after);
    },
  );

  it('that needs a restart keeps its old value, all others are applied, and this is logged once', () => {
    const before = settingsWith(FULL, '/old');
    const after = {
      ...settingsWith({ ...FULL, CREDMON_TOKEN_FLOOR: '7' }, '/new'),
      condorIds: { uid: 7, gid: 7 },
      runDir: '/new-run',
    };
    const next = taken(before, after);
    expect([next?.credDir, next?.condorIds, next?.runDir, next?.floor]).toEqual([
      '/old',
      before.condorIds,
      before.runDir,
      7,
    ]);
    expect(lines).toEqual([
      'A changed credential directory (/new) needs a restart; still using the old one',
      'A changed CONDOR_IDS needs a restart; still using the old one',
      'A changed CREDMON_RUN_DIR needs a restart; still using the old one',
    ]);
  });
});
