// Signing: typed claims become a token here; whatever a verifier could misread is refused
// before anything is signed.
import { sign as makeSignature, type KeyObject } from 'node:crypto';
import { CodedError, type Random } from '@credmon/core/base';
import { ALGORITHMS, type Algorithm } from './algorithms.ts';
import { badClaim, type Profile } from './claims.ts';
import type { JsonObject } from './compact.ts';
import { checkScopeForSigning, splitScope } from './scope.ts';

/** A private key with the name under which its public half is published. */
export interface SigningKey {
  readonly kid: string | undefined;
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
}

/** What a token shall say. */
export interface TokenRequest {
  readonly profile: Profile;
  readonly issuer: string;
  readonly subject: string;
  /** Scopes, blank-separated or as a list. */
  readonly scope: string | readonly string[];
  /** Required but for `scitoken:1.0`; a list stays a list. */
  readonly audience?: string | readonly string[];
  /** Seconds from `now` to expiry. */
  readonly lifetime: number;
  /**
   * Further claims, such as `wlcg.groups` or `client_id`; not those that this interface
   * names.
   */
  readonly claims?: JsonObject;
}

/** Time (epoch seconds) and chance of one signature. */
export interface SigningMoment {
  readonly now: number;
  readonly random: Random;
}

/** The claims that {@link claimsFor} sets itself. */
const RESERVED = ['iss', 'sub', 'aud', 'scope', 'exp', 'iat', 'nbf', 'ver', 'wlcg.ver'];
/** Tokens that outlive their verifier's patience: a year is a mistake in units. */
const LONGEST_LIFETIME = 366 * 86400;

/**
 * Issues a token.
 * @throws CodedError `TOKEN_BAD_SCOPE`, `TOKEN_BAD_CLAIM`, `TOKEN_BAD_PROFILE`,
 * `TOKEN_KEY_UNREADY`.
 */
export function issueToken(key: SigningKey, request: TokenRequest, moment: SigningMoment): string {
  if (request.profile === 'wlcg:1.0' && !key.kid)
    throw new CodedError('TOKEN_KEY_UNREADY', 'a WLCG token must name its key; give the key an id');
  return signUnchecked(
    key,
    claimsFor(request, moment),
    request.profile === 'at+jwt' ? 'at+jwt' : 'JWT',
  );
}

/**
 * The claims of a token, checked and in the order in which they are signed. `iat` and
 * `nbf` are `now`, rounded down.
 * @throws CodedError `TOKEN_BAD_SCOPE`, `TOKEN_BAD_CLAIM`, `TOKEN_BAD_PROFILE`.
 */
export function claimsFor(request: TokenRequest, { now, random }: SigningMoment): JsonObject {
  const { issuer, subject, audience, lifetime, claims: extra = {} } = request;
  const scopes = typeof request.scope === 'string' ? splitScope(request.scope) : request.scope;
  for (const scope of scopes) checkScopeForSigning(scope);
  if (issuer === '') throw badClaim('iss', 'is empty');
  if (subject === '') throw badClaim('sub', 'is empty');
  if (!(Number.isSafeInteger(lifetime) && lifetime > 0 && lifetime <= LONGEST_LIFETIME))
    throw badClaim(
      'exp',
      `cannot be made of a lifetime of ${lifetime} s; it is an integer of 1 to ${LONGEST_LIFETIME}`,
    );
  const reserved = Object.keys(extra).find((name) => RESERVED.includes(name));
  if (reserved !== undefined)
    throw badClaim(reserved, 'is set by its own argument, not as a further claim');
  const issued = Math.floor(now);
  // One object, filled in order: spreading half a dozen would cost a fifth of the whole
  // signature.
  const claims: Record<string, unknown> = {};
  addVersion(claims, request);
  claims['iss'] = issuer;
  claims['sub'] = subject;
  if (audience !== undefined) claims['aud'] = audience;
  claims['scope'] = scopes.join(' ');
  claims['iat'] = issued;
  claims['nbf'] = issued;
  claims['exp'] = issued + lifetime;
  claims['jti'] = newTokenId(random(16));
  return Object.assign(claims, extra);
}

/** The version claim, and what each profile demands beside it. */
function addVersion(
  claims: Record<string, unknown>,
  { profile, audience, claims: extra = {} }: TokenRequest,
): void {
  const bad = (problem: string): CodedError =>
    new CodedError('TOKEN_BAD_PROFILE', problem, { profile });
  if (profile === 'scitoken:1.0') {
    if (Object.keys(extra).some((name) => name !== 'jti' && name !== 'opt'))
      throw bad(
        'a token without version may have no further claims; use scitoken:2.0 with an audience',
      );
    return;
  }
  if (audience === undefined || audience.length === 0)
    throw bad(`a ${profile} token must have an audience (ANY is one for scitoken:2.0)`);
  if (profile === 'at+jwt') {
    if (typeof extra['client_id'] !== 'string')
      throw bad('an at+jwt token must have the claim client_id');
    return;
  }
  if (profile === 'wlcg:1.0') claims['wlcg.ver'] = '1.0';
  else claims['ver'] = 'scitoken:2.0';
}

/** A version 4 UUID of 16 random bytes. @see RFC 9562 section 5.4 */
export function newTokenId(random: Uint8Array): string {
  const bytes = Buffer.from(random);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Encoded headers by key; a daemon signs thousands of tokens under one. */
const headers = new WeakMap<SigningKey, Map<string, string>>();

/**
 * Signs claims of any shape; {@link issueToken} is the one that also checks them against
 * a profile.
 * @throws CodedError `TOKEN_BAD_SCOPE` when a scope in them could be misread,
 * `TOKEN_BAD_PROFILE` for `scitoken:1.0`, a version that verifiers refuse.
 */
export function signClaims(key: SigningKey, claims: JsonObject, typ = 'JWT'): string {
  const { scope, ver } = claims;
  if (typeof scope === 'string') for (const one of splitScope(scope)) checkScopeForSigning(one);
  if (ver === 'scitoken:1.0')
    throw new CodedError(
      'TOKEN_BAD_PROFILE',
      'verifiers refuse ver scitoken:1.0; leave ver out or use scitoken:2.0',
    );
  return signUnchecked(key, claims, typ);
}

/**
 * Signs claims as they are. Not part of the public API: tests forge with it what nobody
 * else should sign.
 * @see RFC 7515 section 5.1
 */
export function signUnchecked(key: SigningKey, claims: JsonObject, typ = 'JWT'): string {
  const input = `${encodedHeader(key, typ)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  // For EC this is the raw r||s of RFC 7518 section 3.4; RSA has only one form.
  const how = { key: key.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  const signature = makeSignature(ALGORITHMS[key.algorithm].hash, Buffer.from(input), how);
  return `${input}.${signature.toString('base64url')}`;
}

function encodedHeader(key: SigningKey, typ: string): string {
  const known = headers.get(key) ?? new Map<string, string>();
  headers.set(key, known);
  let text = known.get(typ);
  if (text === undefined) {
    const header = { alg: key.algorithm, ...(key.kid === undefined ? {} : { kid: key.kid }), typ };
    text = Buffer.from(JSON.stringify(header)).toString('base64url');
    known.set(typ, text);
  }
  return text;
}
