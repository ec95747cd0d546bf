// Stores sessions, flows and answers in the directory CREDMON_WEB_SESSION_DIR.
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
