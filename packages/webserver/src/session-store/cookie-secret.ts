// Reads the secret of the session cookies without making one: for `--check`, which
// changes nothing.
import type { Trust } from '@credmon/core/base';
import type { Settings } from '../settings/settings.ts';
import { storedCookieKey } from './session-directory.ts';

/**
 * The secret that the running portal signs cookies with; `undefined` when no portal has
 * used this session store yet.
 * @throws CodedError `SESSION_STORE_DOWN`, `SECRET_UNREADABLE`; the system's error when
 * the file cannot be read
 */
export async function readCookieSecret(
  { sessionStore, sessionDirectory }: Settings,
  trust: Trust,
): Promise<string | undefined> {
  if (!sessionStore) return storedCookieKey(sessionDirectory);
  const { openRedis } = await import('./redis-link.ts');
  const link = await openRedis(sessionStore, () => undefined, trust);
  try {
    return await link.agreed('cookie-key');
  } finally {
    await link.close();
  }
}
