// Reads client secret files for every renewal, so that a new secret needs no restart.
import { statSync } from 'node:fs';
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

/**
 * Changes when the file is replaced, rewritten, created or becomes readable; never
 * throws.
 */
export function secretVersion(path: string): string {
  try {
    const stats = statSync(path);
    return `${stats.ino}:${stats.mtimeMs}:${stats.size}`;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}
