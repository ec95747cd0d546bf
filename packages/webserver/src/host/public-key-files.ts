// The public keys on disk. The portal never opens a private one: what it publishes lies
// in files that anybody may read.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readTextFile } from './credential-files.ts';
import type { Ports } from '../flow/ports.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * The key set in a key directory, as `scitokens key publish` and `condor_credmon keys
 * publish` write it.
 */
const KEY_SET_FILE = 'jwks.json';

/** The ports to the keys of this issuer. */
export function openPublicKeys({
  publicKeyFile,
  keyDirectories = [],
}: Settings['localIssuer']): Pick<Ports, 'readPublicKey' | 'readKeySets'> {
  return {
    // While tokens move from a PEM file to a directory, keys of both are needed;
    // afterwards the file is gone.
    readPublicKey: () =>
      keyDirectories.length > 0 && !existsSync(publicKeyFile)
        ? undefined
        : readTextFile(publicKeyFile, 'LOCAL_CREDMON_PUBLIC_KEY'),
    readKeySets: () =>
      keyDirectories.map((directory) =>
        readTextFile(join(directory, KEY_SET_FILE), 'run condor_credmon keys publish, as root'),
      ),
  };
}
