// The key set of the portal's own issuer: the keys of its key directories, and the key in
// the PEM file while its tokens are still valid.
import { createPublicKey } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import { CodedError } from '@credmon/core/base';

/**
 * The members of a public JWK. Only these are copied, so that no private member is
 * published.
 */
const MEMBERS = ['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e'] as const;

/**
 * The sources of the keys: texts of key sets, and the PEM text, if any, with its key id.
 */
export interface PublicKeyTexts {
  readonly sets: readonly string[];
  readonly pem: string | undefined;
  readonly keyId: string;
}

/**
 * Returns all keys, those of the directories first. A key that occurs twice with the same
 * name is listed once; different keys with the same name are both listed.
 * @throws CodedError `CRED_FILE_IO` if a text is invalid or there is no key
 */
export async function publicKeySet({ sets, pem, keyId }: PublicKeyTexts): Promise<readonly JWK[]> {
  const keys = [
    ...sets.flatMap(keysIn),
    ...(pem === undefined ? [] : [await publicJwk(pem, keyId)]),
  ];
  if (keys.length === 0)
    throw unusable(
      'no public key found: neither in a key directory nor in LOCAL_CREDMON_PUBLIC_KEY',
    );
  return [...new Map(keys.map((key) => [identity(key), key])).values()];
}

/**
 * Converts a PEM public key to a JWK.
 * @throws CodedError `CRED_FILE_IO` if it is not a public key, or a key of a type that
 * does not sign tokens
 */
async function publicJwk(pem: string, keyId: string): Promise<JWK> {
  let jwk: JWK;
  try {
    jwk = await exportJWK(createPublicKey(pem));
  } catch (error) {
    throw unusable('LOCAL_CREDMON_PUBLIC_KEY is not a public key in PEM format', error);
  }
  const algorithm = jwk['kty'] === 'RSA' ? 'RS256' : jwk['crv'] === 'P-256' ? 'ES256' : undefined;
  if (algorithm === undefined)
    throw unusable('LOCAL_CREDMON_PUBLIC_KEY is neither an RSA nor a P-256 key');
  return { ...jwk, kid: keyId, alg: algorithm, use: 'sig' };
}

function keysIn(text: string): JWK[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch (error) {
    throw notASet(error);
  }
  const keys = isObject(set) ? set['keys'] : undefined;
  if (!Array.isArray(keys)) throw notASet();
  return keys.map((key: unknown) => {
    if (!isObject(key) || typeof key['kty'] !== 'string') throw notASet();
    const members = MEMBERS.flatMap((name) =>
      typeof key[name] === 'string' ? [[name, key[name]]] : [],
    );
    return Object.fromEntries(members) as JWK;
  });
}

/** Ignores `use`, because not all writers set it. */
function identity(key: JWK): string {
  return JSON.stringify(MEMBERS.filter((name) => name !== 'use').map((name) => key[name] ?? ''));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notASet(cause?: unknown): CodedError {
  return unusable(
    'the jwks.json of a key directory is not a key set; fix: run condor_credmon keys publish',
    cause,
  );
}

function unusable(what: string, cause?: unknown): CodedError {
  return new CodedError('CRED_FILE_IO', what, {}, cause);
}
