// What users may read of the closed credential directory, as text: the rows of one user,
// and the daemon's heartbeat. Pure.
import { durationText, isRecord } from '@credmon/core/base';
import type { StatusRow } from './rows.ts';

/**
 * The tokens of one user as the daemon last saw them. `written_at` in epoch seconds; the
 * daemon looks for changes every `every` seconds at the latest.
 */
export interface UserStatus {
  readonly directory: string;
  readonly written_at: number;
  readonly every: number;
  readonly tokens: readonly StatusRow[];
}

/**
 * The daemon's sign of life, for everyone. `checked_at`: the end of its last pass, in
 * epoch seconds. `pid_namespace` tells whether `daemon`, its process id, means the same
 * process to a reader.
 */
export interface Heartbeat {
  readonly directory: string;
  readonly daemon: number;
  readonly pid_namespace: string;
  readonly checked_at: number;
  readonly every: number;
}

/** Returns the text of a file with this content. */
export function fileText(content: UserStatus | Heartbeat): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Parses a status file; `undefined` for anything that the daemon does not write. */
export function parseUserStatus(text: string): UserStatus | undefined {
  const value = parseObjectText(text);
  const isStatus =
    value !== undefined &&
    typeof value['directory'] === 'string' &&
    isTime(value['written_at']) &&
    isTime(value['every']) &&
    Array.isArray(value['tokens']) &&
    value['tokens'].every(isRow);
  return isStatus ? (value as unknown as UserStatus) : undefined;
}

/** Parses a heartbeat; `undefined` for anything that the daemon does not write. */
export function parseHeartbeat(text: string): Heartbeat | undefined {
  const value = parseObjectText(text);
  const isHeartbeat =
    value !== undefined &&
    typeof value['directory'] === 'string' &&
    Number.isSafeInteger(value['daemon']) &&
    typeof value['pid_namespace'] === 'string' &&
    isTime(value['checked_at']) &&
    isTime(value['every']);
  return isHeartbeat ? (value as unknown as Heartbeat) : undefined;
}

function parseObjectText(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isTime = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

/** For each member of a row, whether a value may be there. */
const ROW: Readonly<Record<keyof StatusRow, (value: unknown) => boolean>> = {
  user: isText,
  service: isText,
  handle: isText,
  provider: (value) => value === null || isText(value),
  why: (value) => value === null || isText(value),
  state: isText,
  expired: (value) => typeof value === 'boolean',
  expires_at: (value) => value === null || isTime(value),
  next_renewal: (value) => value === null || isTime(value),
  attempts: isTime,
  last_error: (value) =>
    value === null ||
    (isRecord(value) && isText(value['code']) && isText(value['message']) && isTime(value['at'])),
};

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isRow(value: unknown): boolean {
  return isRecord(value) && Object.entries(ROW).every(([name, fits]) => fits(value[name]));
}

/**
 * Returns the rows as they are at `now` (epoch seconds): since they were written, a token
 * may have expired or become due.
 */
export function rowsAt(rows: readonly StatusRow[], now: number): StatusRow[] {
  return rows.map((row) => {
    const isOver = row.provider !== null && row.expires_at !== null && row.expires_at <= now;
    const isDue =
      (row.state === 'fresh' || row.state === 'waiting') &&
      row.next_renewal !== null &&
      row.next_renewal <= now;
    return { ...row, expired: row.expired || isOver, state: isDue ? 'due' : row.state };
  });
}

/** The daemon misses this many checks before it counts as not running. */
const MISSED = 3;

/**
 * Returns why the daemon seems not to run at `now` (epoch seconds); `undefined` if it
 * runs. `alive` is whether its process exists, `undefined` if that cannot be seen.
 */
export function whyNotRunning(
  heartbeat: Heartbeat | undefined,
  { now, alive }: { readonly now: number; readonly alive: boolean | undefined },
): string | undefined {
  if (!heartbeat) return 'no condor_credmon is running here';
  const { daemon, checked_at: checkedAt, every } = heartbeat;
  if (alive === false) return `condor_credmon (process ${daemon}) is not running any more`;
  const age = now - checkedAt;
  if (age <= MISSED * every) return undefined;
  return (
    'condor_credmon seems not to run: ' +
    `it last checked the tokens ${durationText(age)} ago, and should every ${durationText(every)}`
  );
}
