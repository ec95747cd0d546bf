// R19 R26 provider names with `_`: whatever the knob says, nothing that belongs to
// keycloak_extra is sent to keycloak.
import { join } from 'node:path';
import { createSend, messageOf, DEFAULT_SEND_LIMITS } from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import {
  startMaliciousIssuer,
  type MaliciousIssuer,
} from '@credmon/test-fixtures/servers/malicious-issuer';
import {
  startCaptureServer,
  type CaptureServer,
} from '@credmon/test-fixtures/servers/capture-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCheckCommand } from '../../src/commands/check.ts';
import { runRevokeCommand } from '../../src/commands/revoke.ts';
import { evaluateTokens, openStore } from '../../src/commands/read-directory.ts';
import { parseRequest } from '../../src/storer/arguments.ts';
import { readStorerSettings } from '../../src/storer/settings.ts';
import { storeAll } from '../../src/storer/store.ts';
import { accessPoint, settingsWith, type AccessPoint } from '../support/access-point.ts';

/** Provider `keycloak` is the thief: it writes down whatever it is sent. */
let keycloak: CaptureServer;
let extra: MaliciousIssuer;
let on: AccessPoint;
beforeEach(async () => {
  keycloak = await startCaptureServer();
  extra = await startMaliciousIssuer();
  on = accessPoint();
});
afterEach(async () => {
  await on.close();
  await keycloak.close();
  await extra.close();
});

const SECRETS = {
  'refresh token': 'CANARY-extra-refresh',
  'access token': 'CANARY-extra-access',
  'client secret': 'CANARY-extra-secret',
  "a handle's refresh token": 'CANARY-extra-handle',
};
const top = (refresh: string): string => JSON.stringify({ refresh_token: refresh });

/** Both providers and one token of each, with and without a handle. */
function setUp(specialNames: boolean): Record<string, string> {
  const knobs = {
    keycloak_CLIENT_ID: 'kc',
    keycloak_CLIENT_SECRET_FILE: on.secret('kc', 'kc-secret'),
    keycloak_TOKEN_URL: `${keycloak.url}/token`,
    CREDMON_keycloak_REVOCATION_URL: `${keycloak.url}/revoke`,
    keycloak_extra_CLIENT_ID: 'ex',
    keycloak_extra_CLIENT_SECRET_FILE: on.secret('ex', SECRETS['client secret']),
    keycloak_extra_TOKEN_URL: extra.tokenUrl,
    CREDMON_keycloak_extra_REVOCATION_URL: `${extra.url}/revoke`,
    CREDMON_keycloak_EXTRA_SCOPES: 'of-keycloak',
    CREDMON_keycloak_extra_EXTRA_SCOPES: 'of-extra',
    CREDMON_ALLOW_SPECIAL_CHAR_NAMES: String(specialNames),
  };
  on.configure(knobs);
  const meta = {
    client_id: 'ex',
    client_secret: SECRETS['client secret'],
    token_url: extra.tokenUrl,
    use_refresh_token: true,
  };
  on.store('alice/keycloak.top', top('kc-refresh'));
  on.store('alice/keycloak_h1.top', top('kc-handle'));
  on.store('alice/keycloak_extra.top', top(SECRETS['refresh token']));
  on.store('alice/keycloak_extra.meta', JSON.stringify(meta));
  on.store(
    'alice/keycloak_extra.use',
    JSON.stringify({ access_token: SECRETS['access token'], issued_at: 1, expires_at: 2 }),
  );
  on.store('alice/keycloak_extra_h1.top', top(SECRETS["a handle's refresh token"]));
  return knobs;
}
const refreshed = (): string[] =>
  keycloak.requests.map(({ body }) => new URLSearchParams(body).get('refresh_token') ?? '').sort();
const REASON =
  'keycloak_extra is ambiguous: it is also the handle "extra" of the provider "keycloak"; no login and no renewal of keycloak_extra; fix: rename it to keycloakextra, or set CREDMON_ALLOW_SPECIAL_CHAR_NAMES = true (turns handles off)';

/** The same knobs as a file, for a command. */
function configFile(knobs: Record<string, string>): string {
  const all = {
    SEC_CREDENTIAL_DIRECTORY_OAUTH: on.directory,
    LOG: join(on.directory, '..'),
    CREDMON_ALLOW_LOOPBACK_HTTP: 'true',
    ...knobs,
  };
  return on.secret(
    'condor_config',
    Object.entries(all)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(''),
  );
}
const common = (knobs: Record<string, string>) => ({
  configFile: configFile(knobs),
  credDir: undefined,
  name: 'CREDMON_OAUTH',
  json: false,
});

describe('P30 R19 R26 without CREDMON_ALLOW_SPECIAL_CHAR_NAMES', () => {
  it('the daemon renews keycloak and its handles, but not keycloak_extra, with a reason', async () => {
    const knobs = setUp(false);
    await on.pass();
    expect([refreshed(), extra.paths, keycloak.carried(SECRETS)]).toEqual([
      ['kc-handle', 'kc-refresh'],
      [],
      [],
    ]);
    const settings = settingsWith(knobs, on.directory);
    const now = { wall: on.clock.now(), steady: 0 };
    const { tokens } = await openStore(settings).scan(now);
    const rows = evaluateTokens(tokens, settings, now).map(({ row }) => [
      row.service,
      row.handle,
      row.provider,
      row.why,
    ]);
    expect(rows).toEqual([
      ['keycloak', '', 'oauth', null],
      ['keycloak', 'extra', null, REASON],
      ['keycloak', 'extra_h1', null, REASON],
      ['keycloak', 'h1', 'oauth', null],
    ]);
    expect(settings.warnings).toEqual([expect.stringContaining(REASON)]);
  });

  it('check has one warning about the name, and no other about that provider', async () => {
    const printed: string[] = [];
    await runCheckCommand(
      { kind: 'check', user: undefined, ...common(setUp(false)), json: true },
      {},
      (text) => printed.push(text),
    );
    const findings = JSON.parse(printed.join('')) as {
      state: string;
      what: string;
      text: string;
    }[];
    const said = findings.filter(({ text, what }) => `${what} ${text}`.includes('keycloak_extra'));
    expect(said.map(({ state, text }) => [state, text.includes(REASON)])).toEqual([
      ['warning', true],
      ['warning', true],
      ['warning', false],
    ]);
    expect(keycloak.carried(SECRETS)).toEqual([]);
  });

  it('revoke keeps its tokens and sends no request', async () => {
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    const command = {
      kind: 'revoke',
      dryRun: false,
      yes: false,
      user: 'alice',
      service: 'keycloak_extra',
      ...common(setUp(false)),
    } as const;
    await runRevokeCommand(command, {}, { stdout: say, stderr: say });
    expect([
      said.join('\n').includes(REASON),
      on.has('alice/keycloak_extra.top'),
      keycloak.requests,
      extra.paths,
    ]).toEqual([true, true, [], []]);
  });
});

describe('R19 R26 with CREDMON_ALLOW_SPECIAL_CHAR_NAMES', () => {
  it('the daemon sends the tokens of keycloak_extra to its own issuer, and no name is a handle', async () => {
    extra.become({ token: { scope: 'of-extra' } });
    setUp(true);
    await on.pass();
    expect([refreshed(), extra.paths, keycloak.carried(SECRETS)]).toEqual([
      ['kc-refresh'],
      ['POST /token'],
      [],
    ]);
    expect([
      on.read('alice/keycloak_extra.use')['scope'],
      on.has('alice/keycloak_extra_h1.use'),
    ]).toEqual(['of-extra', false]);
  });

  it('revoke asks the issuer of keycloak_extra', async () => {
    const say = (): void => undefined;
    const command = {
      kind: 'revoke',
      dryRun: false,
      yes: false,
      user: 'alice',
      service: 'keycloak_extra',
      ...common(setUp(true)),
    } as const;
    await runRevokeCommand(command, {}, { stdout: say, stderr: say });
    expect([keycloak.requests, extra.paths.length > 0, on.has('alice/keycloak_extra.top')]).toEqual(
      [[], true, false],
    );
  });
});

describe('R19 R26 the storer', () => {
  /** The error of a device login, and everything that was stored. */
  async function store(
    specialNames: boolean,
    request: string,
  ): Promise<{ error: string; stored: unknown[] }> {
    const {
      keycloak_CLIENT_SECRET_FILE: _,
      keycloak_extra_CLIENT_SECRET_FILE: __,
      ...knobs
    } = setUp(specialNames);
    const all = {
      ...knobs,
      CREDMON_ALLOW_LOOPBACK_HTTP: 'true',
      CREDMON_keycloak_DEVICE_URL: `${keycloak.url}/device`,
      CREDMON_keycloak_extra_DEVICE_URL: `${extra.url}/device`,
      my_site_CLIENT_ID: 'my',
      my_site_TOKEN_URL: extra.tokenUrl,
      CREDMON_my_site_DEVICE_URL: `${extra.url}/device`,
    };
    const env = Object.fromEntries(
      Object.entries(all).map(([name, value]) => [`_CONDOR_${name}`, value]),
    );
    const settings = readStorerSettings(
      loadConfig({ subsystem: 'TOOL', env: { CONDOR_CONFIG: 'ONLY_ENV', ...env } }),
    );
    const { send, close } = createSend(DEFAULT_SEND_LIMITS);
    const stored: unknown[] = [];
    const keep = async (at: unknown): Promise<void> => void stored.push(at);
    const context = {
      send,
      clock: { now: () => Date.now() / 1000, steady: () => 0, wait: async () => undefined },
      terminal: { descriptor: 1, print: () => undefined },
      stderr: 2,
      run: async () => ({ code: 1, output: '' }),
      storeCred: { query: async () => 'no' as const, add: keep, addUse: keep },
      unicode: false,
      mode: undefined,
      say: () => undefined,
    };
    const error = await storeAll(context, [parseRequest(request)], settings, false).then(
      () => '',
      messageOf,
    );
    await close();
    return { error, stored };
  }

  it.each<[boolean, string, RegExp, number]>([
    [
      false,
      'keycloak_extra',
      /^keycloak_extra is ambiguous: it is also the handle "extra" of the provider "keycloak"/,
      0,
    ],
    [
      false,
      'keycloak&handle=extra',
      /^keycloak_extra is ambiguous: it is also the handle "extra" of the provider "keycloak"/,
      0,
    ],
    [
      false,
      'my_site',
      /^my_site is read as the handle "site" of a provider "my"; fix: rename it to mysite/,
      0,
    ],
    [
      true,
      'keycloak&handle=h1',
      /^keycloak with the handle "h1" rejected: CREDMON_ALLOW_SPECIAL_CHAR_NAMES = true turns handles off/,
      0,
    ],
    [true, 'keycloak_extra', /^$/, 2],
    [true, 'my_site', /^$/, 2],
  ])('knob %s, %s', async (knob, request, error, count) => {
    const outcome = await store(knob, request);
    expect([outcome.error, outcome.stored.length]).toEqual([expect.stringMatching(error), count]);
    expect(keycloak.requests).toEqual([]);
  });
});

it.each(['', 'OAUTH2_CREDMON_PROVIDER_NAMES = my_site\n'])(
  'R45 check gives only a warning with a fix for a name with "_": %s',
  async (list) => {
    const path = on.secret(
      'condor_config',
      `NETWORK_HOSTNAME = ap.example.org
LOG = ${on.directory}/..
SEC_CREDENTIAL_DIRECTORY_OAUTH = ${on.directory}
CREDMON_ALLOW_LOOPBACK_HTTP = true
my_site_CLIENT_ID = abc
my_site_CLIENT_SECRET_FILE = ${on.secret('secret', 'x')}
my_site_TOKEN_URL = ${extra.tokenUrl}
my_site_AUTHORIZATION_URL = ${extra.url}/auth
my_site_RETURN_URL_SUFFIX = /return/my_site
${list}`,
    );
    const printed: string[] = [];
    const code = await runCheckCommand(
      {
        kind: 'check',
        user: undefined,
        configFile: path,
        credDir: undefined,
        name: 'CREDMON_OAUTH',
        json: true,
      },
      {},
      (text) => printed.push(text),
    );
    const findings = JSON.parse(printed.join('')) as { state: string; text: string }[];
    const advice =
      'my_site is read as the handle "site" of a provider "my"; fix: rename it to mysite, or set CREDMON_ALLOW_SPECIAL_CHAR_NAMES = true (turns handles off)';
    expect([
      code,
      findings.filter(({ text }) => text.includes(advice)).map(({ state }) => state),
      findings.filter(
        ({ state, text }) => state === 'error' || text.includes('does not name my_site'),
      ),
    ]).toEqual([0, ['warning'], []]);
  },
);
