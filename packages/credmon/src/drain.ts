// How long the end of the daemon waits for renewals under way.
import { largest } from '@credmon/core/base';
import type { Settings } from './settings.ts';

/** A renewal asks an issuer for metadata (at two places), keys and at last the token. */
const EXCHANGES = 4;
/** Seconds for what comes after the answer. */
const MARGIN = 5;

/** Seconds after which no renewal can be under way any more: each exchange and each token program ends by its own time-out. */
export function drainSeconds(settings: Pick<Settings, 'limits' | 'tokenPrograms'>): number {
  const programs = settings.tokenPrograms.map(({ seconds }) => seconds);
  return largest(programs, EXCHANGES * settings.limits.totalSeconds) + MARGIN;
}
