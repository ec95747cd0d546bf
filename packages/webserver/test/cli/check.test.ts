// --check: every problem that it must find.
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@credmon/test-fixtures/processes/free-port';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasErrors } from '@credmon/core/base';
import { checkConfiguration, runChecks } from '../../src/cli/check.ts';
import { readSettings } from '../../src/settings/read.ts';
import { fakeConfig } from '../support/config.ts';

let issuer: Issuer;
let directory: string;
const at = (name: string): string => join(directory, name);
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-check-'));
  mkdirSync(at('creds'), { mode: 0o770 });
  writeFileSync(at('secret'), 'canary-secret', { mode: 0o600 });
  writeFileSync(at('key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A configuration with which users can sign in. */
const good = (): Record<string, string> => ({
  FULL_HOSTNAME: 'ap.example',
  SEC_CREDENTIAL_DIRECTORY_OAUTH: at('creds'),
  CREDMON_WEB_SESSION_DIR: at('sessions'),
  CREDMON_WEB_PREFIX: 'https://ap.example/credmon',
  CREDMON_ALLOW_LOOPBACK_HTTP: 'true',
  CREDMON_WEB_LISTEN: `unix:${at('web.sock')}`,
  LOCAL_CREDMON_PUBLIC_KEY: at('key.pem'),
  MYTOK_CLIENT_ID: 'condor',
  MYTOK_CLIENT_SECRET_FILE: at('secret'),
  MYTOK_AUTHORIZATION_URL: issuer.authorizationUrl,
  MYTOK_TOKEN_URL: issuer.tokenUrl,
  MYTOK_RETURN_URL_SUFFIX: '/return/mytok',
  CREDMON_MYTOK_ISSUER: issuer.url,
});
const check = async (change: Record<string, string> = {}, without: readonly string[] = []) => {
  const knobs = Object.entries({ ...good(), ...change }).filter(
    ([name]) => !without.includes(name),
  );
  const config = fakeConfig(Object.fromEntries(knobs));
  return runChecks(config, readSettings(config));
};
/** The warnings and errors, one per line. */
const problems = async (
  change: Record<string, string> = {},
  without: readonly string[] = [],
): Promise<string[]> =>
  (await check(change, without))
    .filter(({ state }) => state !== 'ok')
    .map(({ what, state, text }) => `${state} ${what}: ${text}`);

describe('--check', () => {
  it.runIf(process.getuid?.() === 0)(
    'a credential directory, or one above it, of another user is an error with the chown command; CONDOR_IDS allows another owner',
    async () => {
      chownSync(at('creds'), 64_001, 0);
      expect(await problems({ TRUST_CREDENTIAL_DIRECTORY: 'True' })).toEqual([
        expect.stringMatching(
          /^error credential directory: the credential directory \S+\/creds is owned by user id 64001, .*; fix: chown root(:condor)? \S+\/creds$/,
        ),
      ]);
      expect(await problems({ CONDOR_IDS: '64001.64001' })).toEqual([]);
      chownSync(directory, 64_002, 0);
      expect(await problems({ CONDOR_IDS: '64001.64001' })).toContainEqual(
        expect.stringMatching(
          /^error credential directory: .* is not safe: the directory \S+ in its path is owned by user id 64002, .*; fix: chown root \S+$/,
        ),
      );
    },
  );
  it.each([
    [
      'MYTOK_EXTRA',
      'MYTOK_EXTRA is ambiguous: it is also the handle "EXTRA" of the provider "MYTOK"; no login and no renewal of MYTOK_EXTRA; fix: rename it to MYTOKEXTRA',
    ],
    [
      'MY_SITE',
      'MY_SITE is read as the handle "SITE" of a provider "MY"; fix: rename it to MYSITE',
    ],
  ])(
    'R45 warns about the name %s, but not with CREDMON_ALLOW_SPECIAL_CHAR_NAMES',
    async (name, text) => {
      const knobs = Object.fromEntries(
        Object.entries(good())
          .filter(([knob]) => knob.includes('MYTOK'))
          .map(([knob, value]) => [
            knob.replace('MYTOK', name),
            value.replace('/mytok', `/${name}`),
          ]),
      );
      const remedy = ', or set CREDMON_ALLOW_SPECIAL_CHAR_NAMES = true (turns handles off)';
      expect(await problems(knobs)).toEqual([`warning provider ${name}: ${text}${remedy}`]);
      expect(await problems({ ...knobs, CREDMON_ALLOW_SPECIAL_CHAR_NAMES: 'true' })).toEqual([]);
    },
  );

  it('the audit log must have a directory, outside the credential directory', async () => {
    const found = async (path: string): Promise<string[]> => problems({ CREDMON_AUDIT_LOG: path });
    expect(await found(at('Audit'))).toEqual([]);
    expect(await found(at('creds/Audit'))).toEqual([
      expect.stringMatching(/^error audit log: \S+\/creds\/Audit is in the credential directory/),
    ]);
    expect(await found(at('no/Audit'))).toEqual([
      expect.stringMatching(/^error audit log: its directory \S+\/no is missing/),
    ]);
  });

  it('R45 reports each check as ok, creates nothing, and shows no secret', async () => {
    const text = (await check())
      .map(({ what, state, text: sentence }) => `${state.padEnd(8)} ${what}: ${sentence}`)
      .join('\n')
      .replaceAll(directory, '<dir>')
      .replaceAll(issuer.url, '<issuer>')
      .replace(/\d+ certificate authorities are trusted, from Node\.js \(\d+\).*/, '<authorities>');
    expect(text.split('\n')).toEqual([
      'ok       configuration: is valid',
      'ok       address: users open https://ap.example/credmon',
      'ok       proxies: are valid addresses and networks',
      'ok       credential directory: <dir>/creds can be read and written',
      'ok       session directory: <dir>/sessions will be created at the first start',
      'ok       running portal: none is seen: the checks are for the files on disk',
      'ok       socket: <dir>/web.sock can be created',
      'ok       log: goes to standard error',
      'ok       certificates: <authorities>',
      'ok       provider MYTOK: the redirect URI is https://ap.example/credmon/return/mytok: register exactly this URI at the provider',
      'ok       secret of MYTOK: <dir>/secret exists, and only its owner can read it',
      'ok       issuer of MYTOK: <issuer> is reachable, and its identifier matches',
      'ok       public keys: 1 published: local',
    ]);
    expect(existsSync(at('sessions'))).toBe(false);
  });

  it.each([
    [
      { MYTOK_RETURN_URL_SUFFIX: '/back' },
      [
        /^error provider MYTOK: MYTOK_RETURN_URL_SUFFIX = \/back: .* is not under https:\/\/ap\.example\/credmon\/return$/,
      ],
    ],
    [{ MYTOK_RETURN_URL_SUFFIX: 'return/x' }, [/^error provider MYTOK: .*is not under/]],
    [
      { MYTOK_AUTHORIZATION_URL: 'http://issuer.example/a' },
      [/^error provider MYTOK: MYTOK_AUTHORIZATION_URL \(.*use https$/],
    ],
    [{ MYTOK_TOKEN_URL: 'nonsense' }, [/^error provider MYTOK: MYTOK_TOKEN_URL is not a URL$/]],
    [
      { MYTOK_CLIENT_SECRET_FILE: '/nowhere/x' },
      [/^error secret of MYTOK: cannot stat \/nowhere\/x \(ENOENT\)$/],
    ],
    [
      { MYTOK_CLIENT_SECRET_FILE: 'CANARY' },
      [
        /^error secret of MYTOK: MYTOK_CLIENT_SECRET_FILE \(value not shown\) is not an absolute path: it must be/,
      ],
    ],
    [
      { CREDMON_MYTOK_ISSUER: 'https://127.0.0.1:1' },
      [
        /^warning issuer of MYTOK: .*connection refused by 127\.0\.0\.1, port 1 \(ECONNREFUSED\); fix: correct host and port/,
      ],
    ],
    [
      { LOCAL_CREDMON_PUBLIC_KEY: '/nowhere/key.pem' },
      [/^error public keys: .*LOCAL_CREDMON_PUBLIC_KEY.*ENOENT/],
    ],
    [
      { SEC_CREDENTIAL_DIRECTORY_OAUTH: '/nowhere' },
      [/^error credential directory: .*does not exist/],
    ],
    [
      { CREDMON_WEB_SESSION_DIR: '/nowhere/sessions' },
      [/^error session directory: .*\/nowhere does not exist$/],
    ],
    [
      { CREDMON_WEB_LISTEN: 'unix:/nowhere/s' },
      [
        /^error socket: its directory \/nowhere is missing \(.*group.*\); fix: install -d -o condor -g www-data -m 2750 \/nowhere$/,
      ],
    ],
    [
      { CREDMON_WEB_LOG: '/nowhere/log/web' },
      [/^error log: its directory \/nowhere\/log is missing, .* exit code 44; fix: install -d/],
    ],
    [
      { CREDMON_WEB_TRUSTED_PROXIES: 'proxy.example' },
      [/^error proxies: CREDMON_WEB_TRUSTED_PROXIES/],
    ],
    [
      { OTHER_CLIENT_ID: 'x' },
      [
        /^warning provider OTHER: OTHER_AUTHORIZATION_URL is not set/,
        /^warning secret of OTHER/,
        /^warning issuer of OTHER/,
      ],
    ],
  ])('R45 %j is found', async (change, expected) => {
    const found = await problems(change);
    expect(found).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });

  it('R45 a client without a secret and a redirect URI is for device logins', async () => {
    const other = { OTHER_CLIENT_ID: 'x', CREDMON_OTHER_ISSUER: issuer.url };
    const firstOf = async (change: Record<string, string>): Promise<string | undefined> =>
      (await problems(change))[0];
    expect(await firstOf(other)).toMatch(
      /^warning provider OTHER: OTHER_RETURN_URL_SUFFIX is not set: .* only by device with /,
    );
    expect(await firstOf({ ...other, OTHER_CLIENT_SECRET_FILE: at('secret') })).toMatch(
      /^error provider OTHER: OTHER_RETURN_URL_SUFFIX is not set; fix: /,
    );
  });

  it.each([
    [
      'MYTOK_RETURN_URL_SUFFIX',
      /register https:\/\/ap\.example\/credmon\/return\/MYTOK at the provider$/,
    ],
    ['MYTOK_CLIENT_ID', /^warning providers: no <PROVIDER>_CLIENT_ID is set/],
    ['CREDMON_MYTOK_ISSUER', /^warning issuer of MYTOK: CREDMON_MYTOK_ISSUER is not set/],
  ])('R45 a missing %s is found', async (knob, expected) => {
    expect(await problems({}, [knob])).toEqual([expect.stringMatching(expected)]);
  });

  it('R45 an issuer that calls itself by another name is an error', async () => {
    const found = await problems({ CREDMON_MYTOK_ISSUER: `${issuer.url}/` });
    expect(found).toEqual([
      expect.stringMatching(/^error issuer of MYTOK: .*; fix: correct CREDMON_MYTOK_ISSUER$/),
    ]);
  });

  it.each(['MYTOK_TOKEN_URL', 'MYTOK_AUTHORIZATION_URL'])(
    'R45 a missing %s is found if no issuer names it',
    async (knob) => {
      expect(await problems({}, [knob])).toEqual([]);
      expect(await problems({}, [knob, 'CREDMON_MYTOK_ISSUER'])).toContainEqual(
        expect.stringMatching(`${knob} is not set, and neither CREDMON_MYTOK_ISSUER nor`),
      );
    },
  );

  it('R33 tests a REMOTE_USER header through the proxy, or reports why it cannot', async () => {
    const knobs = {
      CREDMON_WEB_REMOTE_USER_HEADER: 'X-Forwarded-User',
      CREDMON_WEB_PREFIX: `https://localhost:${await freePort()}/credmon`,
      MYTOK_RETURN_URL_SUFFIX: '/return/mytok',
    };
    const proxyFindings = async (): Promise<string[]> =>
      (await problems(knobs)).filter((line) => line.includes(' proxy: '));
    expect(await proxyFindings()).toEqual([
      expect.stringMatching(
        /^warning proxy: not tested .*: the portal has not been started .*; fix: /,
      ),
    ]);
    mkdirSync(at('sessions'), { mode: 0o700 });
    writeFileSync(at('sessions/cookie.key'), 'a cookie key', { mode: 0o600 });
    expect(await proxyFindings()).toEqual([
      expect.stringMatching(
        /^warning proxy: not tested whether https:\S+ replaces .*: connection refused by localhost, port \d+ \(ECONNREFUSED\); fix: start the portal /,
      ),
    ]);
  });

  it('R45 quotes around values are named, also if the configuration is then invalid', async () => {
    const text = (knob: string): string =>
      `the quotes around the value of ${knob} are part of the value: HTCondor's configuration needs none; fix: remove the quotes`;
    const found = async (change: Record<string, string>): Promise<string[]> =>
      (await checkConfiguration(fakeConfig({ ...good(), ...change })))
        .filter(({ state }) => state !== 'ok')
        .map(
          ({ what, state, text: sentence }) =>
            `${state} ${what}: ${sentence.replace(/^test\.conf, line \d+: /, '')}`,
        );
    expect(await found({ MYTOK_CLIENT_ID: '"condor"' })).toEqual([
      `error configuration: ${text('MYTOK_CLIENT_ID')}`,
    ]);
    expect(await found({ CREDMON_WEB_LISTEN: '"127.0.0.1:8081"' })).toEqual([
      `error configuration: ${text('CREDMON_WEB_LISTEN')}`,
    ]);
  });

  it.each([
    ['MYTOK_AUTH_URL', 'did you mean MYTOK_AUTHORIZATION_URL?'],
    ['MYTOK_ISSUER', 'did you mean CREDMON_MYTOK_ISSUER?'],
    [
      'MYTOK_CLIENT_SECRET',
      'the secret is in clear: everyone who may run condor_config_val can read it; did you mean MYTOK_CLIENT_SECRET_FILE?',
    ],
    ['CREDMON_WEB_LISTEN_ADDRESS', 'did you mean CREDMON_WEB_LISTEN?'],
  ])('R45 the guessed knob %s is reported with the correct one', async (knob, hint) => {
    expect(await problems({ [knob]: 'canary' })).toEqual([
      expect.stringMatching(/^warning configuration: test\.conf, line \d+: unknown knob /),
    ]);
    expect((await problems({ [knob]: 'canary' })).join()).toContain(
      `unknown knob ${knob}; ${hint}`,
    );
  });

  it('R45 a name with a client that another list owns is an error', async () => {
    expect(await problems({ LOCAL_CREDMON_PROVIDER_NAMES: 'MYTOK' })).toEqual([
      expect.stringMatching(
        /^error provider MYTOK: users cannot log in: LOCAL_CREDMON_PROVIDER_NAMES lists MYTOK, /,
      ),
    ]);
  });

  it.each([
    ['0.0.0.0:8081', 'on all addresses of this host without TLS (0.0.0.0:8081)'],
    ['[::]:8081', 'on all addresses of this host without TLS ([::]:8081)'],
    ['192.0.2.1:80', 'on 192.0.2.1 without TLS (192.0.2.1:80)'],
  ])('R45 a portal that listens in clear at %s is found', async (listen, where) => {
    expect(await problems({ CREDMON_WEB_LISTEN: listen })).toEqual([
      `warning address: the portal answers ${where}: cookies and logins can be read in the network; fix: CREDMON_WEB_LISTEN = 127.0.0.1:8081, behind a proxy with TLS on this host`,
    ]);
  });

  it.each(['127.0.0.1:8081', '[::1]:8081', 'localhost:8081', '8081', 'fd:3'])(
    'a portal at %s is reached only from this host',
    async (listen) => {
      expect(await problems({ CREDMON_WEB_LISTEN: listen })).toEqual([]);
    },
  );

  it('knobs of the daemon are left to its own check', async () => {
    expect(await problems({ CREDMON_RENEW_FRACTOIN: '1', LOCAL_CREDMON_KEY: '/x' })).toEqual([]);
  });

  it('R45 a certificate of the proxy that is rejected is explained with its own fix', async () => {
    mkdirSync(at('tls'));
    const { keyFile, certificateFile } = makeCertificates(at('tls'));
    const tls = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
    const proxy = createServer(tls);
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    mkdirSync(at('sessions'), { mode: 0o700 });
    writeFileSync(at('sessions/cookie.key'), 'a cookie key', { mode: 0o600 });
    const { port } = proxy.address() as AddressInfo;
    const found = await problems({
      CREDMON_WEB_REMOTE_USER_HEADER: 'X-Forwarded-User',
      CREDMON_WEB_PREFIX: `https://localhost:${port}/credmon`,
    });
    expect(found).toContainEqual(
      expect.stringMatching(
        /^warning proxy: not tested .*: certificate authority "CN=credmon test authority" not trusted \(\w+\); fix: copy its certificate [^;]*$/,
      ),
    );
    await new Promise((resolve) => proxy.close(resolve));
  });

  it('R33 a socket that other users can replace is found', async () => {
    chmodSync(directory, 0o777);
    const found = (await problems()).filter((line) => line.includes(' socket: '));
    expect(found).toEqual([
      expect.stringMatching(/^error socket: other users can replace it: .*; fix: chmod o-w /),
    ]);
  });

  it.each([
    [
      '"canary-secret"',
      /^warning secret of MYTOK: \S+\/secret has quotes around the secret, .*; fix: remove the quotes$/,
    ],
    ['\ufeffcanary-secret', /^warning secret of MYTOK: \S+ begins with a byte order mark, /],
    [
      '{"web":{"client_secret":"canary-secret"}}',
      /^error secret of MYTOK: \S+ is a JSON file, .*; fix: put only the value of web\.client_secret into it$/,
    ],
  ])('R45 a secret file with %s is found', async (text, expected) => {
    writeFileSync(at('secret'), text);
    expect(await problems()).toEqual([expect.stringMatching(expected)]);
  });

  it.runIf(process.getuid?.() === 0)('R45 a secret file of another user is found', async () => {
    chownSync(at('secret'), 64_003, 0);
    const owner = /^error secret of MYTOK: .* belongs to user id 64003; fix: chown root /;
    expect(await problems()).toEqual([expect.stringMatching(owner)]);
    const condor = { CONDOR_IDS: '64003.64003' };
    expect(await problems(condor)).toEqual([
      expect.stringMatching(
        /^error secret of MYTOK: \S+\/secret belongs to user id 64003: CredD runs as root and reads no file of another user, so condor_submit fails; fix: chown root \S+\/secret$/,
      ),
    ]);
    // CredD does not run as root.
    chownSync(at('creds'), 64_003, 0);
    expect(await problems(condor)).toEqual([]);
  });

  it('R45 secrets and sessions that others may read are found', async () => {
    chmodSync(at('secret'), 0o644);
    mkdirSync(at('sessions'), { mode: 0o755 });
    const found = await problems();
    expect(found).toEqual([
      expect.stringMatching(
        /^error session directory: .*other users can access it; fix: chmod 700/,
      ),
      expect.stringMatching(/^error secret of MYTOK: .*can be read by others; fix: chmod go-rwx/),
    ]);
    expect(hasErrors(await check())).toBe(true);
  });
});

it('R45 an unknown template is a warning with file and line', async () => {
  const config = {
    ...fakeConfig(good()),
    warnings: [
      { message: 'use FEATURE:X is ignored and its settings are missing', file: '/c', line: 7 },
    ],
  };
  const findings = await runChecks(config, readSettings(config));
  expect(findings.filter(({ state }) => state !== 'ok')).toEqual([
    {
      what: 'configuration',
      state: 'warning',
      text: '/c, line 7: use FEATURE:X is ignored and its settings are missing',
    },
  ]);
});
