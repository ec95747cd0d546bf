// `condor_credmon status`: what stands in the credential directory, as rows, as a table of 80 columns, or as JSON. Pure.
import {
  ANY_BASIS,
  localNow,
  splitStem,
  type Instant,
  type ManagedToken,
  type TokenSnapshot,
  type TokenState,
  type Verdict,
} from '@credmon/core';

/** One token. Times in epoch seconds, whole; `unmanaged` tokens belong to no provider of ours. */
export interface StatusRow {
  readonly user: string;
  readonly service: string;
  readonly handle: string;
  readonly provider: string | null;
  readonly state: TokenState | 'unmanaged';
  readonly expired: boolean;
  readonly expires_at: number | null;
  readonly next_renewal: number | null;
  readonly attempts: number;
  readonly last_error: { readonly code: string; readonly message: string; readonly at: number } | null;
}

/** The row of a token, with its verdict when a provider of ours owns it. */
export function statusRow(token: TokenSnapshot, verdict: Verdict | undefined, now: Instant): StatusRow {
  const name = splitStem(token.stem, false) ?? { service: token.stem, handle: '' };
  const expiresAt = token.use.kind === 'valid' ? Math.floor(token.use.value.expiresAt) : null;
  const dueIn = verdict?.dueIn ?? Number.POSITIVE_INFINITY;
  return {
    user: token.user,
    ...name,
    provider: verdict?.token.provider ?? null,
    state: verdict?.state ?? 'unmanaged',
    expired: verdict !== undefined && (expiresAt === null || expiresAt <= localNow(token, now)),
    expires_at: expiresAt,
    next_renewal: Number.isFinite(dueIn)
      ? Math.ceil(now.wall + dueIn)
      : dueIn < 0
        ? Math.ceil(now.wall)
        : null,
    attempts: token.renewal?.attempts ?? 0,
    last_error: lastError(token, verdict?.token),
  };
}

function lastError(token: TokenSnapshot, managed: ManagedToken | undefined): StatusRow['last_error'] {
  if (managed && !managed.renewable.ok)
    return { code: 'CRED_FILE_INVALID', message: managed.renewable.reason, at: 0 };
  const { renewal } = token;
  const counts =
    renewal !== undefined &&
    (managed === undefined || renewal.basis === ANY_BASIS || managed.basis() === renewal.basis);
  return counts ? { code: renewal.code, message: renewal.message, at: renewal.last_attempt } : null;
}

/** True when a person should look at this token: it is expired, or nothing will be tried any more. */
export function needsAttention({ state, expired }: StatusRow): boolean {
  return expired || state === 'stopped';
}

const HEADINGS = ['OWNER', 'SERVICE', 'PROVIDER', 'STATE', 'EXPIRES', 'NEXT', 'ERROR'];
const WIDTH = 80;

/** The table, fitted to 80 columns; the names of long tokens are cut with `~`, the JSON output has them whole. */
export function statusTable(rows: readonly StatusRow[], now: number): string {
  const cells = rows.map((row) => [
    row.user,
    row.handle === '' ? row.service : `${row.service}_${row.handle}`,
    row.provider ?? '-',
    row.expired ? 'EXPIRED' : row.state,
    row.expires_at === null ? '-' : duration(row.expires_at - now),
    row.next_renewal === null ? 'never' : duration(row.next_renewal - now),
    row.last_error?.code ?? '',
  ]);
  const limits = [12, 20, 8, 11, 8, 8, WIDTH];
  const table = [HEADINGS, ...cells].map((line) =>
    line.map((cell, column) => cut(cell, limits[column] ?? WIDTH)),
  );
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  return table
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' '))
    .map((line) => cut(line.trimEnd(), WIDTH))
    .join('\n');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}~`;
}

/** Seconds as people read them: `45s`, `12m`, `5h03m`, `2d04h`; nothing left is `now`. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole <= 0) return 'now';
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${pad(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${pad(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86_400)}d${pad(Math.floor((whole % 86_400) / 3600))}h`;
}

const pad = (value: number): string => String(value).padStart(2, '0');
