// A credential directory for tests, on the real file system.
import { mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Instant, TokenSnapshot } from '../../src/credential/snapshot.ts';
import type { CredentialStore } from '../../src/store/store.ts';

/**
 * The time of a test's scans: long after every file was written, so that unchanged
 * directories are not opened. An hour, because test files of one process share this
 * module for any duration.
 */
export const NOW: Instant = { wall: Date.now() / 1000 + 3600, steady: 1000 };

/** A new credential directory; `[1]` in its path must cause no problem. */
export function credentialDirectory(): string {
  const root = join(mkdtempSync(join(tmpdir(), 'credmon-store-')), 'creds[1]');
  mkdirSync(root, { mode: 0o2770 });
  return root;
}

/** The text of a `.use` with a lifetime of an hour, issued at 1000. */
export const USE = '{"access_token":"at","issued_at":1000,"expires_at":4600}\n';
/** The text of a `.top`. */
export const TOP = '{"refresh_token":"rt"}\n';
/** The text of a `.meta`. */
export const META = '{"client_id":"c","client_secret":"s","token_url":"https://x.example/"}\n';

/** Writes one file of a user, mode 0400, `mtime` in epoch seconds. */
export function put(root: string, path: string, text: string | Uint8Array, mtime = 2000): void {
  const whole = join(root, path);
  mkdirSync(join(whole, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(whole, text, { mode: 0o400 });
  utimesSync(whole, mtime, mtime);
}

/** Writes a complete valid token. */
export function putToken(root: string, user: string, stem: string): void {
  put(root, `${user}/${stem}.top`, TOP);
  put(root, `${user}/${stem}.use`, USE, 2001);
  put(root, `${user}/${stem}.meta`, META);
}

/** The names in a user's directory, sorted. */
export const namesOf = (root: string, user = 'alice'): string[] =>
  readdirSync(join(root, user)).sort();

/** The snapshot of one token in a scan. */
export async function tokenIn(
  store: CredentialStore,
  id: string,
  now = NOW,
): Promise<TokenSnapshot> {
  const { tokens } = await store.scan(now);
  const found = tokens.find((token) => `${token.user}/${token.stem}` === id);
  if (!found) throw new Error(`no token ${id}`);
  return found;
}
