// Reads client secret files for every renewal, so that a new secret needs no restart.
import { statSync, type Stats } from 'node:fs';
import { readSafely, shellWord, systemCode } from '@credmon/core/base';
import type { Parsed } from '@credmon/core/credential';

/** Maximum size of a secret file, in bytes; a larger one is a mistake. */
const LARGEST_SECRET = 64 * 1024;

/**
 * Returns the secret in a file: up to its first control character, as CredD does, or all
 * of it, for PEM keys. Rejects a file that group or others can read, or that belongs
 * neither to root nor to this process's user. Follows a link if only root or this process
 * can have created it.
 */
export function readSecretFile(path: string, form: 'line' | 'whole' = 'line'): Parsed<string> {
  const reading = readSafely(path, LARGEST_SECRET);
  if (reading.kind === 'missing') return { ok: false, reason: 'is missing' };
  if (reading.kind === 'broken') return { ok: false, reason: reading.reason };
  const { mode, uid } = reading;
  if ((mode & 0o077) !== 0)
    return { ok: false, reason: `can be read by others; fix: chmod go-rwx ${shellWord(path)}` };
  if (uid !== 0 && uid !== process.geteuid?.())
    return { ok: false, reason: `belongs to user id ${uid}; fix: chown root ${shellWord(path)}` };
  const secret = form === 'whole' ? reading.text : (/^[^\p{Cc}]*/u.exec(reading.text)?.[0] ?? '');
  return secret === '' ? { ok: false, reason: 'is empty' } : { ok: true, value: secret };
}

/** How long a secret is used again, in milliseconds. */
const HELD = 1000;

/**
 * Returns {@link readSecretFile} for many renewals in a row: a secret that was read less
 * than a second ago is used again if its path still leads to the same, unchanged file.
 */
export function createSecretReader(): typeof readSecretFile {
  const held = new Map<string, { version: string; until: number; secret: Parsed<string> }>();
  return (path, form) => {
    const key = `${form ?? 'line'} ${path}`;
    const known = held.get(key);
    const version = wholeVersion(path);
    if (known?.version === version && performance.now() < known.until) return known.secret;
    const secret = readSecretFile(path, form);
    if (secret.ok) held.set(key, { version, until: performance.now() + HELD, secret });
    else held.delete(key);
    return secret;
  };
}

/**
 * Changes when the file is replaced, rewritten, created or becomes readable; never
 * throws.
 */
export function secretVersion(path: string): string {
  return versionBy(path, ({ ino, mtimeMs, size }) => [ino, mtimeMs, size]);
}

/** Like {@link secretVersion}, and changes with the owner and the permissions, too. */
function wholeVersion(path: string): string {
  return versionBy(path, ({ dev, ino, mtimeMs, ctimeMs, size }) => [
    dev,
    ino,
    mtimeMs,
    ctimeMs,
    size,
  ]);
}

function versionBy(path: string, of: (stats: Stats) => readonly number[]): string {
  try {
    return of(statSync(path)).join(':');
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}
