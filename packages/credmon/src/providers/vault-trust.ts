// The way to a Vault: whom TLS believes, from files that may change while the daemon runs, and short patience with each address.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, createSend, systemCode, type Send, type SendLimits } from '@credmon/core';
import type { VaultSettings } from './vault-settings.ts';

/** How long one address of a Vault may take to answer a connection, in seconds. */
const ADDRESS_SECONDS = 2;

/** Where authorities lie when no knob names a place. */
const USUAL_FILES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];
const USUAL_DIRECTORY = '/etc/grid-security/certificates';

/**
 * A {@link Send} for the Vault. It believes AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR alone where one is set, else the usual
 * authorities and those of the grid; changed files count from the next request on.
 * @throws CodedError (at a request) `CONFIG_READ` when a named file cannot be read
 */
export function createVaultSend(settings: VaultSettings, limits: SendLimits): Send {
  let version: string | undefined;
  let { send, close } = createSend(limits);
  return (request) => {
    const present = versionOf(settings);
    if (present !== version) {
      const ca = authorities(settings);
      void close();
      ({ send, close } = createSend({
        ...limits,
        addressSeconds: ADDRESS_SECONDS,
        ...(ca.length === 0 ? {} : { ca, onlyCa: named(settings) }),
      }));
      version = present;
    }
    return send(request);
  };
}

function named({ caFile, caDirectory }: VaultSettings): boolean {
  return caFile !== undefined || caDirectory !== undefined;
}

function versionOf({ caFile, caDirectory }: VaultSettings): string {
  return [caFile, caDirectory]
    .map((path) => {
      const stats = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
      return stats ? `${stats.ino}:${stats.mtimeMs}:${stats.size}` : '';
    })
    .join(' ');
}

/** The PEM texts to believe. */
function authorities(settings: VaultSettings): string[] {
  const { caFile, caDirectory } = settings;
  if (!named(settings)) {
    const files = USUAL_FILES.filter((path) => existsSync(path)).slice(0, 1);
    const grid = existsSync(USUAL_DIRECTORY) ? pemFilesIn(USUAL_DIRECTORY) : [];
    return [...files, ...grid].map(textOf);
  }
  return [
    ...(caFile === undefined ? [] : [textOf(caFile)]),
    ...(caDirectory === undefined ? [] : pemFilesIn(caDirectory).map(textOf)),
  ];
}

/** Files that hold certificates in a directory as OpenSSL and the grid know it: hash links, `.pem` and `.crt`. */
function pemFilesIn(directory: string): string[] {
  return orExplain(directory, () => readdirSync(directory))
    .filter((name) => /\.(\d+|pem|crt)$/.test(name))
    .sort()
    .map((name) => join(directory, name));
}

function textOf(path: string): string {
  return orExplain(path, () => readFileSync(path, 'utf8'));
}

function orExplain<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw new CodedError(
      'CONFIG_READ',
      `the certificate authorities in ${path} cannot be read (${code}); see AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR`,
      { path },
      error,
    );
  }
}
