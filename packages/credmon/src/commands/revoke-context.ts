// What revoking uses of the context: the files of one user, and the audit trail.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { classifyUserEntry, tokenFileName, type TokenFileKind } from '@credmon/core/credential';
import { inUserDirectory, readCredentialFile, type CredentialStore } from '@credmon/core/store';
import { isCoded, systemCode, isAlive } from '@credmon/core/base';
import { openLog, type LogOptions } from '@credmon/core/log';
import type { RevocationFiles, TokenName } from '../revocation/files.ts';

/** The credential directory `root`. */
export function revocationFiles(root: string, store: CredentialStore): RevocationFiles {
  const entries = ({ user }: TokenName): readonly string[] =>
    inHome(root, user, (home) => readdirSync(home)) ?? [];
  return {
    store,
    readUse: ({ user, stem }) => {
      const name = tokenFileName(stem, 'use');
      const reading = inHome(root, user, (home) => readCredentialFile(join(home, name)));
      return reading?.kind === 'text' ? reading.text : undefined;
    },
    present: (token) =>
      entries(token).flatMap((name): readonly TokenFileKind[] => {
        const entry = classifyUserEntry(name);
        const ours =
          entry.kind !== 'temporary' && entry.kind !== 'other' && entry.stem === token.stem;
        return ours ? [entry.kind] : [];
      }),
    beingWritten: (token) =>
      entries(token).some((name) => {
        const entry = classifyUserEntry(name);
        if (entry.kind !== 'temporary') return false;
        const target = classifyUserEntry(entry.target);
        return 'stem' in target && target.stem === token.stem && isAlive(entry.pid);
      }),
  };
}

/** What `act` finds in a user's directory; nothing when that cannot be opened. */
function inHome<T>(root: string, user: string, act: (home: string) => T): T | undefined {
  try {
    return inUserDirectory(root, user, act);
  } catch (error) {
    if (systemCode(error) === undefined && !isCoded(error)) throw error;
    // Swept meanwhile, or closed to us: removing a file there says so.
    return undefined;
  }
}

/** Who asks, for the audit trail. */
export function asker(): string {
  const uid = process.getuid?.();
  return uid === undefined ? 'somebody' : `user id ${uid}`;
}

/**
 * Writes audit lines into the daemon's log; where that cannot be opened, to syslog; where
 * there is neither, `complain` learns of it. The file is never rotated from here: the
 * daemon has it open.
 */
export async function openAudit(
  options: LogOptions,
  complain: (text: string) => void,
): Promise<(text: string) => void> {
  try {
    if (options.path !== undefined) {
      const log = await openLog({
        ...options,
        stderr: false,
        maxBytes: 0,
        maxSeconds: 0,
        truncate: false,
      });
      return (text) => log.warn(`Audit: ${text}`);
    }
  } catch (error) {
    if (!isCoded(error, 'LOG_UNWRITABLE')) throw error;
    complain(`${error.message}; the audit lines go to syslog`);
  }
  return (text) => {
    const line = ['-t', 'condor_credmon', '-p', 'auth.notice', '--', `Audit: ${text}`];
    if (spawnSync('logger', line, { stdio: 'ignore' }).status !== 0)
      complain(`there is neither a log file nor syslog for this audit line: ${text}`);
  };
}
