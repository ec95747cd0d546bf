// How issuers spell refresh tokens: names of members, types of objects, and texts that
// contain one. Pure.

/**
 * Returns a name without case and separators: `refreshToken`, `Refresh-Token` and
 * `refresh_token` are equal.
 */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/**
 * What follows "refresh token" in the name of its expiry, and the text of such a member.
 */
const EXPIRY =
  /^(expires|expiry|expiration|exp|lifetime|validity|ttl|maxage|issued)(in|at|on|time|date|seconds|secs)*$/;
const DATE = /^[\dTZ:.+ -]{0,40}$/;

/**
 * True for a member that contains a refresh token, by its name: "refresh token" anywhere
 * in it, in any spelling, or "refresh" alone with a text or object. False for the expiry
 * of a refresh token.
 */
export function isRefreshMember(name: string, value: unknown): boolean {
  const plain = plainName(name);
  if (plain === 'refresh')
    return typeof value === 'object' || (typeof value === 'string' && !DATE.test(value));
  const at = plain.lastIndexOf('refreshtoken');
  if (at < 0) return plain.includes('refreshjwt');
  return !(EXPIRY.test(plain.slice(at + 'refreshtoken'.length)) && isMoment(value));
}

function isMoment(value: unknown): boolean {
  return (
    typeof value === 'number' || value === null || (typeof value === 'string' && DATE.test(value))
  );
}

/** Names of members that describe the object or its other members. */
const KIND = /^(type|kind|typ|use|name|key|label|field)$|token(type|kind|typ|use|name)(hint)?$/;

/**
 * True for an object whose type is a refresh token, for any name of the member with the
 * token.
 */
export function isRefreshObject(object: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(object).some(
    ([name, value]) =>
      KIND.test(plainName(name)) && [value].flat().some((each) => saysRefresh(each)),
  );
}

function saysRefresh(value: unknown): boolean {
  return typeof value === 'string' && /^refresh$|refreshtokens?$/.test(plainName(value));
}

/** True for a list `["refresh_token", value]`: a member written as a pair. */
export function isRefreshPair(list: readonly unknown[]): boolean {
  const [name, value, ...more] = list;
  return (
    more.length === 0 &&
    value !== undefined &&
    typeof name === 'string' &&
    isRefreshMember(name, value)
  );
}

/**
 * Below the member of a refresh token: members that describe it, and words that are not
 * tokens.
 */
const DESCRIPTION = new RegExp(
  `(${[
    'scopes?|type|kind|typ|use|status|state|audience|aud|issuer|iss|clientid|method|policy',
    'rotation|expires(in|at)?|expiry|user(name|id)?|sub(ject)?|email|realm|tenant|provider',
    'description|ur[il]',
  ].join('|')})$`,
);
const WORD =
  /^(bearer|dpop|mac|refresh|refreshtoken|accesstoken|true|false|yes|no|none|null|undefined|active|opaque|jwt)?$/;

/**
 * Returns all texts below a member or object that contains a refresh token, without the
 * words that describe it; also a long number used as a token.
 */
export function tokensBelow(value: unknown, levels: number, name = ''): string[] {
  if (typeof value === 'string')
    return DESCRIPTION.test(plainName(name)) || WORD.test(plainName(value)) ? [] : [value];
  if (typeof value === 'number') return name === '' && value >= 1e7 ? [String(value)] : [];
  if (typeof value !== 'object' || value === null || levels <= 0) return [];
  if (Array.isArray(value)) return value.flatMap((each) => tokensBelow(each, levels - 1, name));
  return Object.entries(value).flatMap(([inner, each]) => tokensBelow(each, levels - 1, inner));
}

/**
 * Matches the name of a refresh token in a text with its suffix, up to a sign of a
 * following value or of a quoted name.
 */
const MENTION = new RegExp(
  [
    /refresh(?:[_.\- +]|%(?:25)*(?:5f|20|2d)|\\+u00(?:5f|2d|20))?token/,
    /([\w-]{0,40})\\{0,64}/,
    /(?:["'=>]|:\s|%(?:25)*(?:22|27|3d)|\\?u00(?:22|27|3d)|&(?:quot|#34|#39|apos);)/,
  ]
    .map(({ source }) => source)
    .join(''),
  'gi',
);

/**
 * True for a text like `refresh_token=...` or `{"refresh_token":...`, also if encoded;
 * false for the name of its expiry.
 */
export function mentionsRefreshToken(text: string): boolean {
  if (!/refresh/i.test(text)) return false;
  for (const [, rest = ''] of text.matchAll(MENTION))
    if (!EXPIRY.test(plainName(rest))) return true;
  return false;
}

/**
 * Returns the refresh tokens of a text that is a form or query, or that contains JSON
 * which cannot be parsed as a whole.
 */
export function tokensInText(text: string): string[] {
  if (!/refresh/i.test(text)) return [];
  const found = text.matchAll(
    /refresh[_.\- ]?token([\w-]{0,40})(?:=|\\{0,64}["']\s{0,8}:\s{0,8}\\{0,64}["'])([\w.~+/%-]{1,16384}=*)/gi,
  );
  return [...found].flatMap(([, rest = '', token = '']) =>
    EXPIRY.test(plainName(rest)) ? [] : [token, formDecoded(token)],
  );
}

function formDecoded(token: string): string {
  return new URLSearchParams(`=${token.replaceAll('&', '%26')}`).get('') ?? token;
}
