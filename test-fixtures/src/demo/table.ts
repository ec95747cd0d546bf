// The table of the demo: the observed tokens, in at most 80 columns.
import type { Sighting } from './observer.ts';

const COLUMNS = [
  ['OWNER', 12],
  ['SERVICE', 20],
  ['STATE', 16],
  ['SECONDS LEFT', 12],
  ['RENEWALS', 8],
] as const;

/** How long a renewal is highlighted, in seconds. */
const FRESH_SECONDS = 3;

/** Returns the table as lines; `now` is in epoch seconds. */
export function tableLines(sightings: readonly Sighting[], now: number): string[] {
  const rows = sightings.map((sighting) => [
    sighting.token.owner,
    sighting.token.service,
    stateOf(sighting, now),
    sighting.there ? String(Math.max(0, Math.floor(sighting.left))) : '-',
    sighting.there ? String(sighting.renewals) : '-',
  ]);
  return [COLUMNS.map(([title]) => title as string), ...rows].map((row) =>
    row
      .map((cell, column) => fit(cell, COLUMNS[column]?.[1] ?? 8))
      .join('  ')
      .trimEnd(),
  );
}

function stateOf({ there, left, renewals, renewedAt }: Sighting, now: number): string {
  if (!there) return 'waiting for you';
  if (left <= 0) return 'EXPIRED';
  return renewals > 0 && now - renewedAt < FRESH_SECONDS ? 'just renewed' : 'valid';
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}~` : text.padEnd(width);
}
