// The file formats of keys: reads PEM in four forms, JWK and JWKS, and writes the same.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { CodedError } from '@credmon/core/base';
import { algorithmFor, DEFAULT_ALGORITHMS, type Algorithm } from '../token/algorithms.ts';
import { isObject } from '../token/compact.ts';
import { badKey, keyFromJwk, writeJson, writeJwk } from './jwk.ts';
import { keyIdOf, type KeyIdStyle } from './create-key.ts';
import type { SigningKey } from '../token/sign.ts';

/** The maximum length of a key text, in characters. */
const MAX_KEY_TEXT = 1024 * 1024;

/** A key as read: `key` is private if the text has the private key. */
export interface ReadKey {
  readonly key: KeyObject;
  readonly kid: string | undefined;
  readonly algorithm: Algorithm;
}

/** How to read a key: its id and algorithm, and the selection from a JWKS. */
export interface KeyChoice {
  /** Overrides the id in the text; in a JWKS it selects the key. */
  readonly kid?: string | undefined;
  readonly algorithm?: string | undefined;
}

/**
 * Reads a key from PEM (PKCS#1, SEC1, PKCS#8 or SPKI), a JWK or a JWKS.
 * @throws CodedError `TOKEN_KEY_INVALID`, `TOKEN_BAD_ALGORITHM`, `TOKEN_UNKNOWN_KEY`
 */
export function readKey(text: string, choice: KeyChoice = {}): ReadKey {
  if (text.length > MAX_KEY_TEXT) throw badKey('text too long');
  return text.trimStart().startsWith('{') ? readJson(text, choice) : readPem(text, choice);
}

function readPem(text: string, { kid, algorithm }: KeyChoice): ReadKey {
  const block = /-----BEGIN ([A-Z ]+)-----[\s\S]*?-----END \1-----/.exec(withoutParameters(text));
  const label = block?.[1];
  if (block === null || label === undefined) throw badKey('neither PEM nor JSON');
  let key: KeyObject;
  try {
    key = label.endsWith('PRIVATE KEY') ? createPrivateKey(block[0]) : createPublicKey(block[0]);
  } catch (error) {
    const locked = label === 'ENCRYPTED PRIVATE KEY' || block[0].includes('Proc-Type: 4,ENCRYPTED');
    throw badKey(
      locked ? 'encrypted; store it without a passphrase' : `damaged PEM ${label}`,
      error,
    );
  }
  return { key, kid, algorithm: algorithmFor(key, algorithm) };
}

/** `openssl ecparam -genkey` writes the curve in a separate block before the key. */
function withoutParameters(text: string): string {
  return text.replace(/-----BEGIN EC PARAMETERS-----[\s\S]*?-----END EC PARAMETERS-----/, '');
}

function readJson(text: string, choice: KeyChoice): ReadKey {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badKey('neither PEM nor JSON');
  }
  const jwk =
    isObject(value) && Array.isArray(value['keys']) ? selectJwk(value['keys'], choice.kid) : value;
  if (!isObject(jwk)) throw badKey('JSON, but neither a JWK nor a JWKS');
  const key = keyFromJwk(jwk);
  const { kid, alg } = jwk;
  const asked = choice.algorithm ?? (typeof alg === 'string' ? alg : undefined);
  return {
    key,
    kid: choice.kid ?? (typeof kid === 'string' ? kid : undefined),
    algorithm: algorithmFor(key, asked),
  };
}

function selectJwk(keys: readonly unknown[], kid: string | undefined): unknown {
  const chosen =
    kid === undefined ? keys : keys.filter((key) => isObject(key) && key['kid'] === kid);
  if (chosen.length === 1) return chosen[0];
  const problem =
    kid === undefined
      ? `has ${keys.length} keys; select one by its key id`
      : 'has no key with this id';
  throw new CodedError('TOKEN_UNKNOWN_KEY', `the key set ${problem}`, { keys: keys.length, kid });
}

/**
 * Reads a private key for signing. Without an id in `choice` or text, the id is derived
 * by `style`.
 * @throws CodedError as {@link readKey}; `TOKEN_KEY_INVALID` for a public key and for RSA
 * under 2048 bits; `TOKEN_BAD_ALGORITHM` for an algorithm other than ES256 and RS256 that
 * `choice` does not name
 */
export function readSigningKey(
  text: string,
  choice: KeyChoice & { readonly style?: KeyIdStyle } = {},
): SigningKey {
  const { key, kid, algorithm } = readKey(text, choice);
  if (key.type !== 'private') throw badKey('public key; signing needs the private key');
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < 2048)
    throw badKey(`RSA key of ${bits} bits; signing needs at least 2048; create a new key`);
  if (choice.algorithm === undefined && !DEFAULT_ALGORITHMS.includes(algorithm)) {
    const problem = `deployed verifiers do not support ${algorithm}; to use it, request it by name`;
    throw new CodedError('TOKEN_BAD_ALGORITHM', problem, { algorithm });
  }
  const name = kid ?? (choice.style === undefined ? undefined : keyIdOf(key, choice.style));
  return { kid: name, algorithm, privateKey: key };
}

/**
 * The output forms of a key. `pem` private is the traditional form (PKCS#1, SEC1),
 * `pkcs8` the modern one.
 */
export type KeyForm =
  | 'pem-private'
  | 'pkcs8'
  | 'pem-public'
  | 'jwk-private'
  | 'jwk-public'
  | 'jwks-private'
  | 'jwks-public';

/** All forms. */
export const KEY_FORMS: readonly KeyForm[] = [
  'pem-private',
  'pkcs8',
  'pem-public',
  'jwk-private',
  'jwk-public',
  'jwks-private',
  'jwks-public',
];

/**
 * Writes a key. JWK and JWKS are indented JSON with sorted members, unpadded and with
 * full length.
 * @throws CodedError `TOKEN_KEY_INVALID` for a private form of a public key
 */
export function writeKey({ key, kid, algorithm }: ReadKey, form: KeyForm): string {
  const secret = form.endsWith('private') || form === 'pkcs8';
  if (secret && key.type !== 'private') throw badKey('public key; it has no private form');
  if (form === 'pem-public') {
    const open = key.type === 'private' ? createPublicKey(key) : key;
    return String(open.export({ type: 'spki', format: 'pem' }));
  }
  if (form === 'pkcs8') return String(key.export({ type: 'pkcs8', format: 'pem' }));
  if (form === 'pem-private') {
    const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1';
    return String(key.export({ type, format: 'pem' }));
  }
  const jwk = writeJwk(key, kid, algorithm, secret);
  return writeJson(form.startsWith('jwks') ? { keys: [jwk] } : jwk);
}
