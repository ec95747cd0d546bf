// Browser sessions as files, one each: what @fastify/session asks of a store, with idle
// and absolute time-outs.
import { readFileSync, statSync, utimesSync } from 'node:fs';
import { removeSync } from 'fs-extra/esm';
import type { SessionStore } from '@fastify/session';
import {
  isRecord,
  CodedError,
  systemCode,
  writeFileAtomically,
  type Clock,
} from '@credmon/core/base';
import { MAX_SESSION_BYTES } from '../flow/limits.ts';
import { makeRoom, needingSpace, sessionPath, type SessionLimits } from './session-directory.ts';

/**
 * A file's modification time says when the session was last used; it is moved at most
 * this often, in seconds.
 */
const TOUCH_SECONDS = 30;

interface Stored {
  readonly createdAt: number;
  readonly session: Parameters<SessionStore['set']>[1];
}

/**
 * A store of sessions in `directory`, for any number of processes. A session that is too
 * old is removed and not found.
 */
export function createFileSessions(
  directory: string,
  clock: Clock,
  limits: SessionLimits,
): SessionStore {
  const find = (id: string): Stored | undefined => {
    const path = sessionPath(directory, id, 'session');
    const now = clock.now();
    const usedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (usedAt === undefined) return undefined;
    const stored = parse(readFileSync(path, 'utf8'));
    if (
      !stored ||
      now - usedAt / 1000 >= limits.idle ||
      now - stored.createdAt >= limits.absolute
    ) {
      removeSync(path);
      return undefined;
    }
    if (Math.abs(now - usedAt / 1000) > TOUCH_SECONDS) utimesSync(path, now, now);
    return stored;
  };
  return {
    get: (id, callback) =>
      answer(callback, () => (gone(() => find(id)) ?? undefined)?.session ?? null),
    set: (id, session, callback) =>
      answer(callback, () => {
        const path = sessionPath(directory, id, 'session');
        const now = clock.now();
        const known = gone(() => find(id));
        if (!known) makeRoom(directory, id, 'session', now, limits);
        const text = JSON.stringify({ createdAt: known?.createdAt ?? now, session });
        if (text.length > MAX_SESSION_BYTES)
          throw new CodedError(
            'SESSION_STORE_FULL',
            `a session of ${text.length} characters is too large`,
          );
        needingSpace(() => writeFileAtomically(path, text, { mode: 0o600, durable: false }));
        utimesSync(path, now, now);
        return null;
      }),
    destroy: (id, callback) =>
      answer(callback, () => {
        removeSync(sessionPath(directory, id, 'session'));
        return null;
      }),
  };
}

/** Another process may remove a session between two looks at it. */
function gone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function answer<T>(
  callback: (error: unknown, value?: T | null) => void,
  work: () => T | null,
): void {
  let value: T | null;
  try {
    value = work();
  } catch (error) {
    callback(error);
    return;
  }
  callback(null, value);
}

/** A file that a crash or a stranger left unreadable is not a session. */
function parse(text: string): Stored | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value) || typeof value['createdAt'] !== 'number' || !isRecord(value['session']))
      return undefined;
    return {
      createdAt: value['createdAt'],
      session: value['session'] as unknown as Stored['session'],
    };
  } catch {
    // The session is then made again: the user opens the key link again.
    return undefined;
  }
}
