// Creates new keys. Separate, because only this needs the machine's randomness.
import { generateKeyPairSync, type KeyObject, createHash } from 'node:crypto';
import { ALGORITHMS, type Algorithm } from '../token/algorithms.ts';
import type { SigningKey } from '../token/sign.ts';
import { encodeBase64url } from '../token/compact.ts';
import { publicJwk } from './jwk.ts';

/**
 * The type of a key, and its key id or the style of the id. RSA keys have 2048 bits by
 * default.
 */
export interface NewKey {
  readonly algorithm?: Algorithm;
  readonly kid?: string | undefined;
  readonly style?: KeyIdStyle;
  readonly rsaBits?: number;
}

/** Creates a key: by default ES256, with a key id like the Python library's. */
export function createKey({
  algorithm = 'ES256',
  kid,
  style = 'python',
  rsaBits = 2048,
}: NewKey = {}): SigningKey {
  const privateKey = generate(algorithm, rsaBits);
  return { kid: kid ?? keyIdOf(privateKey, style), algorithm, privateKey };
}

function generate(algorithm: Algorithm, rsaBits: number): KeyObject {
  const { namedCurve } = ALGORITHMS[algorithm];
  return namedCurve === undefined
    ? generateKeyPairSync('rsa', { modulusLength: rsaBits, publicExponent: 0x10001 }).privateKey
    : generateKeyPairSync('ec', { namedCurve }).privateKey;
}

// Key ids: the Python library's four digits, and the thumbprint of RFC 7638.

/** How the id of a key is derived if none is given. */
export type KeyIdStyle = 'python' | 'thumbprint';

/**
 * Returns the key id of a key. `python`: the first four hexadecimal digits of SHA-256
 * over the text of `n` or `x` as the Python library writes it (without leading zero
 * bytes, padded). `thumbprint`: RFC 7638 with SHA-256.
 */
export function keyIdOf(key: KeyObject, style: KeyIdStyle = 'python'): string {
  return style === 'python' ? pythonKeyId(key) : thumbprint(key);
}

function pythonKeyId(key: KeyObject): string {
  const jwk = publicJwk(key);
  const number = Buffer.from((jwk.kty === 'RSA' ? jwk.n : jwk.x) ?? '', 'base64url');
  const start = number.findIndex((byte) => byte !== 0);
  const padded = number
    .subarray(Math.max(start, 0))
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  return createHash('sha256').update(padded).digest('hex').slice(0, 4);
}

/** RFC 7638: SHA-256 over the required members in alphabetical order. */
function thumbprint(key: KeyObject): string {
  const { kty, crv, x, y, e, n } = publicJwk(key);
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return encodeBase64url(createHash('sha256').update(JSON.stringify(members)).digest());
}
