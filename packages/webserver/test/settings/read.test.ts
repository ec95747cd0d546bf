// The settings: defaults, every knob, and all mistakes together.
import { GENERIC_POLICY } from '@credmon/core/profiles';
import { describe, expect, it } from 'vitest';
import { isCoded } from '@credmon/core/base';
import { DEFAULT_STYLE } from '@credmon/core/log';
import { readSettings } from '../../src/settings/read.ts';
import { providerSettings } from '../../src/settings/settings.ts';
import { fakeConfig } from '../support/config.ts';

const least = { SEC_CREDENTIAL_DIRECTORY_OAUTH: '/creds', FULL_HOSTNAME: 'ap.example' };

function mistakes(knobs: Record<string, string>): readonly string[] {
  try {
    readSettings(fakeConfig(knobs));
  } catch (error) {
    if (!isCoded(error, 'CONFIG_INVALID')) throw error;
    return error.message.split('\n').slice(1);
  }
  return [];
}

describe('the settings', () => {
  it('have defaults for everything but the credential directory', () => {
    expect(readSettings(fakeConfig(least))).toEqual({
      credentialDirectory: '/creds',
      prefix: 'https://ap.example',
      mount: '',
      secure: true,
      host: 'ap.example',
      listen: { kind: 'tcp', host: '127.0.0.1', port: 8081 },
      trustedProxies: ['127.0.0.1', '::1'],
      sessionDirectory: '/var/lib/condor/credmon_web_sessions',
      sessionCount: 10_000,
      sessionIdleSeconds: 1800,
      sessionSeconds: 28_800,
      loginSeconds: 600,
      keySeconds: 43_200,
      requestsPerMinute: 300,
      overloadSeconds: 2,
      log: {
        path: undefined,
        stderr: true,
        debug: false,
        maxBytes: 10 * 2 ** 20,
        maxSeconds: 0,
        maxSaved: 1,
        truncate: false,
        mode: 0o640,
        style: DEFAULT_STYLE,
      },
      allowLoopbackHttp: false,
      endpointOrigins: [],
      providers: new Map(),
      defaultTokenSeconds: 1200,
      connectSeconds: 5,
      requestSeconds: 15,
      localIssuer: {
        issuer: 'https://ap.example',
        publicKeyFile: '/etc/condor/scitokens.pem',
        keyId: 'local',
      },
    });
  });

  it.each([
    [
      { CREDMON_WEB_PREFIX: 'https://h.example/credmon' },
      { prefix: 'https://h.example/credmon', mount: '/credmon' },
    ],
    [
      { CREDMON_WEB_PREFIX: 'http://127.0.0.1:8081', CREDMON_ALLOW_LOOPBACK_HTTP: 'true' },
      { prefix: 'http://127.0.0.1:8081', secure: false, allowLoopbackHttp: true },
    ],
    [
      {
        LOCAL_CREDMON_ISSUER: 'https://ap.example/i',
        CREDMON_LOCAL_KEY_DIRECTORY: '/keys',
        CREDMON_wlcg_KEY_DIRECTORY: '/wlcg',
        LOCAL_CREDMON_wlcg_ISSUER: 'https://ap.example/i',
        CREDMON_other_KEY_DIRECTORY: '/other',
        LOCAL_CREDMON_other_ISSUER: 'https://other.example',
        CREDMON_same_KEY_DIRECTORY: '/keys',
      },
      {
        localIssuer: {
          issuer: 'https://ap.example/i',
          publicKeyFile: '/etc/condor/scitokens.pem',
          keyId: 'local',
          keyDirectories: ['/keys', '/wlcg'],
        },
      },
    ],
    [{ CREDMON_WEB_LISTEN: 'unix:/run/w.sock' }, { listen: { kind: 'unix', path: '/run/w.sock' } }],
    [{ CREDMON_WEB_LISTEN: '[::1]:80' }, { listen: { kind: 'tcp', host: '::1', port: 80 } }],
    [{ CREDMON_WEB_TRUSTED_PROXIES: '10.0.0.0/8, ::1' }, { trustedProxies: ['10.0.0.0/8', '::1'] }],
    [
      {
        CREDMON_WEB_LISTEN: 'fd:3',
        CREDMON_WEB_REMOTE_USER_HEADER: 'X-Remote-User',
        CREDMON_WEB_REMOTE_USER_REALM: 'EXAMPLE.ORG',
      },
      { remoteUser: { header: 'x-remote-user', realm: 'EXAMPLE.ORG' } },
    ],
    [
      { CREDMON_WEB_METRICS_LISTEN: '9619' },
      { metricsListen: { kind: 'tcp', host: '127.0.0.1', port: 9619 } },
    ],
    [{ CREDMON_WEB_METRICS_LISTEN: 'unix:/m' }, { metricsListen: { kind: 'unix', path: '/m' } }],
    [{ CREDMON_WEB_CONTACT: 'the help desk' }, { contact: 'the help desk' }],
    [{ CREDMON_WEB_DEBUG: 'D_FULLDEBUG D_PID' }, { log: { debug: true } }],
    [{ CREDMON_WEB_LOG: '/var/log/w', LOG: '/x' }, { log: { path: '/var/log/w', stderr: false } }],
    [{ CREDMON_WEB_SESSION_DIR: '/creds2' }, { sessionDirectory: '/creds2' }],
  ])('read %j', (knobs, expected) => {
    expect(readSettings(fakeConfig({ ...least, ...knobs }))).toMatchObject(expected);
  });

  it('match provider names without case', () => {
    const settings = readSettings(
      fakeConfig({
        ...least,
        CREDMON_mytok_ISSUER: 'https://i.example',
        CREDMON_MYTOK_USER_CLAIM: 'sub',
        CREDMON_MYTOK_CLIENT_AUTH: 'Basic',
        CREDMON_MYTOK_EXTRA_SCOPES: 'openid, email',
      }),
    );
    expect(providerSettings(settings, 'MyTok')).toEqual({
      policy: {
        ...GENERIC_POLICY,
        issuer: 'https://i.example',
        authentication: 'basic',
        scopes: { ...GENERIC_POLICY.scopes, extra: ['openid', 'email'] },
      },
      userClaim: 'sub',
    });
    expect(providerSettings(settings, 'other')).toEqual({ policy: GENERIC_POLICY });
  });

  it('lists all mistakes together, each with file and line', () => {
    expect(
      mistakes({
        FULL_HOSTNAME: 'ap.example',
        CREDMON_WEB_PREFIX: 'http://ap.example',
        CREDMON_WEB_LISTEN: 'unix:x',
        CREDMON_WEB_SESSION_IDLE: 'soon',
        CREDMON_WEB_RATE_LIMIT: '0',
        CREDMON_WEB_PROXY: 'x',
        CREDMON_WEB_REMOTE_USER_REALM: 'X',
        CREDMON_MYTOK_USER_CLAIM: 'sub',
        CREDMON_MYTOK_CLIENT_AUTH: 'proof',
        CREDMON_WEB_LOG: 'web.log',
        CREDMON_ALLOW_LOOPBACK_HTTP: 'yes',
      }),
    ).toEqual([
      'SEC_CREDENTIAL_DIRECTORY_OAUTH is not set; add "use feature : OAUTH", or set it to the credential directory',
      'test.conf, line 2: CREDMON_WEB_PREFIX = http://ap.example cannot be used: CREDMON_WEB_PREFIX (http://ap.example) rejected: http is allowed only to loopback; use https',
      'test.conf, line 3: CREDMON_WEB_LISTEN = unix:x cannot be used: unix: needs an absolute path',
      'test.conf, line 4: CREDMON_WEB_SESSION_IDLE = soon is not a duration: must be a number of seconds or, for example, 15 min',
      'test.conf, line 5: CREDMON_WEB_RATE_LIMIT = 0 is too small: must be at least 1',
      'test.conf, line 7: CREDMON_WEB_REMOTE_USER_REALM is set, but CREDMON_WEB_REMOTE_USER_HEADER is not',
      'test.conf, line 8: CREDMON_MYTOK_USER_CLAIM needs CREDMON_MYTOK_ISSUER: without it no ID token can be verified',
      'test.conf, line 9: CREDMON_MYTOK_CLIENT_AUTH is "proof"; it must be post, basic, basic_plain, private_key_jwt or none',
      'test.conf, line 10: CREDMON_WEB_LOG = web.log is not an absolute path',
      'test.conf, line 11: CREDMON_ALLOW_LOOPBACK_HTTP = yes is not a boolean: must be true or false',
    ]);
  });

  it.each([{}, { CREDMON_WEB_LISTEN: '127.0.0.1:80' }, { CREDMON_WEB_LISTEN: '[::]:80' }])(
    'R33 R40 reject a header on a TCP port, which every local user can open: %j',
    (knobs) => {
      const [mistake = ''] = mistakes({
        ...least,
        CREDMON_WEB_REMOTE_USER_HEADER: 'X-Remote-User',
        ...knobs,
      });
      expect(mistake).toMatch(
        /^test\.conf, line 3: CREDMON_WEB_REMOTE_USER_HEADER cannot be used with a TCP port/,
      );
      expect(mistake).toContain('CREDMON_WEB_LISTEN = unix:/path');
    },
  );

  it.each([
    ['Host', 'HTTP or the proxy uses this header itself'],
    ['cookie', 'HTTP or the proxy uses this header itself'],
    ['X-Forwarded-For', 'HTTP or the proxy uses this header itself'],
    ['X-FORWARDED-PROTO', 'HTTP or the proxy uses this header itself'],
    ['Authorization', 'HTTP or the proxy uses this header itself'],
    ['Transfer-Encoding', 'HTTP or the proxy uses this header itself'],
    ['Content-Disposition', 'HTTP or the proxy uses this header itself'],
    ['Sec-Fetch-User', 'HTTP or the proxy uses this header itself'],
    ['From', 'HTTP or the proxy uses this header itself'],
    ['X_Remote_User', 'proxies drop a header with _ in its name or treat it as the one with -'],
    ['X Remote', 'it is not a header name (letters, digits and -)'],
    ['-X', 'it is not a header name (letters, digits and -)'],
    ['X-User:', 'it is not a header name (letters, digits and -)'],
    ['X-Üser', 'it is not a header name (letters, digits and -)'],
  ])('R33 reject the header %s for REMOTE_USER', (header, why) => {
    const knobs = {
      ...least,
      CREDMON_WEB_LISTEN: 'unix:/x',
      CREDMON_WEB_REMOTE_USER_HEADER: header,
    };
    expect(mistakes(knobs)).toEqual([
      `test.conf, line 4: CREDMON_WEB_REMOTE_USER_HEADER = ${header} cannot be used: ${why}; use a name such as X-Remote-User`,
    ]);
  });

  it.each(['X-Remote-User', 'X-Forwarded-User', 'REMOTE-USER', 'Oidc-Claim-Sub', 'X'])(
    'R33 accept the header %s for REMOTE_USER',
    (header) => {
      const knobs = {
        ...least,
        CREDMON_WEB_LISTEN: 'unix:/x',
        CREDMON_WEB_REMOTE_USER_HEADER: header,
      };
      expect(readSettings(fakeConfig(knobs)).remoteUser).toEqual({ header: header.toLowerCase() });
    },
  );

  it('R33 check the flag --listen like the knob', () => {
    const config = fakeConfig({
      ...least,
      CREDMON_WEB_REMOTE_USER_HEADER: 'X',
      CREDMON_WEB_LISTEN: 'unix:/x',
    });
    expect(() => readSettings(config, { kind: 'tcp', host: '::1', port: 1 })).toThrow('(::1:1)');
    expect(readSettings(config, { kind: 'unix', path: '/y' }).listen).toEqual({
      kind: 'unix',
      path: '/y',
    });
  });

  it.each(['0.0.0.0:9619', 'localhost:9619', '192.0.2.1:9619', 'unix:m'])(
    'R43 serve metrics on this machine only, not on %s',
    (text) => {
      expect(mistakes({ ...least, CREDMON_WEB_METRICS_LISTEN: text })).toEqual([
        expect.stringMatching(
          /^test\.conf, line 3: CREDMON_WEB_METRICS_LISTEN = \S+ cannot be used: /,
        ),
      ]);
    },
  );

  it('keep sessions out of the credential directory', () => {
    expect(mistakes({ ...least, CREDMON_WEB_SESSION_DIR: '/creds/sessions' })).toEqual([
      'test.conf, line 3: CREDMON_WEB_SESSION_DIR = /creds/sessions is in the credential directory, which belongs to CredD',
    ]);
  });
});
