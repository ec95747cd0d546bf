// Client secret files: read again for every renewal, so that a new secret needs no
// restart.
import { statSync } from 'node:fs';
import { readSafely, shellWord, systemCode } from '@credmon/core/base';
import type { Parsed } from '@credmon/core/credential';

/** A secret of this size is somebody's mistake, in bytes. */
const LARGEST_SECRET = 64 * 1024;

/**
 * The secret in a file: cut at its first control character, as CredD does, or the whole
 * of it, which keys in PEM need. Refused when the file is readable for group or others,
 * or belongs neither to root nor to this process's user. A link is followed where root or
 * this process alone can have made it.
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
 * Changes when the file is replaced or rewritten, appears or can be reached at last;
 * never throws for where it lies.
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
