// Names for keys: the Python library's four digits, and the thumbprint of RFC 7638.
import { createHash, type KeyObject } from 'node:crypto';
import { encodeBase64url } from '../token/base64url.ts';
import { publicJwk } from './jwk.ts';

/** How a key gets its name when nobody gives one. */
export type KeyIdStyle = 'python' | 'thumbprint';

/**
 * The kid of a key. `python`: the first four hexadecimal digits of SHA-256 over the text
 * of `n` or `x` as the Python library writes it (leading zero bytes dropped, padded).
 * `thumbprint`: RFC 7638 with SHA-256.
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
