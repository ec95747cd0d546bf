// Compares our clock with the clocks of the servers: with a large difference, tokens are
// rejected or look expired.
import { ok, warning, type Finding } from '@credmon/core/base';

/**
 * Maximum difference of clocks in seconds, before issuers reject requests or tokens look
 * expired.
 */
const TOLERANCE = 30;

/**
 * The time in a server's answer (epoch seconds; NaN if missing) and when it arrived, by
 * our clock.
 */
export interface ClockReading {
  readonly origin: string;
  readonly theirs: number;
  readonly ours: number;
}

/**
 * Returns one finding for each server whose clock differs too much, or one if all agree;
 * none without a known server time.
 */
export function checkClocks(readings: readonly ClockReading[]): Finding[] {
  const known = readings.filter(({ theirs }) => !Number.isNaN(theirs));
  const worst = new Map<string, number>();
  for (const { origin, theirs, ours } of known) {
    const apart = Math.round(ours - theirs);
    if (Math.abs(apart) >= Math.abs(worst.get(origin) ?? 0)) worst.set(origin, apart);
  }
  const far = [...worst].filter(([, apart]) => Math.abs(apart) > TOLERANCE);
  if (far.length > 0)
    return far.map(([origin, apart]) =>
      warning(
        'clock',
        `the clock of this host is ${Math.abs(apart)} s ${apart > 0 ? 'ahead of' : 'behind'} ${origin}; ` +
          'fix: synchronize it, for example with chronyd',
      ),
    );
  return worst.size === 0 ? [] : [ok('clock', `agrees with ${[...worst.keys()].join(', ')}`)];
}
