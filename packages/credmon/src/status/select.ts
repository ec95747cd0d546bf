// Which rows of the status are shown, and in which order. Pure.
import type { SelectedState, Selection, SortKey } from '../command-line/command.ts';
import { type StatusRow, nameOf } from './rows.ts';

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
