// The local signer's key pair on disk: made so that a kill at any moment leaves what the
// next start can complete.
import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  isCoded,
  readSafely,
  syncDirectory,
  systemCode,
  temporaryOwner,
  writeFileAtomically,
  isAliveElsewhere,
} from '@credmon/core/base';
import { createKey, readKey, writeKey } from '@credmon/scitokens';

/** What of a key pair was put in place. */
export type RecoveredHalf = 'private' | 'public';

/**
 * Writing a key takes milliseconds: after this many seconds the process id in a temporary
 * name is that of another process.
 */
const LONGEST_WRITE = 60;

/**
 * Makes an EC P-256 key pair in two files. The private half goes first: the public half
 * can always be made from it.
 * @throws the system's error; neither half is left then
 */
export function createKeyPair(privateKey: string, publicKey: string): void {
  const { privateKey: key, kid, algorithm } = createKey({ algorithm: 'ES256' });
  const made = { key, kid, algorithm };
  writeFileAtomically(privateKey, writeKey(made, 'pem-private'), { mode: 0o600, durable: true });
  try {
    writePublicHalf(publicKey, writeKey(made, 'pem-public'));
  } catch (error) {
    rmSync(privateKey, { force: true });
    throw error;
  }
}

/**
 * Completes a key pair that a dead process left: a missing public half is made from the
 * private key, and a missing private key is taken from a temporary file that holds it
 * whole. All other temporary files of dead processes are removed.
 * @throws the system's error
 */
export function recoverKeyPair(privateKey: string, publicKey: string): readonly RecoveredHalf[] {
  const recovered: RecoveredHalf[] = [];
  const leftovers = leftoversOf(privateKey);
  if (!isThere(privateKey) && isThere(publicKey)) {
    const open = keyIn(publicKey);
    const whole = open && leftovers.find((path) => isPrivateHalf(path, open));
    if (whole !== undefined) {
      putInPlace(whole, privateKey);
      recovered.push('private');
    }
  }
  for (const path of [...leftoversOf(privateKey), ...leftoversOf(publicKey)])
    rmSync(path, { force: true });
  const key = isThere(publicKey) ? undefined : keyIn(privateKey);
  if (key?.type === 'private') {
    writePublicHalf(
      publicKey,
      String(createPublicKey(key).export({ type: 'spki', format: 'pem' })),
    );
    recovered.push('public');
  }
  return recovered;
}

function writePublicHalf(path: string, text: string): void {
  writeFileAtomically(path, text, { mode: 0o644, durable: true });
}

/** The temporary files that dead processes left beside `path` for it. */
function leftoversOf(path: string): readonly string[] {
  const directory = dirname(path);
  return filesIn(directory).flatMap((name) => {
    const owner = temporaryOwner(name);
    const target = name.slice(1).replace(/\.d?\d+\.\d+\.credmon-tmp$/, '');
    if (!owner || target !== basename(path)) return [];
    const temporary = join(directory, name);
    const stats = lstatSync(temporary, { throwIfNoEntry: false });
    if (!stats) return [];
    const old = Date.now() / 1000 - stats.mtimeMs / 1000 > LONGEST_WRITE;
    return old || !isAliveElsewhere(owner.pid) ? [temporary] : [];
  });
}

function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    // A directory that cannot be listed can still hold keys that can be read.
    return [];
  }
}

/** A link that leads nowhere is there: what it names may be mounted later. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function keyIn(path: string): KeyObject | undefined {
  const reading = readSafely(path);
  if (reading.kind !== 'text') return undefined;
  try {
    return readKey(reading.text).key;
  } catch (error) {
    if (!isCoded(error)) throw error;
    return undefined;
  }
}

/** Only a file that this process, or root, wrote for itself alone. */
function isPrivateHalf(path: string, open: KeyObject): boolean {
  const { uid, mode } = lstatSync(path);
  if ((uid !== 0 && uid !== process.geteuid?.()) || (mode & 0o077) !== 0) return false;
  const key = keyIn(path);
  return key?.type === 'private' && createPublicKey(key).equals(open);
}

/** Its writer may have died before the disk had it. */
function putInPlace(temporary: string, path: string): void {
  const descriptor = openSync(
    temporary,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}
