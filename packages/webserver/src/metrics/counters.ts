// What the portal counts, and counting that is switched off.

/**
 * Told of everything that is counted. Labels are bounded: patterns of routes, classes of
 * status, providers, outcomes; never a user.
 */
export interface Counters {
  /** An answered request; `route` is the pattern, `seconds` how long it took. */
  request(route: string, status: number, seconds: number): void;
  /** A login: `begun`, `done`, or the code of the error that ended it. */
  login(provider: string, outcome: string): void;
  /** A SIGHUP: whether the new configuration was taken. */
  reload(taken: boolean): void;
}

/** For a server without CREDMON_WEB_METRICS_LISTEN. */
export const NO_COUNTERS: Counters = {
  request: () => undefined,
  login: () => undefined,
  reload: () => undefined,
};
