// Stores sessions, flows and answers in the directory CREDMON_WEB_SESSION_DIR.
import type { FlowEvent } from '../flow/flow-value.ts';
import { MAX_SESSION_BYTES } from '../flow/check-answer.ts';
import type { AnswerStore, FlowLog } from '../flow/ports.ts';
import { checkFlowSize, flowEvents } from './flow-text.ts';
import {
  type SessionLimits,
  cookieKey,
  makeRoom,
  needingSpace,
  prepareSessionDirectory,
  pruneSessions,
  sessionPath,
} from './session-directory.ts';
import {
  type Clock,
  CodedError,
  isRecord,
  systemCode,
  temporaryName,
  writeFileAtomically,
} from '@credmon/core/base';
import type { SessionStore } from '@fastify/session';
import { removeSync } from 'fs-extra/esm';
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * Opens the stores in `directory`, which is created if missing.
 * @throws CodedError `CRED_DIR_INVALID`, `SESSION_STORE_FULL`
 */
export function openFileStores(directory: string, clock: Clock, limits: SessionLimits): Stores {
  prepareSessionDirectory(directory);
  return {
    sessions: createFileSessions(directory, clock, limits),
    flows: createFileFlows(directory, clock, limits),
    answers: createFileAnswers(directory, clock, limits),
    cookieSecret: needingSpace(() => cookieKey(directory)),
    check: async () => {
      const path = temporaryName(join(directory, 'check'));
      try {
        needingSpace(() => writeFileSync(path, 'a few bytes', { mode: 0o600 }));
      } finally {
        rmSync(path, { force: true });
      }
    },
    count: async () => {
      const names = readdirSync(directory);
      const ofKind = (kind: string): number => names.filter((name) => name.endsWith(kind)).length;
      return { sessions: ofKind('.session'), flows: ofKind('.flow') };
    },
    prune: async () => void pruneSessions(directory, clock.now(), limits),
    close: async () => undefined,
  };
}

/**
 * Stores encrypted answers in `directory`, for any number of processes. An answer is
 * removed with the decision, or after `limits.answer` seconds.
 */
export function createFileAnswers(
  directory: string,
  clock: Clock,
  limits: SessionLimits,
): AnswerStore {
  const pathOf = (id: string): string => sessionPath(directory, id, 'answer');
  return {
    put: async (id, text) => {
      const path = pathOf(id);
      const now = clock.now();
      if (statSync(path, { throwIfNoEntry: false }) === undefined)
        makeRoom(directory, id, 'answer', now, limits);
      needingSpace(() => writeFileAtomically(path, text, { mode: 0o600, durable: false }));
      utimesSync(path, now, now);
    },
    read: async (id) => {
      const path = pathOf(id);
      try {
        if (clock.now() - statSync(path).mtimeMs / 1000 < limits.answer)
          return readFileSync(path, 'utf8');
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error;
        return undefined;
      }
      removeSync(path);
      return undefined;
    },
    remove: async (id) => removeSync(pathOf(id)),
  };
}

/** The stores of sessions, flows and answers, opened together and closed together. */
export interface Stores {
  readonly sessions: SessionStore;
  readonly flows: FlowLog;
  readonly answers: AnswerStore;
  /** Signs session cookies; the same for all replicas that share the store. */
  readonly cookieSecret: string;
  /**
   * Checks that the store is writable.
   * @throws CodedError `SESSION_STORE_FULL`; the error of the system or network
   */
  check(): Promise<void>;
  /** Counts sessions and flows. */
  count(): Promise<{ readonly sessions: number; readonly flows: number }>;
  /** Removes expired entries. */
  prune(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Stores flow logs in `directory`. They are readable for `limits.absolute` seconds after
 * the last event.
 */
export function createFileFlows(directory: string, clock: Clock, limits: SessionLimits): FlowLog {
  const pathOf = (id: string): string => sessionPath(directory, id, 'flow');
  const read = (id: string): readonly FlowEvent[] => {
    const path = pathOf(id);
    try {
      if (clock.now() - statSync(path).mtimeMs / 1000 >= limits.absolute) return [];
      return flowEvents(readFileSync(path, 'utf8'));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  };
  const append = (id: string, event: FlowEvent): readonly FlowEvent[] => {
    const path = pathOf(id);
    const now = clock.now();
    if (event.type === 'opened') {
      makeRoom(directory, id, 'flow', now, limits);
      begin(path, event);
    } else if (!extend(path, event)) return [];
    utimesSync(path, now, now);
    return read(id);
  };
  return {
    read: async (id) => read(id),
    append: async (id, event) => append(id, event),
    remove: async (id) => removeSync(pathOf(id)),
  };
}

/**
 * Creates a log. The file is removed again if its first event does not fit on the disk.
 */
function begin(path: string, event: FlowEvent): void {
  const descriptor = needingSpace(() => openForAppend(path, constants.O_CREAT | constants.O_EXCL));
  try {
    writeEvent(descriptor, event);
  } catch (error) {
    removeSync(path);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Appends to a log. Returns false if there is no such log. */
function extend(path: string, event: FlowEvent): boolean {
  let descriptor: number;
  try {
    descriptor = openForAppend(path, 0);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    writeEvent(descriptor, event);
  } finally {
    closeSync(descriptor);
  }
  return true;
}

function openForAppend(path: string, create: number): number {
  return openSync(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | create,
    0o600,
  );
}

function writeEvent(descriptor: number, event: FlowEvent): void {
  const bytes = Buffer.from(`\n${JSON.stringify(event)}\n`);
  checkFlowSize(event, fstatSync(descriptor).size + bytes.length);
  const written = needingSpace(() => writeSync(descriptor, bytes));
  // Only a part was written. The next event begins with a line feed, so that readers
  // ignore the fragment.
  if (written !== bytes.length)
    throw new CodedError(
      'SESSION_STORE_FULL',
      'disk full: an event was only partly written to the session directory',
    );
}

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
