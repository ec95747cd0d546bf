// Browser sessions as files, one each: a store for @fastify/session with idle and
// absolute timeouts.
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
 * The modification time of a file is the time of its last use. It is updated at most once
 * per this interval, in seconds.
 */
const TOUCH_SECONDS = 30;

interface Stored {
  readonly createdAt: number;
  readonly session: Parameters<SessionStore['set']>[1];
}

/**
 * Stores sessions in `directory`, for any number of processes. An expired session is
 * removed and not found.
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
      answer(callback, () => (ifPresent(() => find(id)) ?? undefined)?.session ?? null),
    set: (id, session, callback) =>
      answer(callback, () => {
        const path = sessionPath(directory, id, 'session');
        const now = clock.now();
        const known = ifPresent(() => find(id));
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

/** Returns `undefined` if another process has removed the file. */
function ifPresent<T>(read: () => T): T | undefined {
  try {
    return read();
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

/** Parses a session file; `undefined` if it is damaged. */
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
    // The user opens the key link again.
    return undefined;
  }
}
