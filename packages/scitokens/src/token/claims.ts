// The claims of each token profile, as types and checks. Only this file decides on a
// token's profile.
import { CodedError } from '@credmon/core/base';
import type { JsonObject, TokenHeader } from './compact.ts';

/**
 * The known profiles. `scitoken:1.0` is a token without `ver` (or with `scitokens:1.0`,
 * like in scitokens-cpp).
 */
export type Profile = 'scitoken:1.0' | 'scitoken:2.0' | 'wlcg:1.0' | 'at+jwt';

/** All profiles. */
export const PROFILES: readonly Profile[] = ['scitoken:1.0', 'scitoken:2.0', 'wlcg:1.0', 'at+jwt'];

/** The audience of WLCG tokens for all services. */
export const WLCG_ANY_AUDIENCE = 'https://wlcg.cern.ch/jwt/v1/any';

/**
 * The claims of every accepted token; times are epoch seconds. `nbf` may be missing only
 * in WLCG tokens and at+jwt.
 */
export interface TokenClaims extends JsonObject {
  readonly iss: string;
  readonly exp: number;
  readonly iat: number;
  readonly nbf?: number;
}

/** The claims of an {@link enforce}d token, with checked types. */
export interface CheckedClaims extends TokenClaims {
  readonly sub?: string;
  readonly jti?: string;
  readonly scope: string;
  readonly aud?: string | readonly string[];
}

/** A SciToken of version 1, with no other claims. */
export interface Scitoken1Claims extends CheckedClaims {
  readonly ver?: 'scitokens:1.0';
  readonly nbf: number;
  readonly opt?: unknown;
}

/** A SciToken of version 2. `ANY` matches every audience. */
export interface Scitoken2Claims extends CheckedClaims {
  readonly ver: 'scitoken:2.0' | 'scitokens:2.0';
  readonly aud: string | readonly string[];
}

/** A WLCG token. {@link WLCG_ANY_AUDIENCE} matches every audience. */
export interface WlcgClaims extends CheckedClaims {
  readonly 'wlcg.ver': '1.0';
  readonly 'wlcg.groups'?: readonly string[];
  readonly aud: string | readonly string[];
}

/** An OAuth 2.0 access token of RFC 9068. */
export interface AtJwtClaims extends CheckedClaims {
  readonly client_id?: string;
}

/** Claims by profile. */
export interface ClaimsOf {
  readonly 'scitoken:1.0': Scitoken1Claims;
  readonly 'scitoken:2.0': Scitoken2Claims;
  readonly 'wlcg:1.0': WlcgClaims;
  readonly 'at+jwt': AtJwtClaims;
}

const SCITOKEN_1_CLAIMS = new Set([
  'iss',
  'exp',
  'iat',
  'nbf',
  'ver',
  'sub',
  'jti',
  'aud',
  'scope',
  'opt',
]);

/**
 * Determines the profile of a token: by `ver`, else by `wlcg.ver`, else by the type in
 * the header.
 * @throws CodedError `TOKEN_BAD_PROFILE` for unknown versions, and for a missing audience
 * if the profile requires one
 */
export function profileOf(header: TokenHeader, claims: JsonObject): Profile {
  const profile = namedProfile(header, claims);
  if ((profile === 'scitoken:2.0' || profile === 'wlcg:1.0') && claims['aud'] === undefined)
    throw badProfile(`a ${profile} token must have an audience`);
  return profile;
}

function namedProfile(header: TokenHeader, claims: JsonObject): Profile {
  const version = claims['ver'];
  if (version === 'scitoken:2.0' || version === 'scitokens:2.0') return 'scitoken:2.0';
  if (version === 'scitokens:1.0') return 'scitoken:1.0';
  if (version !== undefined) throw badProfile(`unknown SciToken version ${quote(version)}`);
  const wlcg = claims['wlcg.ver'];
  if (wlcg === '1.0') return 'wlcg:1.0';
  if (wlcg !== undefined) throw badProfile(`unknown WLCG version ${quote(wlcg)}`);
  return isAtJwt(header) ? 'at+jwt' : 'scitoken:1.0';
}

function isAtJwt({ typ }: TokenHeader): boolean {
  return typ === 'at+jwt' || typ === 'application/at+jwt';
}

/** Quotes an untrusted value, short enough for a log line. */
function quote(value: unknown): string {
  return JSON.stringify(value).slice(0, 60);
}

function badProfile(problem: string): CodedError {
  return new CodedError('TOKEN_BAD_PROFILE', problem, { problem });
}

/**
 * Checks that all required claims are present, and that the token is valid at this time.
 * `now` and `leeway` are seconds.
 * @throws CodedError `TOKEN_BAD_CLAIM`, `TOKEN_EXPIRED`, `TOKEN_NOT_YET_VALID`
 * @see RFC 7519 section 4.1
 */
export function checkTimes(
  { header, claims }: { readonly header: TokenHeader; readonly claims: JsonObject },
  profile: Profile,
  { now, leeway = 0 }: { readonly now: number; readonly leeway?: number },
): TokenClaims {
  const { iss, exp, iat, nbf } = claims;
  if (typeof iss !== 'string') throw badClaim('iss', 'is missing or not a string');
  if (typeof exp !== 'number') throw badClaim('exp', 'is missing');
  if (typeof iat !== 'number') throw badClaim('iat', 'is missing');
  if (nbf === undefined && profile !== 'wlcg:1.0' && !isAtJwt(header))
    throw badClaim('nbf', 'is missing');
  if (now >= exp + leeway)
    throw new CodedError('TOKEN_EXPIRED', `the token expired ${Math.ceil(now - exp)} s ago`, {
      exp,
      now,
    });
  for (const [name, value] of [
    ['iat', iat],
    ['nbf', nbf],
  ] as const) {
    if (typeof value === 'number' && now + leeway < value) {
      const problem = `the token's ${name} is ${Math.ceil(value - now)} s in the future`;
      throw new CodedError('TOKEN_NOT_YET_VALID', problem, { [name]: value, now });
    }
  }
  return { ...claims, iss, exp, iat, ...(typeof nbf === 'number' ? { nbf } : {}) };
}

/** Creates an error about one claim. Does not quote the value. */
export function badClaim(claim: string, problem: string): CodedError {
  return new CodedError('TOKEN_BAD_CLAIM', `the claim ${claim} ${problem}`, { claim });
}

/**
 * Checks the types of the claims for authorization. A version 1 SciToken must not have
 * unknown claims.
 * @throws CodedError `TOKEN_BAD_CLAIM`, `TOKEN_BAD_PROFILE`
 */
export function checkTypes<P extends Profile>(profile: P, claims: TokenClaims): ClaimsOf[P] {
  const { sub, jti, scope, aud } = claims as JsonObject;
  if (sub !== undefined && typeof sub !== 'string') throw badClaim('sub', 'is not a string');
  if (jti !== undefined && typeof jti !== 'string') throw badClaim('jti', 'is not a string');
  if (typeof scope !== 'string') throw badClaim('scope', 'is missing or not a string');
  if (aud !== undefined && !isStringOrList(aud))
    throw badClaim('aud', 'is not a string or a list of strings');
  const unknown = Object.keys(claims).find((name) => !SCITOKEN_1_CLAIMS.has(name));
  if (profile === 'scitoken:1.0' && unknown !== undefined)
    throw badProfile(`a SciToken without version must not have the claim ${quote(unknown)}`);
  return claims as ClaimsOf[P];
}

function isStringOrList(value: unknown): value is string | readonly string[] {
  return (
    typeof value === 'string' ||
    (Array.isArray(value) && value.every((item) => typeof item === 'string'))
  );
}
