// Verification: the only place that creates a VerifiedToken.
import { verify as verifySignature } from 'node:crypto';
import { CodedError } from '@credmon/core/base';
import { ALGORITHMS, DEFAULT_ALGORITHMS, type Algorithm } from '../token/algorithms.ts';
import { checkTimes, profileOf, type Profile, type TokenClaims } from '../token/claims.ts';
import { readCompact, type CompactToken, type TokenHeader } from '../token/compact.ts';
import type { KeySet, VerificationKey } from '../keys/jwk.ts';

declare const verified: unique symbol;

/**
 * A token with verified signature, issuer and times. Created only by {@link verify} and
 * {@link verifyWithKeys}.
 */
export interface VerifiedToken {
  readonly [verified]: true;
  readonly profile: Profile;
  readonly header: TokenHeader;
  readonly claims: TokenClaims;
  readonly algorithm: Algorithm;
}

/** The source of keys; see `createIssuerKeys` and {@link fixedKeys}. */
export interface KeyFinder {
  /**
   * Returns the key of `issuer` (an identifier, compared byte for byte) for a token with
   * `kid`.
   * @throws CodedError `TOKEN_UNKNOWN_KEY`, `TOKEN_UNKNOWN_ISSUER`, `ISSUER_UNREACHABLE`,
   * `ISSUER_METADATA_INVALID`...
   */
  find(
    issuer: string,
    kid: string | undefined,
    now: number,
  ): VerificationKey | Promise<VerificationKey>;
}

/** The requirements of a verifier. */
export interface VerifyOptions {
  /** Epoch seconds. */
  readonly now: number;
  /**
   * Trusted issuers, byte for byte; `'any'` trusts every issuer that publishes keys under
   * https and is only for tools.
   */
  readonly issuers: readonly string[] | 'any';
  /** Allowed clock difference in seconds; default 0. */
  readonly leeway?: number;
  /** Default: ES256 and RS256. */
  readonly algorithms?: readonly Algorithm[];
  /** Default: all profiles. */
  readonly profiles?: readonly Profile[];
  /** Minimum bits of an RSA key; default 1024, as in deployed verifiers. */
  readonly minimumRsaBits?: number;
}

/**
 * Verifies signature, issuer, profile and times. {@link enforce} checks audience and
 * scopes.
 * @throws CodedError `TOKEN_MALFORMED`, `TOKEN_UNKNOWN_ISSUER`, `TOKEN_UNKNOWN_KEY`,
 * `TOKEN_BAD_ALGORITHM`, `TOKEN_BAD_SIGNATURE`, `TOKEN_BAD_CLAIM`, `TOKEN_BAD_PROFILE`,
 * `TOKEN_EXPIRED`, `TOKEN_NOT_YET_VALID`, and errors of `keys`
 * @see RFC 8725
 */
export async function verify(
  token: string,
  options: VerifyOptions & { readonly keys: KeyFinder },
): Promise<VerifiedToken> {
  const parts = readCompact(token);
  const issuer = trustedIssuer(parts, options);
  return finish(parts, await options.keys.find(issuer, parts.header.kid, options.now), options);
}

/** Like {@link verify}, with given keys. */
export function verifyWithKeys(token: string, keys: KeySet, options: VerifyOptions): VerifiedToken {
  const parts = readCompact(token);
  trustedIssuer(parts, options);
  return finish(parts, keys.select(parts.header.kid), options);
}

/** Creates a {@link KeyFinder} with configured key sets, by issuer. */
export function fixedKeys(keySets: ReadonlyMap<string, KeySet>): KeyFinder {
  return {
    find(issuer, kid) {
      const keys = keySets.get(issuer);
      if (keys === undefined) throw unknownIssuer(issuer);
      return keys.select(kid);
    },
  };
}

function trustedIssuer({ header, claims }: CompactToken, options: VerifyOptions): string {
  const issuer = claims['iss'];
  if (typeof issuer !== 'string')
    throw new CodedError('TOKEN_BAD_CLAIM', 'the claim iss is missing or not a string', {
      claim: 'iss',
    });
  if (options.issuers !== 'any' && !options.issuers.includes(issuer)) throw unknownIssuer(issuer);
  if (!(options.algorithms ?? DEFAULT_ALGORITHMS).some((name) => name === header.alg))
    throw badAlgorithm(header.alg, 'is not accepted');
  return issuer;
}

/** Creates an error with the issuer, shortened. */
export function unknownIssuer(issuer: string): CodedError {
  const shown = issuer.slice(0, 200);
  return new CodedError(
    'TOKEN_UNKNOWN_ISSUER',
    `the issuer ${JSON.stringify(shown)} is not trusted`,
    {
      issuer: shown,
    },
  );
}

function badAlgorithm(algorithm: string, problem: string): CodedError {
  const shown = algorithm.slice(0, 20);
  return new CodedError(
    'TOKEN_BAD_ALGORITHM',
    `the algorithm ${JSON.stringify(shown)} ${problem}`,
    {
      algorithm: shown,
    },
  );
}

function finish(parts: CompactToken, key: VerificationKey, options: VerifyOptions): VerifiedToken {
  const { header, claims } = parts;
  checkSignature(parts, key, options.minimumRsaBits);
  const profile = profileOf(header, claims);
  if (options.profiles !== undefined && !options.profiles.includes(profile))
    throw new CodedError('TOKEN_BAD_PROFILE', `the profile ${profile} is not accepted`, {
      profile,
    });
  const checked = checkTimes(parts, profile, options);
  return { profile, header, claims: checked, algorithm: key.algorithm } as VerifiedToken;
}

/**
 * Checks that a token was signed with `key`, of at least `bits` bits if it is an RSA key.
 * @throws CodedError `TOKEN_BAD_ALGORITHM`, `TOKEN_KEY_INVALID`, `TOKEN_BAD_SIGNATURE`
 */
export function checkSignature(
  { header, signingInput, signature }: CompactToken,
  key: VerificationKey,
  bits = 1024,
): void {
  if (key.algorithm !== header.alg)
    throw badAlgorithm(header.alg, `does not match the key (${key.algorithm})`);
  const { hash, coordinateBytes } = ALGORITHMS[key.algorithm];
  const modulus = key.publicKey.asymmetricKeyDetails?.modulusLength;
  if (modulus !== undefined && modulus < bits)
    throw new CodedError('TOKEN_KEY_INVALID', `the issuer's key has only ${modulus} bits`, {
      bits: modulus,
    });
  // RSA keys ignore dsaEncoding; for EC only the raw r||s form of RFC 7518 section 3.4 is
  // accepted.
  const wellFormed = coordinateBytes === undefined || signature.length === 2 * coordinateBytes;
  const input = { key: key.publicKey, dsaEncoding: 'ieee-p1363' } as const;
  if (!wellFormed || !verifySignature(hash, Buffer.from(signingInput), input, signature))
    throw new CodedError('TOKEN_BAD_SIGNATURE', "invalid signature: not made by the issuer's key");
}
