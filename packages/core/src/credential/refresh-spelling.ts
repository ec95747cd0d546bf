// How issuers spell a refresh token: names of members, types of objects, and texts that
// hold one. Pure.

/**
 * A name without case and separators: `refreshToken`, `Refresh-Token` and `refresh_token`
 * are one.
 */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/**
 * What follows "refresh token" in the name of its expiry, and what such a member holds
 * when it is not a number.
 */
const EXPIRY =
  /^(expires|expiry|expiration|exp|lifetime|validity|ttl|maxage|issued)(in|at|on|time|date|seconds|secs)*$/;
const DATE = /^[\dTZ:.+ -]{0,40}$/;

/**
 * True for a member that holds a refresh token by its name: "refresh token" anywhere in
 * it, in any spelling, or "refresh" alone with a text or object. The expiry of a refresh
 * token is not one.
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

/** Members that say what the object or its other members hold. */
const KIND = /^(type|kind|typ|use|name|key|label|field)$|token(type|kind|typ|use|name)(hint)?$/;

/**
 * True for an object that calls its own token a refresh token, whatever the member with
 * the token is called.
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

/** True for a list `["refresh_token", value]`: a member that is written as a pair. */
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
 * Below the member of a refresh token: members that describe it, and words that are no
 * token.
 */
const DESCRIPTION =
  /(scopes?|type|kind|typ|use|status|state|audience|aud|issuer|iss|clientid|method|policy|rotation|expires(in|at)?|expiry|user(name|id)?|sub(ject)?|email|realm|tenant|provider|description|ur[il])$/;
const WORD =
  /^(bearer|dpop|mac|refresh|refreshtoken|accesstoken|true|false|yes|no|none|null|undefined|active|opaque|jwt)?$/;

/**
 * All texts below a member or object that holds a refresh token, without the words that
 * describe it; also a long number in place of a token.
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
 * The name of a refresh token in a text, with what follows the name, up to a sign that a
 * value follows or that the name is quoted.
 */
const MENTION =
  /refresh(?:[_.\- +]|%(?:25)*(?:5f|20|2d)|\\+u00(?:5f|2d|20))?token([\w-]{0,40})\\{0,64}(?:["'=>]|:\s|%(?:25)*(?:22|27|3d)|\\?u00(?:22|27|3d)|&(?:quot|#34|#39|apos);)/gi;

/**
 * True for a text like `refresh_token=...` or `{"refresh_token":...`, also where it is
 * encoded, but not for the name of its expiry.
 */
export function mentionsRefreshToken(text: string): boolean {
  if (!/refresh/i.test(text)) return false;
  for (const [, rest = ''] of text.matchAll(MENTION))
    if (!EXPIRY.test(plainName(rest))) return true;
  return false;
}

/**
 * The refresh tokens of a text that is a form or query, or holds JSON that cannot be
 * parsed as a whole.
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
