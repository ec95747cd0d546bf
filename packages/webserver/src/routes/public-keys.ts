// The key set of the portal's own issuer: the keys of its key directories, and the PEM
// file beside them while tokens of that one live.
import { createPublicKey } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import { CodedError } from '@credmon/core/base';

/**
 * What a public JWK may hold; a set is copied by these names, so that nothing private can
 * pass.
 */
const MEMBERS = ['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e'] as const;

/**
 * Where the keys are: texts of key sets, and the PEM text, if there is one, with its
 * name.
 */
export interface PublicKeyTexts {
  readonly sets: readonly string[];
  readonly pem: string | undefined;
  readonly keyId: string;
}

/**
 * All keys, those of the directories first. The same key under the same name stands there
 * once; two keys of one name both stay.
 * @throws CodedError `CRED_FILE_IO` when a text is not what it should be, or there is no
 * key at all
 */
export async function publicKeySet({ sets, pem, keyId }: PublicKeyTexts): Promise<readonly JWK[]> {
  const keys = [
    ...sets.flatMap(keysIn),
    ...(pem === undefined ? [] : [await publicJwk(pem, keyId)]),
  ];
  if (keys.length === 0)
    throw unusable(
      'there is no public key: neither in a key directory nor in LOCAL_CREDMON_PUBLIC_KEY',
    );
  return [...new Map(keys.map((key) => [identity(key), key])).values()];
}

/**
 * The JWK of a PEM public key.
 * @throws CodedError `CRED_FILE_IO` when it is none, or of a kind that no token is signed
 * with
 */
async function publicJwk(pem: string, keyId: string): Promise<JWK> {
  let jwk: JWK;
  try {
    jwk = await exportJWK(createPublicKey(pem));
  } catch (error) {
    throw unusable('LOCAL_CREDMON_PUBLIC_KEY is not a public key in PEM form', error);
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

/** Without `use`, which one writer gives and another does not. */
function identity(key: JWK): string {
  return JSON.stringify(MEMBERS.filter((name) => name !== 'use').map((name) => key[name] ?? ''));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notASet(cause?: unknown): CodedError {
  return unusable(
    'the jwks.json of a key directory is not a key set; condor_credmon keys publish writes it again',
    cause,
  );
}

function unusable(what: string, cause?: unknown): CodedError {
  return new CodedError('CRED_FILE_IO', what, {}, cause);
}
