// The JSON files of the provider profiles: only known members with valid values, and
// links to their sources.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import errorCodes from '../../src/base/errors/error-codes.json' with { type: 'json' };
import { PROFILE_NAMES, PROFILES, suggestProfile } from '../../src/profiles/profile.ts';

const files = readdirSync(fileURLToPath(new URL('../../src/profiles/data/', import.meta.url)));

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';
const matches = (value: unknown, pattern: RegExp): boolean =>
  typeof value === 'string' && pattern.test(value);
const isUrl = (value: unknown): boolean =>
  typeof value === 'string' && URL.canParse(value) && new URL(value).protocol === 'https:';
const isEndpoint = (value: unknown): boolean =>
  isUrl(value) && new URL(String(value)).search === '' && new URL(String(value)).hash === '';
const isOrigin = (value: unknown): boolean =>
  isUrl(value) && new URL(String(value)).origin === value;
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isOneOf =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);
const isListOf =
  (test: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(test) && new Set(value).size === value.length;
const isMapOf =
  (test: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(([name, one]) => /^[\w.-]+$/.test(name) && test(one));
/** @see RFC 6749, section 3.3 */
const isScope = (value: unknown): boolean =>
  typeof value === 'string' && /^[!#-[\]-~]+$/.test(value);

/** True for an expression whose time does not explode: no quantifier in a quantified group. */
function isLinear(pattern: string): boolean {
  const plain = pattern.replaceAll(/\\./g, 'x').replaceAll(/\[[^\]]*\]/g, 'x');
  const open: boolean[] = [];
  for (const [at, char] of plain.split('').entries()) {
    const before = plain[at - 1];
    const quantifies = /[*+{]/.test(char) || (char === '?' && before !== '(');
    if (char === '(') open.push(false);
    else if (char === ')') {
      const held = open.pop() ?? false;
      if (held && /[*+{]/.test(plain[at + 1] ?? '')) return false;
      if (held && open.length > 0) open[open.length - 1] = true;
    } else if (quantifies && open.length > 0) open[open.length - 1] = true;
  }
  return true;
}

const isExpression = (value: unknown): boolean => {
  if (typeof value !== 'string' || !isLinear(value)) return false;
  // An expression without words would match every description.
  return !new RegExp(value, 'is').test('') && !new RegExp(value, 'is').test('other words');
};

const isMeaning = (value: unknown): boolean => {
  const { error, text, silent, grant, means, ...others } = value as Readonly<
    Record<string, unknown>
  >;
  return (
    Object.keys(others).length === 0 &&
    (error !== undefined || text !== undefined || silent === true) &&
    (silent === undefined || (silent === true && text === undefined)) &&
    (error === undefined || matches(error, /^[\w.-]{1,64}$/)) &&
    (text === undefined || isExpression(text)) &&
    (grant === undefined || grant === 'refresh') &&
    Object.hasOwn(errorCodes, String(means))
  );
};

const isSource = (value: unknown): boolean => {
  const { title, url, read, ...others } = value as Readonly<Record<string, unknown>>;
  return (
    Object.keys(others).length === 0 &&
    isText(title) &&
    isUrl(url) &&
    (read === undefined || matches(read, /^20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/))
  );
};

/** Every member of a profile, and what it must be. */
const MEMBERS: Readonly<Record<string, (value: unknown) => boolean>> = {
  title: isText,
  documentation: (value) => isListOf(isSource)(value) && (value as readonly unknown[]).length > 0,
  hosts: isListOf((value) => /^(?:\*|[a-z\d*-]+)(?:\.[a-z\d*-]+)+$/.test(String(value))),
  pathMarks: isListOf((value) => /^\/[\w/-]+\/$/.test(String(value))),
  issuer: isEndpoint,
  issuerAliases: isListOf(isText),
  tenantIssuers: isBoolean,
  origins: isListOf(isOrigin),
  authorizationUrl: isEndpoint,
  tokenUrl: isEndpoint,
  deviceUrl: isEndpoint,
  revocationUrl: isEndpoint,
  revocationPage: isEndpoint,
  authentication: isOneOf('post', 'basic', 'basic_plain', 'private_key_jwt', 'none'),
  pkce: isBoolean,
  audienceParameter: isOneOf('resource', 'audience', 'none'),
  authorizationParameters: isMapOf(isText),
  offlineConsent: isBoolean,
  tokenParameters: isMapOf(isText),
  refreshParameters: isListOf(isOneOf('scope', 'audience')),
  scopePolicy: isOneOf('exact', 'contained', 'issuer'),
  genericScopes: isListOf(isScope),
  scopeAliases: (value) =>
    Object.entries(value as Record<string, unknown>).every(
      ([one, other]) => isScope(one) && isScope(other),
    ),
  scopePrefixes: isListOf(isEndpoint),
  scopeCase: isOneOf('ignored'),
  tokenLifetime: (value) => value === 'unlimited' || (Number.isInteger(value) && Number(value) > 0),
  refreshRevokes: isBoolean,
  errors: isListOf(isMeaning),
};

it('there is one file for each profile', () => {
  expect(files.sort()).toEqual(PROFILE_NAMES.map((name) => `${name}.json`).sort());
});

describe.each(PROFILE_NAMES.map((name) => [name, PROFILES[name]] as const))(
  'the profile %s',
  (name, profile) => {
    it('has only known members with valid values', () => {
      const wrong = Object.entries(profile).filter(([member, value]) => !MEMBERS[member]?.(value));
      expect(wrong).toEqual([]);
    });

    it('names each scope, error and source once', () => {
      const { documentation, errors = [] } = profile;
      const rows = errors.map((row) => JSON.stringify([row.error, row.text, row.grant]));
      expect([new Set(rows).size, new Set(documentation.map(({ url }) => url)).size]).toEqual([
        rows.length,
        documentation.length,
      ]);
    });

    it('is the one that is suggested for its own issuer and endpoints', () => {
      const { issuer, authorizationUrl, tokenUrl } = profile;
      const urls = [issuer, authorizationUrl, tokenUrl].filter((url) => url !== undefined);
      expect(urls.map((url) => suggestProfile(url))).toEqual(urls.map(() => name));
    });

    it('has endpoints if it has no issuer with metadata, and only then', () => {
      const { issuer, tenantIssuers, authorizationUrl, tokenUrl, hosts } = profile;
      const isOneService =
        hosts?.every((host) => !host.includes('*')) === true && tenantIssuers !== true;
      const named = authorizationUrl !== undefined && tokenUrl !== undefined;
      expect(named).toBe(isOneService && issuer === undefined);
    });
  },
);

it('scopes that are accepted without a request are these', () => {
  const generic = Object.fromEntries(
    PROFILE_NAMES.map((name) => [name, PROFILES[name].genericScopes.join(' ')]),
  );
  const usual = 'openid profile email offline_access';
  expect(generic).toEqual({
    google: 'openid profile email',
    microsoft: `${usual} User.Read`,
    github: '',
    globus: usual,
    cilogon: `${usual} org.cilogon.userinfo`,
    iam: usual,
    keycloak: `${usual} acr basic web-origins`,
    egi: `${usual} acr basic web-origins voperson_id`,
    box: '',
    dropbox: 'openid profile email account_info.read',
    orcid: 'openid /authenticate',
    generic: usual,
  });
});

it.each<[string, boolean]>([
  ['a(?:b|c)d', true],
  ['a.*b', true],
  [String.raw`(?:or (?:x|y) )?z`, true],
  [String.raw`AADSTS(?:1|2)\b`, true],
  ['(?:a+)+', false],
  ['(a*)*b', false],
  ['(?:a|b?)*', false],
  ['((?:a+)b){2,}', false],
])('the check finds that %j is linear: %s', (pattern, expected) => {
  expect(isLinear(pattern)).toBe(expected);
});

it.each([
  ['https://iam.example.org/realms/lab', 'keycloak'],
  ['https://iam.example.org/', 'iam'],
  ['https://aai.egi.eu/auth/realms/egi', 'egi'],
  ['https://wlcg.cloud.cnaf.infn.it/', 'iam'],
  ['https://cilogon.org/fermilab', 'cilogon'],
  ['https://login.microsoftonline.com/common/v2.0', 'microsoft'],
  ['https://login.example.org/', undefined],
  ['not a URL', undefined],
])('suggests for %s the profile %s', (url, expected) => {
  expect(suggestProfile(url)).toBe(expected);
});
