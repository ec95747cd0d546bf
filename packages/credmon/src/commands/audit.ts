// What commands have done and who asked: lines in the daemon's log or in syslog, and entries
// in the audit log.
import { isCoded } from '@credmon/core/base';
import {
  type AuditEntry,
  type LogOptions,
  type Logger,
  createAuditLog,
  openLog,
} from '@credmon/core/log';
import { spawnSync } from 'node:child_process';

/** Milliseconds for one line to syslog: a blocked logger must not stop a revocation. */
const SYSLOG_TIMEOUT = 5000;

/** Prints a text. */
type Print = (text: string) => void;

/**
 * Returns the same output, but a text that cannot be printed (a full disk) stops nothing that
 * has begun: `end` throws the first of these errors.
 */
export function deferErrors({
  stdout,
  stderr,
}: {
  readonly stdout: Print;
  readonly stderr: Print;
}): {
  readonly stdout: Print;
  readonly stderr: Print;
  readonly end: () => void;
} {
  const errors: unknown[] = [];
  const trying =
    (print: Print): Print =>
    (text) => {
      try {
        print(text);
      } catch (error) {
        errors.push(error);
      }
    };
  return {
    stdout: trying(stdout),
    stderr: trying(stderr),
    end: () => {
      if (errors.length > 0) throw errors[0];
    },
  };
}

/** Returns the user id for the audit log. */
export function requester(): string {
  const uid = process.getuid?.();
  return uid === undefined ? 'unknown user' : `user id ${uid}`;
}

/** Where commands write what they have done. */
export interface Audit {
  /** Writes a line into the daemon's log or syslog. Returns whether it is there. */
  line(this: void, text: string): boolean;
  /** Writes an entry into the audit log, if there is one. */
  record(entry: AuditEntry | undefined): void;
  /** Waits until the entries are on disk. */
  close(): void;
}

/**
 * Opens the daemon's log, or syslog if that cannot be opened, and the audit log; if both
 * of the former fail, `warn` gets the line. The file is never rotated here: the daemon has
 * it open.
 */
export async function openAudit(options: LogOptions, warn: (text: string) => void): Promise<Audit> {
  const log = await openForAudit(options, warn);
  const entries = options.audit && createAuditLog(options.audit, warn);
  return {
    line: (text) => {
      if (log?.audit(text) === true) return true;
      const line = ['-t', 'condor_credmon', '-p', 'auth.notice', '--', `Audit: ${text}`];
      const isLogged =
        spawnSync('logger', line, { stdio: 'ignore', timeout: SYSLOG_TIMEOUT }).status === 0;
      if (!isLogged)
        warn(`neither the log file nor syslog is available for this audit line: ${text}`);
      return isLogged;
    },
    record: (entry) => {
      if (entry) entries?.record(entry);
    },
    close: () => {
      entries?.close();
      log?.close();
    },
  };
}

async function openForAudit(
  options: LogOptions,
  warn: (text: string) => void,
): Promise<Logger | undefined> {
  if (options.path === undefined) return undefined;
  try {
    const fixed = { stderr: false, maxBytes: 0, maxSeconds: 0, truncate: false, audit: undefined };
    return await openLog({ ...options, ...fixed });
  } catch (error) {
    if (!isCoded(error, 'LOG_UNWRITABLE')) throw error;
    warn(`${error.message}; audit lines are written to syslog`);
    return undefined;
  }
}
