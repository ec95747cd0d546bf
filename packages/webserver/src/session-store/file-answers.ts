// Answers that wait for a user's decision, as files: sealed texts, one each, gone with
// the decision or after the time of a login.
import { readFileSync, statSync, utimesSync } from 'node:fs';
import { removeSync } from 'fs-extra/esm';
import { systemCode, writeFileAtomically, type Clock } from '@credmon/core/base';
import type { AnswerStore } from '../flow/ports.ts';
import { makeRoom, needingSpace, sessionPath, type SessionLimits } from './session-directory.ts';

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
