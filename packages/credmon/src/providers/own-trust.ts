// The way to servers with authorities of their own: whom TLS believes, from files that may change while the daemon runs.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, createSend, systemCode, type Send, type SendLimits } from '@credmon/core';
import type { VaultSettings } from './vault-settings.ts';

/** The authorities that an administrator named, and by which knobs (for an error). */
interface Trust {
  readonly caFile: string | undefined;
  readonly caDirectory: string | undefined;
  readonly knobs: string;
}

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
export function createVaultSend({ caFile, caDirectory }: VaultSettings, limits: SendLimits): Send {
  const knobs = 'AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR';
  return trusting({ caFile, caDirectory, knobs }, { ...limits, addressSeconds: ADDRESS_SECONDS });
}

/** A {@link Send} for Pelican's issuers, which believes PELICAN_CREDMON_CA_FILE alone; none without it. @throws as {@link createVaultSend} */
export function createPelicanSend(caFile: string | undefined, limits: SendLimits): Send | undefined {
  if (caFile === undefined) return undefined;
  return trusting({ caFile, caDirectory: undefined, knobs: 'PELICAN_CREDMON_CA_FILE' }, limits);
}

function trusting(trust: Trust, limits: SendLimits): Send {
  let version: string | undefined;
  let { send, close } = createSend(limits);
  return (request) => {
    const present = versionOf(trust);
    if (present !== version) {
      const ca = authorities(trust);
      void close();
      ({ send, close } = createSend({
        ...limits,
        ...(ca.length === 0 ? {} : { ca, onlyCa: named(trust) }),
      }));
      version = present;
    }
    return send(request);
  };
}

function named({ caFile, caDirectory }: Trust): boolean {
  return caFile !== undefined || caDirectory !== undefined;
}

function versionOf({ caFile, caDirectory }: Trust): string {
  return [caFile, caDirectory]
    .map((path) => {
      const stats = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
      return stats ? `${stats.ino}:${stats.mtimeMs}:${stats.size}` : '';
    })
    .join(' ');
}

/** The PEM texts to believe. */
function authorities(trust: Trust): string[] {
  const { caFile, caDirectory, knobs } = trust;
  const textOf = (path: string): string => orExplain(path, knobs, () => readFileSync(path, 'utf8'));
  if (!named(trust)) {
    const files = USUAL_FILES.filter((path) => existsSync(path)).slice(0, 1);
    const grid = existsSync(USUAL_DIRECTORY) ? pemFilesIn(USUAL_DIRECTORY, knobs) : [];
    return [...files, ...grid].map(textOf);
  }
  return [
    ...(caFile === undefined ? [] : [textOf(caFile)]),
    ...(caDirectory === undefined ? [] : pemFilesIn(caDirectory, knobs).map(textOf)),
  ];
}

/** Files that hold certificates in a directory as OpenSSL and the grid know it: hash links, `.pem` and `.crt`. */
function pemFilesIn(directory: string, knobs: string): string[] {
  return orExplain(directory, knobs, () => readdirSync(directory))
    .filter((name) => /\.(\d+|pem|crt)$/.test(name))
    .sort()
    .map((name) => join(directory, name));
}

function orExplain<T>(path: string, knobs: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw new CodedError(
      'CONFIG_READ',
      `the certificate authorities in ${path} cannot be read (${code}); see ${knobs}`,
      { path },
      error,
    );
  }
}
