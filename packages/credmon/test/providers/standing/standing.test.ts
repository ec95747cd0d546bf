// Standing tokens: where they lie, what they say, when they are renewed, and what a
// failure leaves in place.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { verify } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@credmon/core/config';
import { systemRandom, type CodedError } from '@credmon/core/base';
import {
  createKey,
  initKeyDirectory,
  publishInPlace,
  rotateKeys,
  writeKey,
} from '@credmon/scitokens';
import { describe, expect, it } from 'vitest';
import { beginPass } from '../../../src/daemon/pass.ts';
import type { StandingToken } from '../../../src/settings/standing.ts';
import { withStanding } from '../../../src/providers/standing/store.ts';
import { readSettings, type Settings } from '../../../src/settings/read.ts';
import { localFiles } from '../../../src/host/local-files.ts';
import { providerLookupOf } from '../../../src/daemon/provider-lookup.ts';
import { standingFiles } from '../../../src/host/standing-files.ts';
import { bench, type Bench } from '../../support/bench.ts';

const KNOBS = {
  LOCAL_CREDMON_frontend_ISSUER: 'https://frontend.example/vo',
  LOCAL_CREDMON_frontend_TOKEN_VERSION: 'wlcg',
  LOCAL_CREDMON_PRIVATE_KEY: 'ROOT/private.pem',
  LOCAL_CREDMON_PUBLIC_KEY: 'ROOT/public.pem',
  CREDMON_STANDING_TOKENS: 'el7_osg35, ce2',
  CREDMON_STANDING_PROVIDER: 'frontend',
  CREDMON_STANDING_SCOPE: 'compute.read compute.modify compute.create compute.cancel',
  CREDMON_STANDING_el7_osg35_PATH: 'ROOT/el7_osg35.scitoken',
  CREDMON_STANDING_el7_osg35_SUBJECT: 'vofrontend-el7_osg35',
  CREDMON_STANDING_el7_osg35_AUDIENCE: 'ce1.example:9619',
  CREDMON_STANDING_ce2_PATH: 'ROOT/ce2.json',
  CREDMON_STANDING_ce2_SUBJECT: 'vofrontend-ce2',
  CREDMON_STANDING_ce2_AUDIENCE: 'ce2.example:9619, ce3.example:9619',
  CREDMON_STANDING_ce2_FORMAT: 'json',
  CREDMON_STANDING_ce2_MODE: '0640',
  CREDMON_STANDING_ce2_LIFETIME: '20 min',
};
const overrides = { credDir: '/nowhere', logFile: undefined, debug: false, verbose: false };

function settingsOf(root: string, knobs: Record<string, string>, over = overrides): Settings {
  const entries = Object.entries(knobs).map(([name, value]) => [
    `_CONDOR_${name}`,
    value.replaceAll('ROOT', root),
  ]);
  const env = { CONDOR_CONFIG: 'ONLY_ENV', _CONDOR_LOG: root, ...Object.fromEntries(entries) };
  return readSettings(loadConfig({ subsystem: 'CREDMON_OAUTH', env }), over);
}

/** A bench with standing tokens; `configure` changes the knobs as a reload would. */
function standing(more: Record<string, string> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'credmon-standing-'));
  const on = bench();
  let settings = settingsOf(root, { ...KNOBS, ...more });
  const store = withStanding(on.store, () => settings.standing, standingFiles());
  const ports = {
    secretVersion: () => '',
    random: systemRandom,
    local: localFiles((text) => on.lines.push(`warn ${text}`)),
  };
  let lookup = providerLookupOf(settings, ports);
  return {
    ...on,
    store,
    root,
    file: (name: string): string => join(root, name),
    pass: async (): Promise<number> =>
      (await beginPass({ ...on.context, store }, lookup, on.memory)).settled,
    configure: (knobs: Record<string, string>): void => {
      settings = settingsOf(root, { ...KNOBS, ...more, ...knobs });
      lookup = providerLookupOf(settings, ports);
    },
  };
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
const loud = (on: Pick<Bench, 'lines'>): string[] =>
  on.lines.filter((line) => /^(?:warn|error)/.test(line));

describe('a standing token', () => {
  it('is one bare line, mode 0600, with the claims that HTCondor-CE checks', async () => {
    const on = standing();
    await on.pass();
    const text = readFileSync(on.file('el7_osg35.scitoken'), 'utf8');
    expect(text).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(statSync(on.file('el7_osg35.scitoken')).mode & 0o7777).toBe(0o600);
    const now = on.clock.now();
    expect(claimsOf(text)).toEqual({
      'wlcg.ver': '1.0',
      iss: 'https://frontend.example/vo',
      sub: 'vofrontend-el7_osg35',
      aud: 'ce1.example:9619',
      scope: 'compute.read compute.modify compute.create compute.cancel',
      iat: now,
      nbf: now,
      exp: now + 3600,
      jti: expect.any(String) as unknown,
    });
    expect(JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString())).toMatchObject(
      {
        kid: 'local',
      },
    );
  });

  it('in JSON has its own mode, lifetime and audiences', async () => {
    const on = standing();
    await on.pass();
    const contents = JSON.parse(readFileSync(on.file('ce2.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect([contents['expires_in'], statSync(on.file('ce2.json')).mode & 0o7777]).toEqual([
      1200, 0o640,
    ]);
    expect(claimsOf(String(contents['access_token']))['aud']).toEqual([
      'ce2.example:9619',
      'ce3.example:9619',
    ]);
  });

  it('R5 is renewed at a share of its lifetime by its exp, not by the times of its file', async () => {
    const on = standing({ CREDMON_STANDING_TOKENS: 'el7_osg35' });
    await on.pass();
    const text = (): string => readFileSync(on.file('el7_osg35.scitoken'), 'utf8');
    const first = text();
    on.clock.advance(1400);
    await on.pass();
    expect(text()).toBe(first);
    on.clock.advance(420);
    const inode = statSync(on.file('el7_osg35.scitoken')).ino;
    await on.pass();
    expect([text() === first, statSync(on.file('el7_osg35.scitoken')).ino === inode]).toEqual([
      false,
      false,
    ]);
    expect(Number(claimsOf(text())['exp'])).toBe(on.clock.now() + 3600);
  });

  it('R17 is kept while its key is missing, with one line with its remaining lifetime, and is renewed once the key is back', async () => {
    const on = standing({ CREDMON_STANDING_TOKENS: 'el7_osg35' });
    await on.pass();
    const first = readFileSync(on.file('el7_osg35.scitoken'), 'utf8');
    const key = readFileSync(on.file('private.pem'));
    rmSync(on.file('private.pem'));
    on.clock.advance(1820);
    await on.pass();
    on.clock.advance(60);
    await on.pass();
    expect(readFileSync(on.file('el7_osg35.scitoken'), 'utf8')).toBe(first);
    expect(loud(on).filter((line) => line.includes('the old token is valid for'))).toHaveLength(1);
    writeFileSync(on.file('private.pem'), key, { mode: 0o600 });
    await on.pass();
    expect(readFileSync(on.file('el7_osg35.scitoken'), 'utf8')).not.toBe(first);
  });

  it.each<[string, (path: string) => void]>([
    ['is garbage', (path) => writeFileSync(path, 'garbage')],
    ['is empty', (path) => writeFileSync(path, '')],
    ['is open to others', (path) => chmodSync(path, 0o644)],
    ['is gone', (path) => rmSync(path)],
  ])('that %s is written again at the next pass', async (_, break_) => {
    const on = standing();
    await on.pass();
    break_(on.file('el7_osg35.scitoken'));
    await on.pass();
    expect(claimsOf(readFileSync(on.file('el7_osg35.scitoken'), 'utf8'))['sub']).toBe(
      'vofrontend-el7_osg35',
    );
    expect(statSync(on.file('el7_osg35.scitoken')).mode & 0o7777).toBe(0o600);
  });

  it('is signed again at once after a change of the configuration', async () => {
    const on = standing();
    await on.pass();
    const other = readFileSync(on.file('ce2.json'), 'utf8');
    on.configure({ CREDMON_STANDING_el7_osg35_AUDIENCE: 'new.example:9619' });
    await on.pass();
    expect(claimsOf(readFileSync(on.file('el7_osg35.scitoken'), 'utf8'))['aud']).toBe(
      'new.example:9619',
    );
    expect(readFileSync(on.file('ce2.json'), 'utf8')).toBe(other);
  });

  it('belongs to its owner', async () => {
    const on = standing({ CREDMON_STANDING_OWNER: userInfo().username });
    await on.pass();
    expect(statSync(on.file('ce2.json')).uid).toBe(userInfo().uid);
  });

  it('of an unknown user, or in a missing directory, does not stop others', async () => {
    const on = standing({
      CREDMON_STANDING_el7_osg35_OWNER: 'no-such-user-here',
      CREDMON_STANDING_TOKENS: 'el7_osg35, ce2, x',
      CREDMON_STANDING_x_PATH: 'ROOT/none/x',
      CREDMON_STANDING_x_SUBJECT: 'x',
      CREDMON_STANDING_x_AUDIENCE: 'x',
    });
    await on.pass();
    expect(loud(on).join('\n')).toMatch(/user no-such-user-here not found/);
    expect(loud(on).join('\n')).toMatch(/none\/x: ENOENT/);
    expect(readFileSync(on.file('ce2.json'), 'utf8')).toContain('access_token');
  });
});

it('does not follow a link that its owner created', async () => {
  const on = standing({ CREDMON_STANDING_ce2_PATH: 'ROOT/home/tokens.d/ce2' });
  mkdirSync(on.file('home'));
  chmodSync(on.file('home'), 0o777);
  mkdirSync(on.file('elsewhere'));
  symlinkSync(on.file('elsewhere'), on.file('home/tokens.d'));
  await on.pass();
  expect(readdirSync(on.file('elsewhere'))).toEqual([]);
  expect(loud(on).join('\n')).toContain('is a symbolic link that another user could change');
});

it('that was requested under an earlier configuration is not written for the current one', async () => {
  const on = standing();
  await on.pass();
  const { store } = on;
  const text = readFileSync(on.file('ce2.json'), 'utf8');
  on.configure({
    CREDMON_STANDING_ce2_SCOPE: 'compute.read',
    CREDMON_STANDING_ce2_PATH: 'ROOT/new.json',
  });
  const change = {
    user: '(standing)',
    stem: 'ce2',
    from: undefined,
    writes: [{ kind: 'use', text, durable: false }],
  } as const;
  expect(() => store.apply(change)).toThrow('its configuration changed during the renewal');
  expect(existsSync(on.file('new.json'))).toBe(false);
});

it('with a shorter lifetime is signed at once', async () => {
  const on = standing();
  await on.pass();
  on.configure({ CREDMON_STANDING_ce2_LIFETIME: '5 min' });
  await on.pass();
  expect(JSON.parse(readFileSync(on.file('ce2.json'), 'utf8'))).toMatchObject({ expires_in: 300 });
});

it('R29 R32 uses a new key at its next signature, and a key with another id at once', async () => {
  const on = standing();
  const text = (): string => readFileSync(on.file('el7_osg35.scitoken'), 'utf8').trim();
  const header = (): unknown =>
    JSON.parse(Buffer.from(text().split('.')[0] ?? '', 'base64url').toString());
  const signedBy = (name: string): boolean => {
    const [head = '', body = '', signature = ''] = text().split('.');
    const key = { key: readFileSync(on.file(name)), dsaEncoding: 'ieee-p1363' } as const;
    return verify(
      'sha256',
      Buffer.from(`${head}.${body}`),
      key,
      Buffer.from(signature, 'base64url'),
    );
  };
  await on.pass();
  renameSync(on.file('public.pem'), on.file('old.pem'));
  const { privateKey, kid, algorithm } = createKey({ algorithm: 'ES256' });
  const made = { key: privateKey, kid, algorithm };
  writeFileSync(on.file('private.pem'), writeKey(made, 'pem-private'), { mode: 0o600 });
  writeFileSync(on.file('public.pem'), writeKey(made, 'pem-public'));
  on.clock.advance(1900);
  await on.pass();
  expect([signedBy('old.pem'), signedBy('public.pem')]).toEqual([false, true]);
  on.configure({ LOCAL_CREDMON_KEY_ID: 'second' });
  await on.pass();
  expect(header()).toMatchObject({ kid: 'second' });
});

it('R32 never outlives the publication of its key', async () => {
  const keys = mkdtempSync(join(tmpdir(), 'credmon-standing-keys-'));
  const now = Math.floor(Date.now() / 1000);
  initKeyDirectory(keys);
  rotateKeys(keys, { now });
  publishInPlace(keys, now);
  rotateKeys(keys, { now });
  const on = standing({
    CREDMON_LOCAL_KEY_DIRECTORY: keys,
    CREDMON_STANDING_el7_osg35_LIFETIME: '7 days',
  });
  await on.pass();
  expect(existsSync(on.file('el7_osg35.scitoken'))).toBe(false);
  expect(loud(on).join('\n')).toMatch(
    /token lifetime 604800 s exceeds the limit of the key directory \S+ \(86400 s\)/,
  );
  expect(existsSync(on.file('ce2.json'))).toBe(true);
});

describe('settings', () => {
  it('report missing and invalid knobs', () => {
    const knobs = {
      CREDMON_STANDING_TOKENS: 'a, b/c',
      CREDMON_STANDING_a_PATH: 'relative',
      CREDMON_STANDING_a_MODE: '0644',
      CREDMON_STANDING_a_FORMAT: 'xml',
      CREDMON_STANDING_a_LIFETIME: 'soon',
    };
    let said = '';
    try {
      settingsOf('/x', knobs);
    } catch (error) {
      said = (error as CodedError).message;
    }
    for (const text of [
      'names "b/c": use letters',
      'CREDMON_STANDING_a_PROVIDER is not set',
      'CREDMON_STANDING_a_PATH = relative is not an absolute path',
      'CREDMON_STANDING_a_SUBJECT is not set',
      'CREDMON_STANDING_a_SCOPE is not set',
      'CREDMON_STANDING_a_AUDIENCE is not set',
      'CREDMON_STANDING_a_MODE is "0644"; it must be octal',
      'CREDMON_STANDING_a_FORMAT is "xml"',
      'CREDMON_STANDING_a_LIFETIME = soon is not a duration',
    ])
      expect(said).toContain(text);
  });
});

/** The mistakes in these knobs, without their places. */
function mistakesIn(knobs: Record<string, string>, credDir = '/nowhere'): string[] {
  try {
    settingsOf(
      '/x',
      { SEC_CREDENTIAL_DIRECTORY_OAUTH: credDir, ...knobs },
      { ...overrides, credDir },
    );
    return [];
  } catch (error) {
    return (error as CodedError).message
      .split('\n')
      .slice(1)
      .map((line) => line.replace(/^.*?: (?=[A-Z_]+)/, ''));
  }
}

describe('a provider of standing tokens', () => {
  const one = { ...KNOBS, CREDMON_STANDING_TOKENS: 'el7_osg35' };
  const PROVIDER = 'CREDMON_STANDING_el7_osg35_PROVIDER';
  const other = (kind: string): string =>
    `${PROVIDER} is lab, a provider of another kind (${kind}), which cannot have standing tokens: they are signed locally, fetched by client credentials, or renewed from a login`;
  const lab = {
    [PROVIDER]: 'lab',
    CREDMON_STANDING_el7_osg35_SUBJECT: '',
  };
  it.each<[string, Record<string, string>, string[]]>([
    [
      'that is misspelt does not sign as another issuer',
      { [PROVIDER]: 'frontnd' },
      [`${PROVIDER} is frontnd, which is not configured; did you mean frontend?`],
    ],
    [
      'that is misspelt may be meant as a key directory or a client, too',
      { [PROVIDER]: 'pilts', CREDMON_pilots_KEY_DIRECTORY: '/k' },
      [`${PROVIDER} is pilts, which is not configured; did you mean pilots?`],
    ],
    [
      'that is misspelt for all is reported once',
      { CREDMON_STANDING_PROVIDER: 'xyz', CREDMON_STANDING_TOKENS: 'el7_osg35, ce2' },
      [
        'CREDMON_STANDING_PROVIDER is xyz, which is not configured; set LOCAL_CREDMON_xyz_ISSUER to sign, CLIENT_CREDMON_xyz_CLIENT_ID to fetch, or xyz_CLIENT_ID and CREDMON_xyz_ISSUER for a login',
      ],
    ],
    ['may be in another case', { [PROVIDER]: 'FRONTEND' }, []],
    [
      'may have only a key directory',
      { [PROVIDER]: 'pilots', CREDMON_pilots_KEY_DIRECTORY: '/k' },
      [],
    ],
    ['may be one of a list', { [PROVIDER]: 'pilots', LOCAL_CREDMON_PROVIDER_NAMES: 'pilots' }, []],
    [
      'may be the one of the old list',
      { [PROVIDER]: 'pilots', LOCAL_CREDMON_PROVIDER_NAME: 'pilots' },
      [],
    ],
    ['may be the usual one', { [PROVIDER]: 'scitokens' }, []],
    [
      'is not a part of a shared knob',
      { [PROVIDER]: 'LOCAL', CREDMON_LOCAL_KEY_DIRECTORY: '/k' },
      [
        `${PROVIDER} is LOCAL, which is not configured; set LOCAL_CREDMON_LOCAL_ISSUER to sign, CLIENT_CREDMON_LOCAL_CLIENT_ID to fetch, or LOCAL_CLIENT_ID and CREDMON_LOCAL_ISSUER for a login`,
      ],
    ],
    [
      'is not a token exchange',
      {
        ...lab,
        EXCHANGE_CREDMON_PROVIDER_NAMES: 'lab',
        EXCHANGE_CREDMON_lab_CLIENT_ID: 'c',
        EXCHANGE_CREDMON_lab_ISSUER: 'https://i.example',
      },
      [other('exchange')],
    ],
    [
      'may be a login provider',
      { ...lab, lab_CLIENT_ID: 'c', lab_TOKEN_URL: 'https://i.example' },
      [],
    ],
    [
      'that is misspelt may be meant as a login provider, too',
      { ...lab, lba_CLIENT_ID: 'c', lba_TOKEN_URL: 'https://i.example', [PROVIDER]: 'lbaa' },
      [`${PROVIDER} is lbaa, which is not configured; did you mean LBA?`],
    ],
    [
      'is not a login provider without a token endpoint',
      { ...lab, lab_CLIENT_ID: 'c' },
      [
        `${PROVIDER} is lab, which is not configured; set LOCAL_CREDMON_lab_ISSUER to sign, CLIENT_CREDMON_lab_CLIENT_ID to fetch, or lab_CLIENT_ID and CREDMON_lab_ISSUER for a login`,
      ],
    ],
    ['is not a Vault', { ...lab, VAULT_CREDMON_PROVIDER_NAMES: 'lab' }, [other('vault')]],
    [
      'is not a program',
      { ...lab, EXEC_CREDMON_PROVIDER_NAMES: 'lab', EXEC_CREDMON_lab_COMMAND: '/bin/true' },
      [other('exec')],
    ],
  ])('%s', (_, more, mistakes) => {
    expect(mistakesIn({ ...one, ...more })).toEqual(mistakes);
  });
});

describe('the settings of a standing token from a login', () => {
  const lab = {
    CREDMON_STANDING_TOKENS: 'a',
    CREDMON_STANDING_a_PROVIDER: 'lab',
    CREDMON_STANDING_a_PATH: '/t/a',
    lab_CLIENT_ID: 'c',
    CREDMON_lab_ISSUER: 'https://i.example',
  };
  const read = (more: Record<string, string>) => {
    const { standing, warnings } = settingsOf('/x', { ...lab, ...more });
    const [token] = standing;
    return token?.kind === 'login'
      ? { provider: token.provider, scope: token.scope, audience: token.audience, warnings }
      : undefined;
  };

  it('may have no scopes, no audience and no subject: the issuer decides', () => {
    expect(read({})).toEqual({ provider: 'lab', scope: [], audience: [], warnings: [] });
  });

  it('are its own, or the defaults of the provider', () => {
    const ofProvider = {
      lab_DEFAULT_SCOPES: 'read,write',
      lab_DEFAULT_AUDIENCE: 'https://d.example',
    };
    expect(read(ofProvider)).toMatchObject({
      scope: ['read', 'write'],
      audience: ['https://d.example'],
    });
    const own = {
      CREDMON_STANDING_SCOPE: 'read',
      CREDMON_STANDING_a_AUDIENCE: 'https://a.example',
    };
    expect(read({ ...ofProvider, ...own })).toMatchObject({
      scope: ['read'],
      audience: ['https://a.example'],
    });
  });

  it('warn of a lifetime and a resource, which have no effect', () => {
    const knobs = {
      CREDMON_STANDING_a_LIFETIME: '60',
      CREDMON_STANDING_a_RESOURCE: 'https://r.example',
    };
    expect(read(knobs)?.warnings.join('\n')).toMatch(
      /_RESOURCE ignored: a login uses CREDMON_STANDING_a_AUDIENCE, and sends it as CREDMON_lab_AUDIENCE_PARAMETER says[^]*_LIFETIME ignored: the issuer decides/,
    );
  });
});

describe('the path of a standing token', () => {
  const one = { ...KNOBS, CREDMON_STANDING_TOKENS: 'el7_osg35' };
  const PATH = 'CREDMON_STANDING_el7_osg35_PATH';
  const inside = `${PATH} is in the credential directory /creds, whose files belong to jobs; choose another directory`;
  it.each([
    ['/creds/ce1', [inside]],
    ['/creds', [inside]],
    ['/etc/../creds/alice/x.use', [inside]],
    ['/creds2/ce1', []],
    ['/ce1', []],
    ['/..creds', []],
    ['ce1', [`${PATH} = ce1 is not an absolute path`]],
  ])('%s', (path, mistakes) => {
    expect(mistakesIn({ ...one, [PATH]: path }, '/creds')).toEqual(mistakes);
  });

  it('is not that of another token, in any spelling', () => {
    const same = {
      CREDMON_STANDING_el7_osg35_PATH: '/a/b',
      CREDMON_STANDING_ce2_PATH: '/a/./c/..//b',
    };
    expect(mistakesIn({ ...KNOBS, ...same })).toEqual([
      'CREDMON_STANDING_ce2_PATH is the path of another standing token',
    ]);
  });

  it('that is not set is reported once for each token', () => {
    const unset = { CREDMON_STANDING_el7_osg35_PATH: '', CREDMON_STANDING_ce2_PATH: '' };
    expect(mistakesIn({ ...KNOBS, ...unset })).toEqual([
      'CREDMON_STANDING_el7_osg35_PATH is not set, and the standing token el7_osg35 needs it',
      'CREDMON_STANDING_ce2_PATH is not set, and the standing token ce2 needs it',
    ]);
  });
});

it('the example of a standing token from a login has no mistake', () => {
  const path = fileURLToPath(
    new URL('../../../../../configs/condor/63-credmon-standing-login.conf', import.meta.url),
  );
  const env = { CONDOR_CONFIG: path, _CONDOR_LOG: '/x' };
  const { warnings, standing } = readSettings(
    loadConfig({ subsystem: 'CREDMON_OAUTH', env }),
    overrides,
  );
  expect(warnings).toEqual([]);
  expect(standing).toMatchObject([
    { kind: 'login', name: 'data', provider: 'site', owner: 'data-mover' },
  ]);
});

describe('the examples in configs/', () => {
  const folder = fileURLToPath(new URL('../../../../../configs/', import.meta.url));
  it.each([
    ['glideinwms/tokens-by-site.conf', ['/var/lib/gwms-frontend/tokens.d/el7_osg35.scitoken']],
    [
      'glideinwms/credential-elements.conf',
      ['/etc/gwms-frontend/ce1.scitoken', '/etc/gwms-frontend/ce2.scitoken'],
    ],
    ['glideinwms/plugin-cache.conf', ['/var/lib/gwms-frontend/tokens.d/main.ce1.factory.scitoken']],
    ['condor/61-credmon-local.conf', []],
    ['glideinwms/entries.conf', []],
    ['condor/62-credmon-standing-client.conf', ['/var/lib/gwms-frontend/tokens.d/ce1.scitoken']],
  ])('%s has no mistake', (name, paths) => {
    const env = { CONDOR_CONFIG: join(folder, name), _CONDOR_LOG: '/x' };
    const settings = readSettings(loadConfig({ subsystem: 'CREDMON_OAUTH', env }), overrides);
    expect(settings.warnings).toEqual([]);
    expect(settings.standing.map(({ path }) => path)).toEqual(paths);
    const sourceOf = (token: StandingToken): string =>
      token.kind === 'signed'
        ? token.issuer.profile
        : token.kind === 'login'
          ? token.provider
          : token.client.name;
    const source = name.includes('client') ? 'frontend' : 'wlcg:1.0';
    expect(settings.standing.map((token) => [sourceOf(token), token.owner])).toEqual(
      paths.map(() => [source, 'frontend']),
    );
  });
});
