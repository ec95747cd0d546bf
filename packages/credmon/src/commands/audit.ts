// The audit lines of commands: who asked for what, in the daemon's log or in syslog.
import { isCoded } from '@credmon/core/base';
import { type LogOptions, type Logger, openLog } from '@credmon/core/log';
import { spawnSync } from 'node:child_process';

/** Milliseconds for one line to syslog: a blocked logger must not stop a revocation. */
const SYSLOG_TIMEOUT = 5000;

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
    const isLogged =
      spawnSync('logger', line, { stdio: 'ignore', timeout: SYSLOG_TIMEOUT }).status === 0;
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
