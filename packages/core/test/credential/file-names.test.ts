// Names of users, services and handles, as CredD writes them; and provider names with `_`:
// warnings, and tokens that are not used.
import { temporaryName } from '../../src/base/files/atomic-write.ts';
import { loadConfig } from '../../src/config/machine/load.ts';
import { configuredProviders } from '../../src/config/typed/provider-names.ts';
import {
  KEY_FILE_NAME,
  type NameRules,
  classifyUserEntry,
  cutDomain,
  hintsAtTokens,
  isCredName,
  isPlainProviderName,
  judgeProviderNames,
  refusedName,
  splitStem,
  stemOf,
  tokenFileName,
} from '../../src/credential/file-names.ts';
import { describe, expect, it } from 'vitest';

describe('a name in the credential directory', () => {
  it.each(['a', 'alice', 'A-b+c=d_e.f', '0', '-', '_', 'x.mark', 'a..b', 'a.', 'x'.repeat(200)])(
    '%s is valid',
    (name) => {
      expect(isCredName(name)).toBe(true);
    },
  );

  it.each([
    '',
    '.',
    '..',
    '.hidden',
    'a/b',
    '../a',
    'a b',
    'a\n',
    'a\0',
    'a*b',
    'a:b',
    'a@b',
    'a\\b',
    'ä',
    '٣',
    '[1]',
    '%2e',
    'x'.repeat(201),
  ])('%j is invalid', (name) => {
    expect(isCredName(name)).toBe(false);
  });

  it.each([
    ['alice', 'alice'],
    ['alice@example.org', 'alice'],
    ['alice@a@b', 'alice'],
    ['@example.org', ''],
    ['', ''],
  ])('the user of %j is %j', (user, expected) => {
    expect(cutDomain(user)).toBe(expected);
  });
});

describe('the stem of a token', () => {
  it.each([
    ['mytok', '', 'mytok'],
    ['mytok', 'h1', 'mytok_h1'],
    ['mytok', 'a_b', 'mytok_a_b'],
  ])('service %s and handle %j are joined to, and split from, %s', (service, handle, stem) => {
    expect(stemOf(service, handle)).toBe(stem);
    expect(splitStem(stem, false)).toEqual({ service, handle });
  });

  it.each(['', '_', '_h1', 'mytok_', 'mytok_h1_', '.', '..', 'a/b'])(
    '%j belongs to no service',
    (stem) => {
      expect(splitStem(stem, false)).toBeUndefined();
    },
  );

  it.each(['my_tok', 'my_tok_', '_x'])(
    '%s is a whole service if special names are allowed',
    (stem) => {
      expect(splitStem(stem, true)).toEqual({ service: stem, handle: '' });
    },
  );

  it.each([
    ['my-tok', true],
    ['Tok9', true],
    ['my_tok', false],
    ['my.tok', false],
    ['', false],
    ['*', false],
    ['a\n', false],
  ])('%j is a plain provider name: %s', (name, expected) => {
    expect(isPlainProviderName(name)).toBe(expected);
  });
});

function rulesOf(knobs: Record<string, string>): NameRules {
  const env = Object.fromEntries(
    Object.entries(knobs).map(([name, value]) => [`_CONDOR_${name}`, value]),
  );
  return judgeProviderNames(
    configuredProviders(
      loadConfig({ subsystem: 'CREDMON_OAUTH', env: { CONDOR_CONFIG: 'ONLY_ENV', ...env } }),
    ),
  );
}

const OR = ', or set CREDMON_ALLOW_SPECIAL_CHAR_NAMES = true (turns handles off)';
const REFUSED = `keycloak_extra is ambiguous: it is also the handle "extra" of the provider "keycloak"; no login and no renewal of keycloak_extra; fix: rename it to keycloakextra${OR}`;

describe('R19 provider names with "_"', () => {
  it.each<[string, Record<string, string>, readonly string[]]>([
    ['none', { mytok_CLIENT_ID: 'x', LOCAL_CREDMON_PROVIDER_NAMES: 'a, b' }, []],
    [
      'alone: a warning with the remedy',
      { my_site_CLIENT_ID: 'x' },
      [`my_site is read as the handle "site" of a provider "my"; fix: rename it to mysite${OR}`],
    ],
    [
      'with its first part configured: rejected',
      { keycloak_CLIENT_ID: 'x', keycloak_extra_CLIENT_ID: 'y' },
      [REFUSED],
    ],
    [
      'with a knob that only CredD uses',
      { keycloak_CLIENT_ID: 'x', 'CREDD.keycloak_extra_CLIENT_ID': 'y' },
      [REFUSED],
    ],
    [
      'in another case',
      { KEYCLOAK_CLIENT_ID: 'x', OAUTH2_CREDMON_PROVIDER_NAMES: 'keycloak_extra' },
      [REFUSED.replace('"keycloak"', '"KEYCLOAK"')],
    ],
    [
      'a proposed name that is taken',
      { my_site_CLIENT_ID: 'x', MYSITE_CLIENT_ID: 'y' },
      [`my_site is read as the handle "site" of a provider "my"; fix: rename it to mysite2${OR}`],
    ],
    [
      'the default local provider counts',
      { scitokens_x_CLIENT_ID: 'x' },
      [
        `scitokens_x is ambiguous: it is also the handle "x" of the provider "scitokens"; no login and no renewal of scitokens_x; fix: rename it to scitokensx${OR}`,
      ],
    ],
    [
      'but not if another one is configured',
      { LOCAL_CREDMON_PROVIDER_NAME: 'own', scitokens_x_CLIENT_ID: 'x' },
      [
        `scitokens_x is read as the handle "x" of a provider "scitokens"; fix: rename it to scitokensx${OR}`,
      ],
    ],
    [
      'at the end',
      { EXEC_CREDMON_PROVIDER_NAMES: 'odd_' },
      [`odd_ begins or ends with "_", so no token belongs to it; fix: rename it to odd${OR}`],
    ],
    [
      'with the knob',
      { a_CLIENT_ID: 'x', a_b_CLIENT_ID: 'y', CREDMON_ALLOW_SPECIAL_CHAR_NAMES: 'True' },
      [],
    ],
    [
      'other knobs name no provider',
      { CLIENT_CREDMON_a_b_CLIENT_ID: 'x', a_b_PELICAN_CLIENT_ID: 'x', a_b_CLIENT_ID: '' },
      [],
    ],
  ])('%s', (_, knobs, expected) => {
    expect(rulesOf(knobs).problems.map(({ text }) => text)).toEqual(expected);
  });

  it.each(
    ['LOCAL', 'CLIENT', 'OAUTH2', 'VAULT', 'PELICAN', 'EXCHANGE', 'EXEC'].flatMap((kind) =>
      ['LOCAL', 'CLIENT', 'OAUTH2', 'VAULT', 'PELICAN', 'EXCHANGE', 'EXEC'].map(
        (other) => [kind, other] as const,
      ),
    ),
  )('a name in the list %s is rejected when its first part is in the list %s', (kind, other) => {
    const rules = rulesOf({
      [`${other}_CREDMON_PROVIDER_NAMES`]: 'own',
      [`${kind}_CREDMON_PROVIDER_NAMES`]: kind === other ? 'own, own_x' : 'own_x',
    });
    expect([
      rules.problems.map(({ name, base }) => [name, base]),
      refusedName('own_x', rules),
    ]).toEqual([[['own_x', 'own']], rules.problems[0]?.text]);
  });

  it('only tokens of a rejected provider are not used, with any handle and in any case', () => {
    const rules = rulesOf({
      keycloak_CLIENT_ID: 'x',
      keycloak_extra_CLIENT_ID: 'y',
      my_site_CLIENT_ID: 'z',
    });
    const names = [
      'keycloak_extra',
      'KEYCLOAK_Extra',
      'keycloak_extra_h1',
      'keycloak',
      'keycloak_h1',
      'keycloak_extra2',
      'keycloak_extr',
      'my_site',
      'my_site_h1',
      'other',
    ];
    expect(names.filter((name) => refusedName(name, rules) !== undefined)).toEqual(
      names.slice(0, 3),
    );
  });
});

describe('a name in a user’s directory', () => {
  it.each([
    ['mytok.top', { kind: 'top', stem: 'mytok' }],
    ['mytok_h1.use', { kind: 'use', stem: 'mytok_h1' }],
    ['my.tok.meta', { kind: 'meta', stem: 'my.tok' }],
    ['a.top.use', { kind: 'use', stem: 'a.top' }],
    ['.mytok.renewal', { kind: 'renewal', stem: 'mytok' }],
    ['.mytok_h1.issued', { kind: 'issued', stem: 'mytok_h1' }],
    ['mytok.issued', { kind: 'other' }],
    ['mytok.renewal', { kind: 'other' }],
    ['.issued', { kind: 'other' }],
    [
      '..mytok.issued.12.3.credmon-tmp',
      { kind: 'temporary', pid: 12, locked: false, target: '.mytok.issued' },
    ],
    [
      '.mytok.top.12.3.credmon-tmp',
      { kind: 'temporary', pid: 12, locked: false, target: 'mytok.top' },
    ],
    [
      '.mytok.top.d12.3.credmon-tmp',
      { kind: 'temporary', pid: 12, locked: true, target: 'mytok.top' },
    ],
    ['.mytok.top.x12.3.credmon-tmp', { kind: 'other' }],
    [
      '..mytok.renewal.12.3.credmon-tmp',
      { kind: 'temporary', pid: 12, locked: false, target: '.mytok.renewal' },
    ],
    ['.top', { kind: 'other' }],
    ['.mytok.top', { kind: 'other' }],
    ['.mytok.renewal.top', { kind: 'other' }],
    ['mytok.top.tmp', { kind: 'other' }],
    ['mytok.TOP', { kind: 'other' }],
    ['tmpAbC123', { kind: 'other' }],
    ['mytok.top.12.3.credmon-tmp', { kind: 'other' }],
    ['.mytok.top.12.credmon-tmp', { kind: 'other' }],
    ['.renewal', { kind: 'other' }],
    ['', { kind: 'other' }],
  ])('%s', (name, expected) => {
    expect(classifyUserEntry(name)).toEqual(expected);
  });

  it.each(['top', 'use', 'meta', 'renewal', 'issued'] as const)(
    '.%s is read back as written',
    (kind) => {
      const name = tokenFileName('my_tok.x', kind);
      expect(classifyUserEntry(name)).toEqual({ kind, stem: 'my_tok.x' });
      for (const locked of [true, false])
        expect(classifyUserEntry(temporaryName(name, locked))).toMatchObject({
          kind: 'temporary',
          locked,
          target: name,
        });
    },
  );

  it('the temporary file of the longest name still fits a file system', () => {
    const longest = tokenFileName('x'.repeat(200), 'renewal');
    expect(`.${longest}.d4194304.999999999.credmon-tmp`.length).toBeLessThanOrEqual(255);
  });

  it.each([
    ['a'.repeat(64), true],
    ['0123456789abcdef'.repeat(4), true],
    ['A'.repeat(64), false],
    ['a'.repeat(63), false],
    ['a'.repeat(65), false],
    [`${'a'.repeat(64)}\n`, false],
    ['CREDMON_COMPLETE', false],
  ])('R37 %j is a key file: %s', (name, expected) => {
    expect(KEY_FILE_NAME.test(name)).toBe(expected);
  });
});

describe('a change in the top directory', () => {
  it.each([
    ['a'.repeat(64), true],
    ['alice', true],
    ['x.mark', false],
    ['pid', false],
    ['CREDMON_COMPLETE', false],
    ['.pid.12.1.credmon-tmp', false],
    ['.condor_credmon.lock', true],
  ])('%s hints at tokens: %s', (name, hints) => {
    expect(hintsAtTokens(name)).toBe(hints);
  });
});
