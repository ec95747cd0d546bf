// Verification: a token becomes a VerifiedToken here or an error, and nothing else makes
// one.
import { verify as verifySignature } from 'node:crypto';
import { CodedError } from '@credmon/core/base';
import { ALGORITHMS, DEFAULT_ALGORITHMS, type Algorithm } from '../token/algorithms.ts';
import { checkTimes, profileOf, type Profile, type TokenClaims } from '../token/claims.ts';
import { readCompact, type CompactToken, type TokenHeader } from '../token/compact.ts';
import type { KeySet, VerificationKey } from '../keys/jwks.ts';

declare const verified: unique symbol;

/**
 * A token whose signature, issuer and times have been checked. Only {@link verify} and
 * {@link verifyWithKeys} make one.
 */
export interface VerifiedToken {
  readonly [verified]: true;
  readonly profile: Profile;
  readonly header: TokenHeader;
  readonly claims: TokenClaims;
  readonly algorithm: Algorithm;
}

/** Where keys come from; see `createIssuerKeys` and {@link fixedKeys}. */
export interface KeyFinder {
  /**
   * The key of `issuer` (an identifier, compared byte for byte) for a token with `kid`.
   * @throws CodedError `TOKEN_UNKNOWN_KEY`, `TOKEN_UNKNOWN_ISSUER`, `ISSUER_UNREACHABLE`,
   * `ISSUER_METADATA_INVALID`...
   */
  find(
    issuer: string,
    kid: string | undefined,
    now: number,
  ): VerificationKey | Promise<VerificationKey>;
}

/** What a verifier demands. */
export interface VerifyOptions {
  /** Epoch seconds. */
  readonly now: number;
  /**
   * Trusted issuers, byte for byte; `'any'` trusts whoever can publish keys under https
   * and belongs into tools only.
   */
  readonly issuers: readonly string[] | 'any';
  /** Seconds that clocks may differ; 0 unless given. */
  readonly leeway?: number;
  /** ES256 and RS256 unless given. */
  readonly algorithms?: readonly Algorithm[];
  /** All profiles unless given. */
  readonly profiles?: readonly Profile[];
  /**
   * Least bits of an RSA key; 1024 unless given, which is what deployed verifiers accept.
   */
  readonly minimumRsaBits?: number;
}

/**
 * Verifies signature, issuer, profile and times. Audience and scopes are {@link
 * enforce}'s.
 * @throws CodedError `TOKEN_MALFORMED`, `TOKEN_UNKNOWN_ISSUER`, `TOKEN_UNKNOWN_KEY`,
 * `TOKEN_BAD_ALGORITHM`, `TOKEN_BAD_SIGNATURE`, `TOKEN_BAD_CLAIM`, `TOKEN_BAD_PROFILE`,
 * `TOKEN_EXPIRED`, `TOKEN_NOT_YET_VALID`, and what `keys` throws.
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

/** As {@link verify}, with keys that are already at hand. */
export function verifyWithKeys(token: string, keys: KeySet, options: VerifyOptions): VerifiedToken {
  const parts = readCompact(token);
  trustedIssuer(parts, options);
  return finish(parts, keys.select(parts.header.kid), options);
}

/** Key sets that are configured instead of fetched, by issuer. */
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

/** An error that names the issuer, shortened. */
export function unknownIssuer(issuer: string): CodedError {
  const shown = issuer.slice(0, 200);
  return new CodedError(
    'TOKEN_UNKNOWN_ISSUER',
    `the issuer ${JSON.stringify(shown)} is not trusted here`,
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
  checkSignature(parts, key, options.minimumRsaBits ?? 1024);
  const profile = profileOf(header, claims);
  if (options.profiles !== undefined && !options.profiles.includes(profile))
    throw new CodedError('TOKEN_BAD_PROFILE', `the profile ${profile} is not accepted here`, {
      profile,
    });
  const checked = checkTimes(parts, profile, options);
  return { profile, header, claims: checked, algorithm: key.algorithm } as VerifiedToken;
}

function checkSignature(
  { header, signingInput, signature }: CompactToken,
  key: VerificationKey,
  bits: number,
): void {
  if (key.algorithm !== header.alg)
    throw badAlgorithm(header.alg, `is not that of the key (${key.algorithm})`);
  const { hash, coordinateBytes } = ALGORITHMS[key.algorithm];
  const modulus = key.publicKey.asymmetricKeyDetails?.modulusLength;
  if (modulus !== undefined && modulus < bits)
    throw new CodedError('TOKEN_KEY_INVALID', `the issuer's key has only ${modulus} bits`, {
      bits: modulus,
    });
  // RSA keys ignore dsaEncoding; for EC the raw r||s form of RFC 7518 section 3.4 is the
  // only one accepted.
  const wellFormed = coordinateBytes === undefined || signature.length === 2 * coordinateBytes;
  const input = { key: key.publicKey, dsaEncoding: 'ieee-p1363' } as const;
  if (!wellFormed || !verifySignature(hash, Buffer.from(signingInput), input, signature))
    throw new CodedError('TOKEN_BAD_SIGNATURE', "the signature was not made by the issuer's key");
}
