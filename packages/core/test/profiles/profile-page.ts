// The parts of docs/providers that are made from the JSON files of the profiles.
import {
  PROFILE_NAMES,
  PROFILES,
  type ErrorMeaning,
  type ProfileName,
  type ProviderProfile,
} from '../../src/profiles/profile.ts';

const code = (text: string): string => `\`${text.replaceAll('|', String.raw`\|`)}\``;
const codes = (texts: readonly string[]): string =>
  texts.length === 0 ? 'none' : texts.map(code).join(', ');
const parameters = (values: Readonly<Record<string, string>>): string =>
  codes(Object.entries(values).map(([name, value]) => `${name}=${value}`));

/** A setting: what it is, the knob that replaces it, and its value. */
type Row = readonly [string, string, string];

/** The members of a profile as rows, in this order; errors have a table of their own. */
const ROWS: {
  readonly [Member in keyof ProviderProfile]?: readonly [
    string,
    string,
    (value: NonNullable<ProviderProfile[Member]>) => string,
  ];
} = {
  issuer: ['issuer', 'CREDMON_<P>_ISSUER', code],
  issuerAliases: ['other names of the issuer', 'CREDMON_<P>_ISSUER_ALIASES', codes],
  tenantIssuers: [
    '`{tenantid}` in the name of the issuer',
    '',
    () => 'the claim `tid` replaces it',
  ],
  origins: ['further servers of its endpoints', 'CREDMON_ENDPOINT_ORIGINS', codes],
  authorizationUrl: ['authorization endpoint', '<P>_AUTHORIZATION_URL', code],
  tokenUrl: ['token endpoint', '<P>_TOKEN_URL', code],
  deviceUrl: ['device authorization endpoint', 'CREDMON_<P>_DEVICE_URL', code],
  revocationUrl: ['revocation endpoint', 'CREDMON_<P>_REVOCATION_URL', code],
  revocationPage: ['no revocation endpoint: users end the access at', '', (value) => `<${value}>`],
  authentication: ['client authentication', 'CREDMON_<P>_CLIENT_AUTH', code],
  pkce: ['PKCE', 'CREDMON_<P>_PKCE', (value) => code(String(value))],
  audienceParameter: ['parameter for the audience', 'CREDMON_<P>_AUDIENCE_PARAMETER', code],
  authorizationParameters: [
    'further parameters of the sign-in',
    'CREDMON_<P>_AUTHORIZATION_PARAMETERS',
    parameters,
  ],
  offlineConsent: [
    '`prompt=consent` with the scope `offline_access`',
    'CREDMON_<P>_AUTHORIZATION_PARAMETERS',
    (value) => code(String(value)),
  ],
  tokenParameters: [
    'further parameters of token requests',
    'CREDMON_<P>_TOKEN_PARAMETERS',
    parameters,
  ],
  refreshParameters: ['repeated at a renewal', 'CREDMON_<P>_REFRESH_PARAMETERS', codes],
  scopePolicy: ['scope policy', 'CREDMON_<P>_SCOPE_POLICY', code],
  genericScopes: ['scopes accepted without a request', 'CREDMON_<P>_EXTRA_SCOPES', codes],
  scopeAliases: ['second names of scopes', 'CREDMON_<P>_SCOPE_ALIASES', parameters],
  scopePrefixes: ['prefix that scopes may have', 'CREDMON_<P>_SCOPE_ALIASES', codes],
  scopeCase: ['case of scopes', '', code],
  tokenLifetime: [
    'lifetime if the issuer does not say it',
    'CREDMON_<P>_DEFAULT_TOKEN_LIFETIME',
    (value) => code(String(value)),
  ],
  refreshRevokes: [
    'a renewal revokes the old token',
    'CREDMON_<P>_REFRESH_REVOKES',
    (value) => code(String(value)),
  ],
};

/** What holds if a profile does not say otherwise. */
const DEFAULTS: Partial<ProviderProfile> = {
  authentication: 'post',
  pkce: true,
  audienceParameter: 'resource',
  authorizationParameters: {},
  offlineConsent: true,
  tokenParameters: {},
  refreshParameters: [],
  scopePolicy: 'contained',
  scopeAliases: {},
  refreshRevokes: false,
};

function rowsOf(profile: Partial<ProviderProfile>): Row[] {
  return Object.entries(ROWS).flatMap(([member, [what, knob, show]]): Row[] => {
    const value = profile[member as keyof ProviderProfile];
    if (value === undefined) return [];
    return [[what, knob === '' ? '-' : code(knob), (show as (one: unknown) => string)(value)]];
  });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const WHO: Readonly<Record<string, string>> = {
  GRANT_REVOKED: 'the user signs in again',
  CLIENT_REFUSED: 'the administrator corrects the client',
  ISSUER_BUSY: 'nobody: it is tried again later',
};

/** The codes of a list such as `AADSTS(?:1|2)`, or the expression itself. */
function textCell(text: string): string {
  const [, before, numbers] = /^(\w+)\(\?:([\d|]+)\)\\b$/.exec(text) ?? [];
  return before === undefined || numbers === undefined
    ? `text ${code(text)}`
    : `${before} ${numbers.split('|').join(', ')}`;
}

/** Errors with the same meaning are one row. */
function errorRows(errors: readonly ErrorMeaning[]): readonly (readonly string[])[] {
  const rows = new Map<string, Set<string>>();
  for (const { error, text, silent = false, grant, means } of errors) {
    const more = silent
      ? ' without a description'
      : text === undefined
        ? ''
        : " with a text that the profile's file names";
    const alone = silent ? 'status 400 without a body' : textCell(text ?? '');
    const sign = error === undefined ? alone : `${code(error)}${more}`;
    const at = grant === undefined ? 'sign-in and renewal' : 'renewal';
    const key = JSON.stringify([at, WHO[means] ?? means]);
    rows.set(key, (rows.get(key) ?? new Set()).add(sign));
  }
  return [...rows].map(([key, signs]) => {
    const [at = '', who = ''] = JSON.parse(key) as readonly string[];
    return [[...signs].join(', '), at, who];
  });
}

/** The settings, errors and sources of a profile. */
export function profileText(name: ProfileName): string {
  const { documentation, errors = [], ...settings } = PROFILES[name];
  const shown = name === 'generic' ? { ...DEFAULTS, ...settings } : settings;
  const others =
    name === 'generic'
      ? ''
      : '\nEverything else is as in the profile [generic](generic.md). `<P>` is the name of the provider.\n\nA knob replaces its setting, but parameters, second names of scopes and meanings of errors are added to those of the profile. The scopes in the table are\naccepted. The portal requests only the scopes of the submit file and of the knob.\n';
  const errorTable =
    errors.length === 0
      ? ''
      : `\n${table(['answer of the issuer', 'at', 'who must act'], errorRows(errors))}\n`;
  const sources = documentation.map(
    ({ title, url, read }) =>
      `- [${title}](${url})${read === undefined ? '' : `, read on ${read}`}`,
  );
  return [
    table(['setting', 'knob', 'value'], rowsOf(shown)),
    others,
    errorTable,
    '\nSources:\n',
    ...sources,
  ].join('\n');
}

/** The table of all profiles. */
export function indexText(): string {
  return table(
    ['profile', 'issuer', 'suggested by `check` for', 'page'],
    PROFILE_NAMES.map((name) => {
      const { title, issuer, tokenUrl, hosts = [], pathMarks = [] } = PROFILES[name];
      const set =
        issuer === undefined
          ? tokenUrl === undefined
            ? 'set `CREDMON_<P>_ISSUER`'
            : 'no metadata: the profile has the endpoints'
          : code(issuer);
      const marks = [...hosts, ...pathMarks.map((mark) => `*${mark}*`)];
      return [code(name), set, codes(marks), `[${title}](${name}.md)`];
    }),
  );
}

const BEGIN = '<!-- made from the profile: UPDATE_DOCS=1 -->';
const END = '<!-- end -->';

/** Returns the page with `text` between its two marks. */
export function filled(page: string, text: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error('the marks are missing');
  return `${before}${BEGIN}\n\n${text}\n\n${END}${after}`;
}
