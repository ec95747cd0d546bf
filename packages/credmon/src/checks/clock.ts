// Our clock against those of the servers that were asked: tokens of a clock that is far
// off are refused, or look expired.
import { ok, warning, type Finding } from './finding.ts';

/**
 * Clocks further apart than this, in seconds, make issuers refuse or tokens look expired.
 */
const TOLERANCE = 30;

/**
 * What a server's answer said of the time (epoch seconds; NaN when it said nothing) and
 * when it came, by our clock.
 */
export interface ClockReading {
  readonly origin: string;
  readonly theirs: number;
  readonly ours: number;
}

/**
 * One finding for each server whose clock is far from ours, or one that all is well;
 * nothing when no server told the time.
 */
export function judgeClocks(readings: readonly ClockReading[]): Finding[] {
  const known = readings.filter(({ theirs }) => !Number.isNaN(theirs));
  const worst = new Map<string, number>();
  for (const { origin, theirs, ours } of known) {
    const apart = Math.round(ours - theirs);
    if (Math.abs(apart) >= Math.abs(worst.get(origin) ?? 0)) worst.set(origin, apart);
  }
  const far = [...worst].filter(([, apart]) => Math.abs(apart) > TOLERANCE);
  if (far.length > 0)
    return far.map(([origin, apart]) =>
      warning('clock', `is ${Math.abs(apart)} s ${apart > 0 ? 'ahead of' : 'behind'} ${origin}`),
    );
  return worst.size === 0 ? [] : [ok('clock', `agrees with ${[...worst.keys()].join(', ')}`)];
}
