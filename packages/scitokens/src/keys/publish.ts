// The two files that an issuer publishes, for any web server.
import { CodedError } from '@credmon/core/base';
import type { Algorithm } from '../token/algorithms.ts';
import { writeJson } from './keys.ts';
import type { JsonObject } from '../token/compact.ts';

/** A file below the issuer's URL. */
export interface PublishedFile {
  readonly path: string;
  readonly text: string;
}

const METADATA_PATH = '.well-known/openid-configuration';
const KEYS_PATH = '.well-known/jwks.json';

/**
 * Returns the files of an issuer, the key set first: a verifier that reads between the
 * two finds no key id without a key.
 * @param keys public JWKs, for instance from {@link writeKey}
 * @throws CodedError `ENDPOINT_REFUSED` if the issuer is not an https URL,
 * `TOKEN_KEY_INVALID` if a key is private
 */
export function publishedFiles(
  issuer: string,
  keys: readonly JsonObject[],
): readonly PublishedFile[] {
  if (!URL.canParse(issuer) || new URL(issuer).protocol !== 'https:' || /[?#]/.test(issuer))
    throw new CodedError(
      'ENDPOINT_REFUSED',
      `the issuer ${JSON.stringify(issuer)} is not a plain https URL`,
      { issuer },
    );
  const keySet = keySetText(keys);
  const algorithms = [...new Set(keys.map((key) => key['alg'] as Algorithm))].sort();
  const metadata = {
    issuer,
    jwks_uri: `${issuer.replace(/\/$/, '')}/${KEYS_PATH}`,
    response_types_supported: ['token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: algorithms,
  };
  return [
    { path: KEYS_PATH, text: keySet },
    { path: METADATA_PATH, text: writeJson(metadata) },
  ];
}

/**
 * Returns a key set as text.
 * @throws CodedError `TOKEN_KEY_INVALID` if a key is private
 * @see RFC 7517, section 5
 */
export function keySetText(keys: readonly JsonObject[]): string {
  if (keys.some((key) => ['d', 'p', 'q', 'k'].some((secret) => Object.hasOwn(key, secret))))
    throw new CodedError('TOKEN_KEY_INVALID', 'private key in a public key set; pass public JWKs');
  return writeJson({ keys });
}
