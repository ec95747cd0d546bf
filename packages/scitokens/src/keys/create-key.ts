// Makes new keys; apart from everything else because only this needs the machine's own
// randomness.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ALGORITHMS, type Algorithm } from '../token/algorithms.ts';
import { keyIdOf, type KeyIdStyle } from './key-id.ts';
import type { SigningKey } from '../token/sign.ts';

/**
 * What kind of key, and how it is named: a kid, or the style of one. RSA keys have 2048
 * bits unless told otherwise.
 */
export interface NewKey {
  readonly algorithm?: Algorithm;
  readonly kid?: string;
  readonly style?: KeyIdStyle;
  readonly rsaBits?: number;
}

/**
 * Makes a key, ES256 unless told otherwise, named the Python library's way unless told
 * otherwise.
 */
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
