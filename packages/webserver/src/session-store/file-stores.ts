// Sessions and flows in the directory CREDMON_WEB_SESSION_DIR.
import { readdirSync, rmSync, writeFileSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryName, type Clock, systemCode, writeFileAtomically } from '@credmon/core/base';
import { createFileFlows } from './file-flows.ts';
import { createFileSessions } from './file-sessions.ts';
import {
  cookieKey,
  needingSpace,
  prepareSessionDirectory,
  pruneSessions,
  type SessionLimits,
  makeRoom,
  sessionPath,
} from './session-directory.ts';
import { removeSync } from 'fs-extra/esm';
import type { AnswerStore, FlowLog } from '../flow/ports.ts';
import type { SessionStore } from '@fastify/session';

/**
 * Opens the stores in `directory`, which is made when it is missing.
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

// Answers that wait for a user's decision, as files: sealed texts, one each, gone with
// the decision or after the time of a login.

/**
 * A store of answers in `directory`, for any number of processes; an answer is kept for
 * `limits.answer` seconds.
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

// What every place that sessions can be kept in offers to the server.

/** Sessions, flows and answers in one place, opened together and closed together. */
export interface Stores {
  readonly sessions: SessionStore;
  readonly flows: FlowLog;
  readonly answers: AnswerStore;
  /** Signs session cookies; the same for every replica that shares the place. */
  readonly cookieSecret: string;
  /**
   * Makes sure that something can be written there.
   * @throws CodedError `SESSION_STORE_FULL`; the system's or the network's error
   */
  check(): Promise<void>;
  /** How many are kept. */
  count(): Promise<{ readonly sessions: number; readonly flows: number }>;
  /** Removes what is too old. */
  prune(): Promise<void>;
  close(): Promise<void>;
}
