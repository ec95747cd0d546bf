// The local issuer's keys: read once for each version of their file; a broken key is
// reported once. And the ports of the local signer.
import type { LocalIssuer, LocalSettings } from '../../settings/local.ts';
import { CodedError, type Random, isCoded, messageOf } from '@credmon/core/base';
import type { Parsed } from '@credmon/core/credential';
import { type SigningKey, readSigningKey } from '@credmon/scitokens';
import { join } from 'node:path';

/** All paths are configured by the administrator. */
export interface LocalPorts {
  readonly random: Random;
  /** Changes when a file or directory changes; empty when it is missing. */
  readonly version: (path: string) => string;
  /** Returns the text of a file, or why it cannot be read. */
  readonly readText: (path: string) => Parsed<string>;
  /** The same for a private key, which others must not be able to read. */
  readonly readKey: (path: string) => Parsed<string>;
  /**
   * Returns the text of a file, or of all files of a directory in order; empty when
   * missing.
   */
  readonly readAll: (path: string) => readonly string[];
  /**
   * Returns the key of a key directory that signs tokens of `lifetime` seconds.
   * @throws CodedError
   */
  readonly activeKey: (directory: string, lifetime: number) => SigningKey;
  /**
   * Completes a key pair that a killed process left, and returns the halves that were
   * restored.
   * @throws the system's error
   */
  readonly recoverKeyPair: (
    privateKey: string,
    publicKey: string,
  ) => readonly ('private' | 'public')[];
  /**
   * Creates an EC P-256 key pair in two files.
   * @throws CodedError, or the system's error
   */
  readonly createKeyPair: (privateKey: string, publicKey: string) => void;
  /**
   * Logs a warning `about` a subject (default: the text itself), once until the text
   * changes or the subject has recovered.
   */
  readonly warn: (text: string, about?: string) => void;
  /** Ends a warning: it is logged again when the problem recurs. */
  readonly recovered?: (about: string) => void;
}

/** Keys by issuer. */
export interface LocalKeys {
  /**
   * Returns the current signing key.
   * @throws CodedError `TOKEN_KEY_UNREADY`, `TOKEN_KEY_INVALID`, `TOKEN_KEY_DIRECTORY`
   */
  readonly keyOf: (issuer: LocalIssuer) => SigningKey;
  /** Changes with the key. */
  readonly version: (issuer: LocalIssuer) => string;
}

/**
 * Creates the key look-up for these settings. The first use may create the shared key.
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
 * `about`: all tokens of the provider fail for the same reason, so one log line is
 * enough. The cause is dropped because it could quote the key.
 */
function read(issuer: LocalIssuer, ports: LocalPorts): SigningKey {
  const { service, key } = issuer;
  try {
    return readKey(issuer, ports);
  } catch (error) {
    const code = isCoded(error) ? error.code : 'TOKEN_KEY_UNREADY';
    const text = `cannot sign tokens of ${service}: ${messageOf(error)}`;
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
 * Completes the shared key pair if a killed process left a part of it, and creates it if
 * a provider needs it and both halves are missing. A lost private key is not replaced
 * while its public key exists: tokens signed by the old key may still be valid.
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
      `the private key ${privateKey} is missing, but its public half ${publicKey} exists; ` +
        'fix: restore the private key, or remove the public half to create a new pair',
      privateKey,
    );
    return;
  }
  try {
    ports.createKeyPair(privateKey, publicKey);
    ports.warn(
      `created a new key pair, because ${privateKey} was missing; publish ${publicKey} before tokens are used`,
    );
  } catch (error) {
    ports.warn(
      `cannot create the key pair ${privateKey} and ${publicKey}: ${messageOf(error)}`,
      privateKey,
    );
  }
}

function recoveredText(
  half: 'private' | 'public',
  { privateKey, publicKey }: LocalSettings['keyPair'],
): string {
  return half === 'private'
    ? `the private key ${privateKey} was recovered from the temporary file of a ` +
        `process that was killed; it matches ${publicKey}`
    : `the public half ${publicKey} was missing and was created from ${privateKey}; publish it before tokens are used`;
}
