// The table of signature algorithms and their requirements on keys.
import type { KeyObject } from 'node:crypto';
import { CodedError } from '@credmon/core/base';

/** The JWS algorithms of tokens (RFC 7518 section 3). */
export type Algorithm = 'ES256' | 'ES384' | 'ES512' | 'RS256' | 'RS384' | 'RS512';

/**
 * The requirements of an algorithm: key type, curve in JWK and in OpenSSL notation, hash,
 * and bytes of a raw EC coordinate.
 */
export interface AlgorithmFacts {
  readonly kty: 'EC' | 'RSA';
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly curve?: string;
  readonly namedCurve?: string;
  readonly coordinateBytes?: number;
}

/** All algorithms. */
export const ALGORITHMS: Readonly<Record<Algorithm, AlgorithmFacts>> = {
  ES256: {
    kty: 'EC',
    hash: 'sha256',
    curve: 'P-256',
    namedCurve: 'prime256v1',
    coordinateBytes: 32,
  },
  ES384: {
    kty: 'EC',
    hash: 'sha384',
    curve: 'P-384',
    namedCurve: 'secp384r1',
    coordinateBytes: 48,
  },
  ES512: {
    kty: 'EC',
    hash: 'sha512',
    curve: 'P-521',
    namedCurve: 'secp521r1',
    coordinateBytes: 66,
  },
  RS256: { kty: 'RSA', hash: 'sha256' },
  RS384: { kty: 'RSA', hash: 'sha384' },
  RS512: { kty: 'RSA', hash: 'sha512' },
};

/**
 * The default algorithms for signing and verification: every SciTokens verifier supports
 * these two.
 */
export const DEFAULT_ALGORITHMS: readonly Algorithm[] = ['ES256', 'RS256'];

/** True for the name of an algorithm in {@link ALGORITHMS}. */
export function isAlgorithm(name: unknown): name is Algorithm {
  return typeof name === 'string' && Object.hasOwn(ALGORITHMS, name);
}

/**
 * Returns the algorithm for a key: the requested one if it matches, else the default of
 * the key type.
 * @throws CodedError `TOKEN_KEY_INVALID` for other key types and curves,
 * `TOKEN_BAD_ALGORITHM` if the requested one does not match
 */
export function algorithmFor(key: KeyObject, asked?: string): Algorithm {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const fitting = (Object.keys(ALGORITHMS) as Algorithm[]).filter((name) => {
    const facts = ALGORITHMS[name];
    return key.asymmetricKeyType === 'rsa' ? facts.kty === 'RSA' : facts.namedCurve === curve;
  });
  const [first] = fitting;
  if (first === undefined || (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'ec')) {
    const kind = [key.asymmetricKeyType ?? 'symmetric', curve].filter(Boolean).join(' ');
    throw new CodedError(
      'TOKEN_KEY_INVALID',
      `a ${kind} key cannot sign tokens; use RSA or EC P-256`,
      {
        kind,
      },
    );
  }
  if (asked === undefined) return first;
  const found = fitting.find((name) => name === asked);
  if (found === undefined) {
    throw new CodedError(
      'TOKEN_BAD_ALGORITHM',
      `${asked} does not match this key; use ${fitting.join(' or ')}`,
      {
        algorithm: asked,
      },
    );
  }
  return found;
}
