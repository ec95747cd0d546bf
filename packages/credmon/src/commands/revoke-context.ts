// The ports of revocation: the files of one user, and the audit log.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { classifyUserEntry, tokenFileName, type TokenFileKind } from '@credmon/core/credential';
import { inUserDirectory, readCredentialFile, type CredentialStore } from '@credmon/core/store';
import { isCoded, systemCode, isAlive } from '@credmon/core/base';
import { openLog, type Logger, type LogOptions } from '@credmon/core/log';
import type { RevocationFiles, TokenName } from '../revocation/files.ts';

/** Returns the files of the credential directory `root`. */
export function revocationFiles(root: string, store: CredentialStore): RevocationFiles {
  const entries = ({ user }: TokenName): readonly string[] =>
    inUserFiles(root, user, (home) => readdirSync(home)) ?? [];
  return {
    store,
    readUse: ({ user, stem }) => {
      const name = tokenFileName(stem, 'use');
      const reading = inUserFiles(root, user, (home) => readCredentialFile(join(home, name)));
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

/** Runs `act` in a user's directory; `undefined` when it cannot be opened. */
function inUserFiles<T>(root: string, user: string, act: (home: string) => T): T | undefined {
  try {
    return inUserDirectory(root, user, act);
  } catch (error) {
    if (systemCode(error) === undefined && !isCoded(error)) throw error;
    // Swept meanwhile, or not accessible: the removal of a file there reports it.
    return undefined;
  }
}

/** Returns the user id for the audit log. */
export function requester(): string {
  const uid = process.getuid?.();
  return uid === undefined ? 'unknown user' : `user id ${uid}`;
}

/**
 * Opens the audit log: the daemon's log, or syslog if that cannot be opened; if both
 * fail, `warn` gets the line. The file is never rotated here: the daemon has it open. The
 * function returns whether the line was logged.
 */
export async function openAudit(
  options: LogOptions,
  warn: (text: string) => void,
): Promise<(text: string) => boolean> {
  const log = await openForAudit(options, warn);
  return (text) => {
    if (log?.audit(text) === true) return true;
    const line = ['-t', 'condor_credmon', '-p', 'auth.notice', '--', `Audit: ${text}`];
    const isLogged = spawnSync('logger', line, { stdio: 'ignore' }).status === 0;
    if (!isLogged)
      warn(`neither the log file nor syslog is available for this audit line: ${text}`);
    return isLogged;
  };
}

async function openForAudit(
  options: LogOptions,
  warn: (text: string) => void,
): Promise<Logger | undefined> {
  if (options.path === undefined) return undefined;
  try {
    const fixed = { stderr: false, maxBytes: 0, maxSeconds: 0, truncate: false };
    return await openLog({ ...options, ...fixed });
  } catch (error) {
    if (!isCoded(error, 'LOG_UNWRITABLE')) throw error;
    warn(`${error.message}; audit lines are written to syslog`);
    return undefined;
  }
}
