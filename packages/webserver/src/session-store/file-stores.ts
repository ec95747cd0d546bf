// Stores sessions, flows and answers in the directory CREDMON_WEB_SESSION_DIR.
import type { FlowEvent } from '../flow/flow-value.ts';
import { MAX_SESSION_BYTES } from '../flow/flow.ts';
import type { AnswerStore, FlowLog } from '../flow/ports.ts';
import { checkFlowSize, flowEvents } from './flow-text.ts';
import { openFilesOf, type OpenFiles } from './open-files.ts';
import {
  type SessionLimits,
  cookieKey,
  createFile,
  linkToFlow,
  makeRoom,
  needingSpace,
  prepareSessionDirectory,
  pruneSessions,
  replaceFile,
  sessionFileName,
  stamp,
  writeWhole,
} from './session-directory.ts';
import {
  type Clock,
  CodedError,
  isRecord,
  rememberFiles,
  systemCode,
  temporaryName,
} from '@credmon/core/base';
import type { SessionStore } from '@fastify/session';
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
} from 'node:fs';
import { join } from 'node:path';

/**
 * Opens the stores in `directory`, which is created if missing.
 * @throws CodedError `CRED_DIR_INVALID`, `SESSION_STORE_FULL`
 */
export function openFileStores(directory: string, clock: Clock, limits: SessionLimits): Stores {
  prepareSessionDirectory(directory);
  const files = openFilesOf(directory, clock);
  return {
    sessions: createFileSessions(directory, clock, limits, files),
    flows: createFileFlows(directory, clock, limits, files),
    answers: createFileAnswers(directory, clock, limits, files),
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
    prune: async () => {
      pruneSessions(directory, clock.now(), limits);
      files.lookAgain();
    },
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
  files: OpenFiles = openFilesOf(directory, clock),
): AnswerStore {
  const nameOf = (id: string): string => sessionFileName(id, 'answer');
  const pathOf = (id: string): string => `${directory}/${nameOf(id)}`;
  return {
    put: async (id, text) => {
      const path = pathOf(id);
      const now = clock.now();
      if (statSync(path, { throwIfNoEntry: false }) === undefined)
        makeRoom(directory, files, id, 'answer', now, limits);
      replaceFile(path, text, now);
      files.add(nameOf(id), now);
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
      files.remove(nameOf(id));
      return undefined;
    },
    remove: async (id) => files.remove(nameOf(id)),
  };
}

/**
 * How many sessions and flows are remembered, and for how many seconds. The stat of a file
 * shows that it is still the same.
 */
const MOST_REMEMBERED = 1000;
const REMEMBERED_SECONDS = 60;

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
export function createFileFlows(
  directory: string,
  clock: Clock,
  limits: SessionLimits,
  files: OpenFiles = openFilesOf(directory, clock),
): FlowLog {
  const nameOf = (id: string): string => sessionFileName(id, 'flow');
  const memory = rememberFiles<readonly FlowEvent[]>(MOST_REMEMBERED, REMEMBERED_SECONDS);
  const read = (id: string): readonly FlowEvent[] => {
    const name = nameOf(id);
    const path = `${directory}/${name}`;
    // The stat comes first: what is read is of this state or a later one.
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found || clock.now() - found.mtimeMs / 1000 >= limits.absolute) return [];
    const known = memory.recall(name, found);
    if (known) return known;
    const events = flowEvents(ifPresent(() => readFileSync(path, 'utf8')) ?? '');
    memory.keep(name, found, events);
    return events;
  };
  const append = (id: string, event: FlowEvent): readonly FlowEvent[] => {
    const name = nameOf(id);
    const path = `${directory}/${name}`;
    const now = clock.now();
    if (event.type !== 'opened') return extend(path, event, now) ? read(id) : [];
    makeRoom(directory, files, id, 'flow', now, limits);
    const text = sessionText(id, now) + textOf(event);
    checkFlowSize(event, Buffer.byteLength(text));
    if (!createFile(path, text, now)) throw new Error('EEXIST: the flow already exists');
    files.add(name, now);
    files.newest = { flow: id, at: now };
    return [event];
  };
  return {
    read: async (id) => read(id),
    append: async (id, event) => append(id, event),
    remove: async (id) => files.remove(nameOf(id)),
  };
}

/** Appends to a log. Returns false if there is no such log. */
function extend(path: string, event: FlowEvent, now: number): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    writeEvent(descriptor, event, now);
    return true;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Returns the first line of a flow's log. It contains the new session of the flow: until
 * the session changes, its file is a hard link to the log. Readers of the log skip this
 * line.
 */
const sessionText = (flow: string, createdAt: number): string =>
  JSON.stringify({ createdAt, session: { flow } });

const textOf = (event: FlowEvent): string => `\n${JSON.stringify(event)}\n`;

function writeEvent(descriptor: number, event: FlowEvent, now: number): void {
  const bytes = Buffer.from(textOf(event));
  checkFlowSize(event, fstatSync(descriptor).size + bytes.length);
  // Readers ignore a part of an event: the next event begins with a line feed.
  writeWhole(descriptor, bytes);
  stamp(descriptor, now);
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
  files: OpenFiles = openFilesOf(directory, clock),
): SessionStore {
  const nameOf = (id: string): string => sessionFileName(id, 'session');
  const memory = rememberFiles<Stored>(MOST_REMEMBERED, REMEMBERED_SECONDS);
  const find = (name: string): Stored | undefined => {
    const path = `${directory}/${name}`;
    const now = clock.now();
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return undefined;
    const usedAt = found.mtimeMs;
    const stored = memory.recall(name, found) ?? parse(readFileSync(path, 'utf8'));
    if (
      !stored ||
      now - usedAt / 1000 >= limits.idle ||
      now - stored.createdAt >= limits.absolute
    ) {
      files.remove(name);
      return undefined;
    }
    files.add(name, usedAt / 1000);
    if (Math.abs(now - usedAt / 1000) > TOUCH_SECONDS) utimesSync(path, now, now);
    else if (!memory.has(name)) memory.keep(name, found, stored);
    return stored;
  };
  return {
    get: (id, callback) =>
      answer(callback, () => (ifPresent(() => find(nameOf(id))) ?? undefined)?.session ?? null),
    set: (id, session, callback) =>
      answer(callback, () => {
        const name = nameOf(id);
        const path = `${directory}/${name}`;
        const now = clock.now();
        const create = (): boolean => {
          makeRoom(directory, files, id, 'session', now, limits);
          const isLinked =
            isUnchanged(session) && linkToFlow(directory, path, files.newest, session.flow, now);
          return isLinked || createFile(path, storedText(session, now), now);
        };
        // A session that was not read is new: there is no file to look at.
        const isNew = !files.has(name) && create();
        if (!isNew) {
          const known = ifPresent(() => find(name));
          // @fastify/session stores a new session twice.
          if (known && known.session.flow === session.flow)
            if (isUnchanged(known.session) && isUnchanged(session)) return null;
          if (known || !create())
            replaceFile(path, storedText(session, known?.createdAt ?? now), now);
        }
        files.add(name, now);
        return null;
      }),
    destroy: (id, callback) =>
      answer(callback, () => {
        files.remove(nameOf(id));
        return null;
      }),
  };
}

/** @throws CodedError `SESSION_STORE_FULL` if it is too long */
function storedText(session: Stored['session'], createdAt: number): string {
  const text = JSON.stringify({ createdAt, session });
  if (text.length <= MAX_SESSION_BYTES) return text;
  throw new CodedError('SESSION_STORE_FULL', `a session of ${text.length} characters is too large`);
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

/**
 * True if {@link sessionText} says all of a session: all cookies have the same
 * attributes.
 */
const isUnchanged = (session: object): boolean =>
  Object.keys(session).every((key) => key === 'flow' || key === 'cookie');

/** Parses a session file; `undefined` if it is damaged. */
function parse(text: string): Stored | undefined {
  try {
    const value: unknown = JSON.parse(text.split('\n', 1)[0] ?? '');
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
