// The counters of the portal, and counters that do nothing.

/**
 * Counts events. Labels have few values: route patterns, status classes, providers,
 * outcomes; never a user.
 */
export interface Counters {
  /** Counts an answered request; `route` is the pattern, `seconds` the duration. */
  request(route: string, status: number, seconds: number): void;
  /** Counts a login: `begun`, `done`, or the code of its error. */
  login(provider: string, outcome: string): void;
  /** Counts a SIGHUP: whether the new configuration was accepted. */
  reload(taken: boolean): void;
}

/** For a server without CREDMON_WEB_METRICS_LISTEN. */
export const NO_COUNTERS: Counters = {
  request: () => undefined,
  login: () => undefined,
  reload: () => undefined,
};
