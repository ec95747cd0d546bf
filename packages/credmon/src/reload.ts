// What a look at the configuration comes to while the daemon runs: taken over, unchanged, or refused; each change is said once.
import { messageOf } from '@credmon/core';
import type { Log } from '@credmon/core/log';
import type { Settings } from './settings.ts';

/** Reads the configuration again; the new settings when they differ from `current`, else nothing: a broken one is refused. */
export type Reload = (current: Settings) => Settings | undefined;

/** A {@link Reload} that reads with `read`, which throws what is wrong. */
export function createReload(read: () => Settings, log: Log): Reload {
  let refused: string | undefined;
  return (current) => {
    let next: Settings;
    try {
      next = read();
    } catch (error) {
      const why = messageOf(error);
      if (why !== refused) log.error(`The new configuration is refused and the old one stays: ${why}`);
      refused = why;
      return undefined;
    }
    const same = fingerprint(next) === fingerprint(current);
    if (same && refused !== undefined) log.info('The configuration is valid again, and as it was');
    refused = undefined;
    return same ? undefined : next;
  };
}

/** Equal texts mean equal settings. */
function fingerprint(settings: Settings): string {
  return JSON.stringify({ ...settings, clients: [...settings.clients] });
}
