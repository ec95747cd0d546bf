// What a look at the configuration leads to while the daemon runs: taken over, unchanged,
// or refused; each change is logged once.
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import type { Settings } from '../settings/read.ts';

/**
 * Reads the configuration again and takes it over when it differs from `current`; one
 * that is broken or cannot be used is refused.
 */
export type Reload = (current: Settings) => void;

/**
 * A {@link Reload} that reads with `read` and then calls `takeOver`. Both throw what is
 * wrong; `takeOver` has then changed nothing. What needs a restart stays as it is, and
 * the log says so.
 */
export function createReload(
  read: () => Settings,
  takeOver: (next: Settings) => void,
  log: Log,
): Reload {
  let refused: string | undefined;
  let said: readonly string[] = [];
  return (current) => {
    try {
      const { next, restart } = keepFixed(read(), current);
      const same = isDeepStrictEqual(next, current);
      if (!same) takeOver(next);
      if (same && refused !== undefined)
        log.info('The configuration is valid again, and as it was');
      refused = undefined;
      for (const text of restart) if (!said.includes(text)) log.warn(text);
      said = restart;
    } catch (error) {
      const why = messageOf(error);
      if (why !== refused)
        log.error(`The new configuration is refused and the old one stays: ${why}`);
      refused = why;
    }
  };
}

/**
 * The settings that a running daemon cannot change: those of `current`, with a line for
 * each that differs in `read`.
 */
function keepFixed(
  read: Settings,
  current: Settings,
): { readonly next: Settings; readonly restart: readonly string[] } {
  const { credDir, condorIds } = current;
  const restart = [
    ...(read.credDir === credDir
      ? []
      : [
          `A changed credential directory (${read.credDir}) needs a restart; still using the old one`,
        ]),
    ...(isDeepStrictEqual(read.condorIds, condorIds)
      ? []
      : ['A changed CONDOR_IDS needs a restart; still using the old one']),
  ];
  return { next: restart.length === 0 ? read : { ...read, credDir, condorIds }, restart };
}
