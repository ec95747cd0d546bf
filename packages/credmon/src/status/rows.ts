// The tokens of `condor_credmon status`: which rows are shown and in which order, as a
// table that fits a terminal, or as JSON. Pure.
import type { SelectedState, Selection, SortKey } from '../command-line/command.ts';
import { STANDING } from '../providers/standing/ports.ts';
import { ERROR_CODES, type ErrorCode, durationText, tableText } from '@credmon/core/base';
import { type Instant, type TokenSnapshot, splitStem, stemOf } from '@credmon/core/credential';
import {
  ANY_BASIS,
  type TokenState,
  type Verdict,
  isNeverDue,
  localNow,
} from '@credmon/core/renewal';

/**
 * One token. Times in whole epoch seconds; `unmanaged` tokens have no provider of ours.
 */
export interface StatusRow {
  readonly user: string;
  readonly service: string;
  readonly handle: string;
  /** The kind of provider that renews it; if `null`, `why` gives the reason. */
  readonly provider: string | null;
  readonly why: string | null;
  readonly state: TokenState | 'unmanaged';
  readonly expired: boolean;
  /** `null` without a valid `.use`, and if the token does not expire. */
  readonly expires_at: number | null;
  readonly next_renewal: number | null;
  readonly attempts: number;
  readonly last_error: {
    readonly code: string;
    readonly message: string;
    readonly at: number;
  } | null;
}

/**
 * Returns the row of a token, with its verdict if a provider owns it, otherwise with the
 * reason.
 */
export function statusRow(
  token: TokenSnapshot,
  verdict: Verdict | undefined,
  now: Instant,
  why?: string,
): StatusRow {
  const name = splitStem(token.stem, false) ?? { service: token.stem, handle: '' };
  const expiresAt = token.use.kind === 'valid' ? Math.floor(token.use.value.expiresAt) : 0;
  const dueIn = verdict?.dueIn ?? Number.POSITIVE_INFINITY;
  return {
    user: token.user,
    ...name,
    provider: verdict?.managed.provider ?? null,
    why: verdict ? null : (why ?? null),
    state: verdict?.state ?? 'unmanaged',
    expired: verdict !== undefined && expiresAt <= localNow(token, now),
    expires_at: token.use.kind === 'valid' && Number.isFinite(expiresAt) ? expiresAt : null,
    next_renewal: Number.isFinite(dueIn)
      ? Math.ceil(now.wall + dueIn)
      : dueIn < 0
        ? Math.ceil(now.wall)
        : null,
    attempts: token.renewal?.attempts ?? 0,
    last_error: lastError(token, verdict),
  };
}

function lastError(token: TokenSnapshot, verdict: Verdict | undefined): StatusRow['last_error'] {
  const managed = verdict?.managed;
  if (verdict && managed?.renewable.ok === false && !isNeverDue(verdict))
    return { code: unrenewableCode(token), message: managed.renewable.reason, at: 0 };
  const { renewal } = token;
  const counts =
    renewal !== undefined &&
    (managed === undefined || renewal.basis === ANY_BASIS || managed.basis() === renewal.basis);
  return counts ? { code: renewal.code, message: renewal.message, at: renewal.last_attempt } : null;
}

/** A login without a refresh token is no fault of its files. */
function unrenewableCode({ top }: TokenSnapshot): ErrorCode {
  return top.kind === 'valid' && top.value.refreshToken === 'empty'
    ? 'REFRESH_TOKEN_MISSING'
    : 'CRED_FILE_INVALID';
}

/** True when the token needs attention: it is expired, or will not be retried. */
export function needsAttention({ state, expired }: Pick<StatusRow, 'state' | 'expired'>): boolean {
  return expired || state === 'stopped';
}

/**
 * True when the stored failure of a managed token is one that only the administrator can
 * correct, even if it is retried.
 */
export function needsAdministrator({ provider, last_error: error }: StatusRow): boolean {
  if (provider === null || error === null || !Object.hasOwn(ERROR_CODES, error.code)) return false;
  const { actor, intended = false } = ERROR_CODES[error.code as ErrorCode];
  return actor === 'administrator' && !intended;
}

const HEADINGS = ['OWNER', 'SERVICE', 'PROVIDER', 'STATE', 'EXPIRES', 'NEXT', 'ERROR'];
/**
 * Columns of names, which are shortened on a narrow terminal.
 */
const NAMES = [0, 1, 2];

/**
 * Returns the table. With `width`, a terminal's columns, long names are cut with `~`;
 * without it nothing is cut, so that programs can read it.
 */
export function statusTable(rows: readonly StatusRow[], now: number, width?: number): string {
  const table = [HEADINGS, ...rows.map((row) => cellsOf(row, now))];
  return tableText(table, { width, narrow: NAMES });
}

function cellsOf(row: StatusRow, now: number): string[] {
  return [
    row.user,
    nameOf(row),
    row.provider === null || row.user === STANDING
      ? (row.provider ?? '-')
      : `${row.service} (${row.provider})`,
    row.expired ? 'EXPIRED' : row.state,
    expiryText(row, now),
    row.next_renewal === null ? 'never' : timeText(row.next_renewal - now),
    row.last_error?.code ?? '',
  ];
}

/** A token in use without a time of expiry does not expire. */
function expiryText({ expires_at: at, expired, provider }: StatusRow, now: number): string {
  if (at !== null) return timeText(at - now);
  return expired || provider === null ? '-' : 'never';
}

/** Returns the name of a token as commands take it: `mytok`, or `mytok_h1`. */
export function nameOf({ service, handle }: Pick<StatusRow, 'service' | 'handle'>): string {
  return stemOf(service, handle);
}

/** Returns a duration, or `now` for 0 or less. */
function timeText(seconds: number): string {
  return Math.floor(seconds) <= 0 ? 'now' : durationText(seconds);
}

/** Returns the selected rows at `now` (epoch seconds), sorted. */
export function selectRows(
  rows: readonly StatusRow[],
  selection: Selection,
  now: number,
): StatusRow[] {
  const { states, provider, expiringWithin, sort } = selection;
  const selected = rows.filter(
    (row) =>
      (states.length === 0 || states.some((state) => hasState(row, state))) &&
      (provider === undefined || isOf(row, provider)) &&
      (expiringWithin === undefined || endsWithin(row, now + expiringWithin)),
  );
  if (sort === undefined) return selected;
  const key = KEYS[sort];
  // Rows of one key keep their order: by owner and name.
  return selected.sort((a, b) => compare(key(a), key(b)));
}

/** True if the selection shows everything. */
export function isEverything({ states, provider, expiringWithin }: Selection): boolean {
  return states.length === 0 && provider === undefined && expiringWithin === undefined;
}

const hasState = (row: StatusRow, state: SelectedState): boolean =>
  state === 'expired' ? row.expired : row.state === state;

/** Names of providers are compared as HTCondor compares knobs: without case. */
function isOf({ service, provider }: StatusRow, wanted: string): boolean {
  const name = wanted.toLowerCase();
  return service.toLowerCase() === name || provider?.toLowerCase() === name;
}

const endsWithin = ({ expired, expires_at: at }: StatusRow, limit: number): boolean =>
  expired || (at !== null && at <= limit);

const KEYS: Readonly<Record<SortKey, (row: StatusRow) => string | number>> = {
  owner: ({ user }) => user,
  service: nameOf,
  provider: ({ provider, service }) => `${provider === null ? 1 : 0} ${service} ${provider ?? ''}`,
  // The most urgent first.
  state: ({ state, expired }) => (expired ? -1 : URGENCY.indexOf(state)),
  // A token without a time of expiry may be missing: it comes first if it is unusable.
  expires: ({ expires_at: at, expired }) =>
    at ?? (expired ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY),
  next: ({ next_renewal: at }) => at ?? Number.POSITIVE_INFINITY,
};

const URGENCY: readonly StatusRow['state'][] = [
  'stopped',
  'waiting',
  'due',
  'unrenewable',
  'fresh',
  'unmanaged',
];

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
