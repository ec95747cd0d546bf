// The claims of each token profile, as types and as checks; which profile a token follows
// is decided here and nowhere else.
import { CodedError } from '@credmon/core/base';
import type { JsonObject, TokenHeader } from './compact.ts';

/**
 * The profiles that are known. `scitoken:1.0` is a token without `ver` (or with
 * `scitokens:1.0`, as scitokens-cpp has it).
 */
export type Profile = 'scitoken:1.0' | 'scitoken:2.0' | 'wlcg:1.0' | 'at+jwt';

/** All profiles. */
export const PROFILES: readonly Profile[] = ['scitoken:1.0', 'scitoken:2.0', 'wlcg:1.0', 'at+jwt'];

/** The audience that means every service in WLCG tokens. */
export const WLCG_ANY_AUDIENCE = 'https://wlcg.cern.ch/jwt/v1/any';

/**
 * Claims that every accepted token has; times are epoch seconds. `nbf` may be absent in
 * WLCG tokens and at+jwt only.
 */
export interface TokenClaims extends JsonObject {
  readonly iss: string;
  readonly exp: number;
  readonly iat: number;
  readonly nbf?: number;
}

/** Claims whose types an {@link enforce}d token has been checked for. */
export interface CheckedClaims extends TokenClaims {
  readonly sub?: string;
  readonly jti?: string;
  readonly scope: string;
  readonly aud?: string | readonly string[];
}

/** A SciToken of version 1: no other claims than these. */
export interface Scitoken1Claims extends CheckedClaims {
  readonly ver?: 'scitokens:1.0';
  readonly nbf: number;
  readonly opt?: unknown;
}

/** A SciToken of version 2. `ANY` is every audience. */
export interface Scitoken2Claims extends CheckedClaims {
  readonly ver: 'scitoken:2.0' | 'scitokens:2.0';
  readonly aud: string | readonly string[];
}

/** A WLCG token. {@link WLCG_ANY_AUDIENCE} is every audience. */
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
 * Decides which profile a token follows. `ver` wins over `wlcg.ver`, which wins over the
 * header's type.
 * @throws CodedError `TOKEN_BAD_PROFILE` for unknown versions and a missing audience
 * where the profile demands one.
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

/** A foreign value, short enough for a log line. */
function quote(value: unknown): string {
  return JSON.stringify(value).slice(0, 60);
}

function badProfile(problem: string): CodedError {
  return new CodedError('TOKEN_BAD_PROFILE', problem, { problem });
}

/**
 * Checks that the claims without which no token is accepted are there, and that this is
 * not a token from the future or the past. `now` and `leeway` are seconds.
 * @throws CodedError `TOKEN_BAD_CLAIM`, `TOKEN_EXPIRED`, `TOKEN_NOT_YET_VALID`.
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
      const problem = `the token's ${name} lies ${Math.ceil(value - now)} s in the future`;
      throw new CodedError('TOKEN_NOT_YET_VALID', problem, { [name]: value, now });
    }
  }
  return { ...claims, iss, exp, iat, ...(typeof nbf === 'number' ? { nbf } : {}) };
}

/** An error about one claim. The value is not repeated. */
export function badClaim(claim: string, problem: string): CodedError {
  return new CodedError('TOKEN_BAD_CLAIM', `the claim ${claim} ${problem}`, { claim });
}

/**
 * Checks the types of the claims that authorization rests on. A version 1 SciToken may
 * have no claim that is not known.
 * @throws CodedError `TOKEN_BAD_CLAIM`, `TOKEN_BAD_PROFILE`.
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
    throw badProfile(`a SciToken without version may not have the claim ${quote(unknown)}`);
  return claims as ClaimsOf[P];
}

function isStringOrList(value: unknown): value is string | readonly string[] {
  return (
    typeof value === 'string' ||
    (Array.isArray(value) && value.every((item) => typeof item === 'string'))
  );
}
