// The local issuer's keys: read once for each version of their file, and said to be
// broken once.
import { CodedError, isCoded, messageOf } from '@credmon/core/base';
import { readSigningKey, type SigningKey } from '@credmon/scitokens';
import { join } from 'node:path';
import type { LocalPorts } from './ports.ts';
import type { LocalIssuer, LocalSettings } from '../../settings/local.ts';

/** Keys by issuer. */
export interface LocalKeys {
  /**
   * The key that signs now.
   * @throws CodedError `TOKEN_KEY_UNREADY`, `TOKEN_KEY_INVALID`, `TOKEN_KEY_DIRECTORY`
   */
  readonly keyOf: (issuer: LocalIssuer) => SigningKey;
  /** Changes with the key. */
  readonly version: (issuer: LocalIssuer) => string;
}

/**
 * The keys of these settings. Whoever asks first for the shared key may be the reason to
 * make it.
 */
export function localKeys(settings: LocalSettings, ports: LocalPorts): LocalKeys {
  const known = new Map<string, { readonly version: string; readonly key: SigningKey }>();
  const version = ({ key, lifetime }: LocalIssuer): string =>
    key.kind === 'file'
      ? `${ports.version(key.path)} ${key.keyId} ${key.algorithm}`
      : `${ports.version(join(key.path, 'keys.json'))} ${lifetime}`;
  return {
    version,
    keyOf: (issuer) => {
      const now = version(issuer);
      const name = `${issuer.service} ${issuer.lifetime}`;
      const entry = known.get(name);
      if (entry?.version === now) return entry.key;
      if (known.size === 0) prepareKeyPair(settings, ports);
      const key = read(issuer, ports);
      known.set(name, { version: version(issuer), key });
      return key;
    },
  };
}

/**
 * `about`: every token of the provider fails alike, and one line in the log is enough.
 * The cause could quote the key.
 */
function read(issuer: LocalIssuer, ports: LocalPorts): SigningKey {
  const { service, key } = issuer;
  try {
    return readKey(issuer, ports);
  } catch (error) {
    const code = isCoded(error) ? error.code : 'TOKEN_KEY_UNREADY';
    const text = `no token of ${service} can be signed: ${messageOf(error)}`;
    throw new CodedError(code, text, { service, path: key.path, about: `provider ${service}` });
  }
}

function readKey({ key, lifetime, service }: LocalIssuer, ports: LocalPorts): SigningKey {
  if (key.kind === 'directory') return ports.activeKey(key.path, lifetime);
  const text = ports.readKey(key.path);
  if (text.ok) return readSigningKey(text.value, { kid: key.keyId, algorithm: key.algorithm });
  throw new CodedError('TOKEN_KEY_UNREADY', `the private key ${key.path} ${text.reason}`, {
    service,
  });
}

/**
 * Completes the shared key pair where a killed process left a part of it, and makes it
 * where a provider needs it and neither half is there. A lost private key is not replaced
 * while its public half is still there: tokens signed by the old one are out.
 */
export function prepareKeyPair({ issuers, keyPair }: LocalSettings, ports: LocalPorts): void {
  const { privateKey, publicKey } = keyPair;
  if (!issuers.some(({ key }) => key.kind === 'file' && key.path === privateKey)) return;
  try {
    for (const half of ports.recoverKeyPair(privateKey, publicKey))
      ports.warn(recoveredText(half, keyPair));
    ports.recovered?.(`part of ${privateKey}`);
  } catch (error) {
    ports.warn(
      `cannot complete the key pair ${privateKey} and ${publicKey}: ${messageOf(error)}`,
      `part of ${privateKey}`,
    );
  }
  if (ports.version(privateKey) !== '') return ports.recovered?.(privateKey);
  if (ports.version(publicKey) !== '') {
    ports.warn(
      `the private key ${privateKey} is missing, but its public half ${publicKey} is there: restore it, or remove the public half to have a new pair made`,
      privateKey,
    );
    return;
  }
  try {
    ports.createKeyPair(privateKey, publicKey);
    ports.warn(
      `there was no ${privateKey}: a new key pair was made; publish ${publicKey} before tokens are used`,
    );
  } catch (error) {
    ports.warn(
      `cannot make the key pair ${privateKey} and ${publicKey}: ${messageOf(error)}`,
      privateKey,
    );
  }
}

function recoveredText(
  half: 'private' | 'public',
  { privateKey, publicKey }: LocalSettings['keyPair'],
): string {
  return half === 'private'
    ? `the private key ${privateKey} was recovered from the temporary file of a process that was killed; it matches ${publicKey}`
    : `the public half ${publicKey} was missing: it was written from ${privateKey}; publish it before tokens are used`;
}
