// The audit log: who got, renewed or lost which token, one JSON object a line, durable. A
// failure is reported and stops nothing.
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  fsync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  statSync,
  type Stats,
} from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { messageOf, systemCode } from '../base/errors/errors.ts';
import { ok, warning, wrong, type Finding } from '../base/text/findings.ts';
import { shellWord } from '../base/text/printable.ts';
import { utcText } from '../base/time/clock.ts';
import { writeAll } from './rotating-file.ts';
import { jsonLine } from './line-format.ts';
import { type LogOptions } from './settings.ts';

/** What has happened to a token. */
export type AuditEvent = 'signed-in' | 'renewed' | 'revoked' | 'removed' | 'issued';

/**
 * An entry, without time and process. Contains no secret. `provider` is the kind of
 * provider, `null` if it is not known. `details`: what else is known of the event.
 */
export interface AuditEntry {
  readonly event: AuditEvent;
  readonly user: string | null;
  readonly service: string;
  readonly handle: string;
  readonly provider: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The audit log. No method throws. */
export interface AuditLog {
  record(entry: AuditEntry): void;
  /** Waits until all entries are on disk, and closes the file. */
  close(): void;
}

/** Mode of a new file: it names users. */
const MODE = 0o640;
/** A link could lead root to any file; a pipe without a reader must not block. */
const NEWLINE = 0x0a;
const FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

/**
 * Creates an audit log. The file is opened at the first entry, and again when it was moved
 * away, as logrotate does. Entries are written at once; fsync follows without blocking.
 * `trouble` gets one text when entries are lost, and one when that ends.
 */
export function createAuditLog(
  { path, subsystem }: NonNullable<LogOptions['audit']>,
  trouble: (text: string) => void,
): AuditLog {
  let descriptor: number | undefined;
  let lost = 0;
  /** The last write ended within a line. */
  let isTorn = false;
  let isSyncing = false;
  let isDirty = false;
  let isClosed = false;

  const close = (): void => {
    const open = descriptor;
    descriptor = undefined;
    if (open === undefined) return;
    try {
      if (isDirty || isSyncing) fsyncSync(open);
      closeSync(open);
    } catch (error) {
      trouble(`cannot sync the audit log ${path} (${why(error)})`);
    }
    isDirty = false;
  };
  const failed = (error: unknown): void => {
    if (lost === 0)
      trouble(
        `cannot write the audit log ${path} (${why(error)}): entries are lost; nothing else stops`,
      );
    lost += 1;
    close();
  };
  const sync = (): void => {
    const open = descriptor;
    if (open === undefined || isSyncing || !isDirty) return;
    [isSyncing, isDirty] = [true, false];
    fsync(open, (error) => {
      isSyncing = false;
      if (error && open === descriptor)
        trouble(`cannot sync the audit log ${path} (${why(error)})`);
      sync();
    });
  };
  process.once('exit', close);

  return {
    record: (entry) => {
      if (isClosed) return;
      try {
        let isReopened = false;
        descriptor = current(path, descriptor, () => {
          isReopened = true;
          close();
        });
        if (isReopened) isTorn = endsInLine(descriptor);
      } catch (error) {
        return failed(error);
      }
      const { details, ...token } = entry;
      const head = { time: utcText(Date.now() / 1000), subsystem, pid: process.pid };
      const line = jsonLine({ ...head, ...token, ...details });
      const error = writeAll(descriptor, isTorn ? `\n${line}` : line);
      isTorn = error !== undefined;
      if (error !== undefined) return failed(error);
      if (lost > 0) trouble(`the audit log ${path} is written again; ${lost} entries are lost`);
      lost = 0;
      isDirty = true;
      return sync();
    },
    close: () => {
      isClosed = true;
      process.removeListener('exit', close);
      close();
    },
  };
}

/** Returns the descriptor of the file that now has this path. */
function current(path: string, open: number | undefined, close: () => void): number {
  if (open !== undefined && isSame(fstatSync(open), statSync(path, { throwIfNoEntry: false })))
    return open;
  close();
  const descriptor = openSync(path, FLAGS, MODE);
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new Error('not a regular file');
}

/** True if the last line has no end: its writer was killed, or the disk was full. */
function endsInLine(descriptor: number): boolean {
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return false;
    const reader = openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY);
    try {
      const last = Buffer.alloc(1);
      return readSync(reader, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
    } finally {
      closeSync(reader);
    }
  } catch {
    // A writer need not be allowed to read.
    return false;
  }
}

const isSame = (a: Stats, b: Stats | undefined): boolean => a.ino === b?.ino && a.dev === b.dev;

const why = (error: unknown): string => systemCode(error) ?? messageOf(error);

/** Whose the file may be, and where it must not be. */
export interface AuditLogRules {
  readonly credentialDirectory: string;
  /** User ids that may own the file besides root. */
  readonly owners: readonly (number | undefined)[];
  /** The line of the configuration that gives this program a file of its own. */
  readonly separate?: string;
}

/** The knob of the portal's own audit log: the portal is another user than the daemon. */
export const PORTAL_AUDIT_KNOB = 'CREDMON_WEB.CREDMON_AUDIT_LOG';

/** The line that gives the portal its own audit log. */
export const PORTAL_AUDIT_LINE: string = `${PORTAL_AUDIT_KNOB} = /var/log/condor/CredmonWebAuditLog`;

/**
 * Checks whether entries can be written to the audit log `path`, and whether other users
 * can read or replace it. Writes nothing.
 */
export function checkAuditLog(
  path: string,
  { credentialDirectory, owners, separate }: AuditLogRules,
): readonly Finding[] {
  const what = 'audit log';
  const directory = dirname(path);
  const lost = (why: string, fix: string): readonly Finding[] => [
    wrong(what, `${why}, and entries are lost; fix: ${fix}`),
  ];
  if (`${resolve(path)}${sep}`.startsWith(`${resolve(credentialDirectory)}${sep}`))
    return [
      wrong(
        what,
        `${path} is in the credential directory, which is for tokens only; ` +
          'fix: CREDMON_AUDIT_LOG = /var/log/condor/CredmonAuditLog',
      ),
    ];
  const folder = statSync(directory, { throwIfNoEntry: false });
  if (folder === undefined)
    return lost(
      `its directory ${directory} is missing`,
      `install -d -o condor -g condor -m 755 ${shellWord(directory)}`,
    );
  // The sticky bit keeps users from replacing a file of another user.
  if ((folder.mode & 0o1002) === 0o002)
    return [
      wrong(
        what,
        `other users can replace it: ${directory} can be written by everybody; ` +
          `fix: chmod o-w ${shellWord(directory)}`,
      ),
    ];
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (file?.isSymbolicLink() === true)
    return lost(`${path} is a symbolic link, which is not followed`, 'name the file itself');
  if (file?.isDirectory() === true) return lost(`${path} is a directory`, 'name a file in it');
  const denied = deniedWrite(file === undefined ? directory : path);
  if (denied !== undefined)
    return lost(
      `this process cannot write ${path} (${denied})`,
      separate ?? 'correct its owner and mode',
    );
  if (file === undefined) return [ok(what, `will go to ${path}`)];
  const word = shellWord(path);
  const odd = [
    ...((file.mode & 0o027) === 0
      ? []
      : [`${path} can be read by others or written by its group; fix: chmod 640 ${word}`]),
    ...([0, ...owners].includes(file.uid)
      ? []
      : [`${path} belongs to user id ${file.uid}; fix: chown root ${word}`]),
  ];
  return [ok(what, `goes to ${path}`), ...odd.map((text) => warning(what, text))];
}

function deniedWrite(path: string): string | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}
