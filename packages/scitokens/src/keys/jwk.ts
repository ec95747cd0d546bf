// Conversion between JSON Web Keys and Node's keys: tolerates padding and lost zeros when
// reading, exact when writing.
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { CodedError } from '@credmon/core/base';
import { ALGORITHMS, type Algorithm } from '../token/algorithms.ts';
import { decodeNumber, encodeBase64url, type JsonObject } from '../token/compact.ts';

const CURVE_BYTES: Readonly<Record<string, number>> = Object.fromEntries(
  Object.values(ALGORITHMS).flatMap(({ curve, coordinateBytes }) =>
    curve === undefined || coordinateBytes === undefined ? [] : [[curve, coordinateBytes]],
  ),
);
const RSA_PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi'];
/** A larger modulus only costs the verifier time. */
const MAX_RSA_BYTES = 1024;

/**
 * Creates a key from a JWK (RSA, or EC on P-256, P-384, P-521); private if it has `d`.
 * Repairs padding and missing leading zeros.
 * @throws CodedError `TOKEN_KEY_INVALID` for other types, damaged numbers, points off the
 * curve and RSA exponents that allow anybody to sign
 * @see RFC 7518 section 6
 */
export function keyFromJwk(jwk: JsonObject): KeyObject {
  const repaired = jwk['kty'] === 'RSA' ? repairRsa(jwk) : repairEc(jwk);
  try {
    const input = { key: repaired, format: 'jwk' } as const;
    return repaired.d === undefined ? createPublicKey(input) : createPrivateKey(input);
  } catch (error) {
    throw badKey('inconsistent numbers', error);
  }
}

function repairRsa(jwk: JsonObject): JsonWebKey {
  const [n, e] = [numberOf(jwk, 'n'), numberOf(jwk, 'e')];
  if (n.length > MAX_RSA_BYTES) throw badKey(`modulus longer than ${MAX_RSA_BYTES * 8} bits`);
  if (e.length > 8 || (e.at(-1) ?? 0) % 2 === 0 || (e.length === 1 && e[0] === 1))
    throw badKey('unsafe exponent');
  const secret =
    jwk['d'] === undefined
      ? []
      : RSA_PRIVATE.map((name) => [name, encodeBase64url(numberOf(jwk, name))]);
  return {
    kty: 'RSA',
    n: encodeBase64url(n),
    e: encodeBase64url(e),
    ...Object.fromEntries(secret),
  };
}

function repairEc(jwk: JsonObject): JsonWebKey {
  const curve = jwk['crv'];
  const bytes =
    typeof curve === 'string' && Object.hasOwn(CURVE_BYTES, curve) ? CURVE_BYTES[curve] : undefined;
  if (jwk['kty'] !== 'EC' || typeof curve !== 'string' || bytes === undefined)
    throw badKey('must be RSA, or EC on P-256, P-384 or P-521');
  const filled = (name: string): string => {
    const number = numberOf(jwk, name);
    if (number.length > bytes) throw badKey(`${name} is too long for ${curve}`);
    return encodeBase64url(Buffer.concat([Buffer.alloc(bytes - number.length), number]));
  };
  const secret = jwk['d'] === undefined ? {} : { d: filled('d') };
  return { kty: 'EC', crv: curve, x: filled('x'), y: filled('y'), ...secret };
}

function numberOf(jwk: JsonObject, name: string): Buffer {
  const text = jwk[name];
  const number = typeof text === 'string' ? decodeNumber(text) : undefined;
  if (number === undefined) throw badKey(`${name} is missing or not base64url`);
  return number;
}

/** Creates an error about a key. Does not quote its numbers. */
export function badKey(problem: string, cause?: unknown): CodedError {
  return new CodedError('TOKEN_KEY_INVALID', `invalid key: ${problem}`, { problem }, cause);
}

/**
 * Returns the public key as a JWK without other members; numbers unpadded, coordinates
 * with full length.
 */
export function publicJwk(key: KeyObject): JsonWebKey {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
}

/**
 * Returns a JWK for publication or storage: the key's numbers with `alg`, `use` and
 * `kid`, members in alphabetical order.
 */
export function writeJwk(
  key: KeyObject,
  kid: string | undefined,
  algorithm: Algorithm,
  secret = false,
): JsonObject {
  const numbers = secret ? key.export({ format: 'jwk' }) : publicJwk(key);
  const members = {
    ...numbers,
    alg: algorithm,
    ...(secret ? {} : { use: 'sig' }),
    ...(kid === undefined ? {} : { kid }),
  };
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}
