// Sessions and flows in the directory CREDMON_WEB_SESSION_DIR.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryName, type Clock } from '@credmon/core/base';
import { createFileAnswers } from './file-answers.ts';
import { createFileFlows } from './file-flows.ts';
import { createFileSessions } from './file-sessions.ts';
import {
  cookieKey,
  needingSpace,
  prepareSessionDirectory,
  pruneSessions,
  type SessionLimits,
} from './session-directory.ts';
import type { Stores } from './stores.ts';

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
