// Reads the keys: the issuer's public keys from world-readable files, never its private
// key; and the private key of a client that authenticates with it.
import { existsSync, lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf, systemClock } from '@credmon/core/base';
import { readTextFile } from './credential-files.ts';
import type { Ports } from '../flow/ports.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * The key set in a key directory; `scitokens key publish` and `condor_credmon keys
 * publish` write it.
 */
const KEY_SET_FILE = 'jwks.json';

/** Returns the ports that read the keys of this issuer. */
export function openPublicKeys({
  publicKeyFile,
  keyDirectories = [],
}: Settings['localIssuer']): Pick<Ports, 'readPublicKey' | 'readKeySets'> {
  const readText = rememberingReader();
  return {
    // While an administrator moves from a PEM file to a key directory, both are
    // published; afterwards the PEM file is removed.
    readPublicKey: () =>
      keyDirectories.length > 0 && !existsSync(publicKeyFile)
        ? undefined
        : readText(publicKeyFile, 'LOCAL_CREDMON_PUBLIC_KEY'),
    readKeySets: () =>
      keyDirectories.map((directory) =>
        readText(join(directory, KEY_SET_FILE), 'run condor_credmon keys publish, as root'),
      ),
  };
}

/**
 * A file that changed less than this many milliseconds ago is read again: two changes within
 * one tick of the file system's clock look alike.
 */
const SETTLED = 2000;

/**
 * Returns a {@link readTextFile} that reads a file again only if its identity, size or times
 * have changed.
 */
function rememberingReader(): typeof readTextFile {
  const known = new Map<string, { readonly identity: string; readonly text: string }>();
  return (path, what) => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!found) return readTextFile(path, what);
    const { dev, ino, size, mtimeMs, ctimeMs } = found;
    const identity = `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    const before = known.get(path);
    if (before?.identity === identity) return before.text;
    const text = readTextFile(path, what);
    known.delete(path);
    if (systemClock.now() * 1000 - Math.max(mtimeMs, ctimeMs) > SETTLED)
      known.set(path, { identity, text });
    return text;
  };
}

/**
 * Returns the private key of a client (CREDMON_<PROVIDER>_CLIENT_KEY_FILE), read again for
 * every request. It must be closed to others and belong to root or this process.
 * @throws CodedError `SECRET_UNREADABLE`
 */
export function readClientKeyFile(path: string): string {
  try {
    const { mode, uid } = statSync(path);
    const isClosed = (mode & 0o077) === 0 && [0, process.geteuid?.()].includes(uid);
    if (!isClosed)
      throw new CodedError(
        'SECRET_UNREADABLE',
        `${path} can be read by others, or belongs to another user`,
      );
    return readTextFile(path, 'CREDMON_<PROVIDER>_CLIENT_KEY_FILE');
  } catch (error) {
    throw new CodedError('SECRET_UNREADABLE', messageOf(error), { path }, error);
  }
}
