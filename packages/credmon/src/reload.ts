// What a look at the configuration comes to while the daemon runs: taken over, unchanged, or refused; each change is said once.
import { messageOf } from '@credmon/core';
import type { Log } from '@credmon/core/log';
import type { Settings } from './settings.ts';

/** Reads the configuration again and takes it over when it differs from `current`; one that is broken or cannot be used is refused. */
export type Reload = (current: Settings) => void;

/**
 * A {@link Reload} that reads with `read` and then calls `takeOver`. Both throw what is wrong; `takeOver` has then changed nothing.
 */
export function createReload(read: () => Settings, takeOver: (next: Settings) => void, log: Log): Reload {
  let refused: string | undefined;
  return (current) => {
    try {
      const next = read();
      const same = fingerprint(next) === fingerprint(current);
      if (!same) takeOver(next);
      if (same && refused !== undefined) log.info('The configuration is valid again, and as it was');
      refused = undefined;
    } catch (error) {
      const why = messageOf(error);
      if (why !== refused) log.error(`The new configuration is refused and the old one stays: ${why}`);
      refused = why;
    }
  };
}

/** Equal texts mean equal settings. */
function fingerprint(settings: Settings): string {
  return JSON.stringify({ ...settings, clients: [...settings.clients] });
}
