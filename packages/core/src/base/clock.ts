// Time as a parameter: the port that everything else takes, and its one real implementation.
import { uptime } from 'node:os';

/**
 * What the project knows of time. `now` is seconds since the epoch (with a fraction); `steady` is seconds on a line that no clock
 * step moves; `wait` resolves after `seconds`, or as soon as `signal` aborts, and never rejects.
 */
export interface Clock {
  now(): number;
  steady(): number;
  wait(seconds: number, signal?: AbortSignal): Promise<void>;
}

/** Longest single timer in seconds; Node fires a longer one at once. */
const LONGEST_TIMER = 2_000_000;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now() / 1000,
  // The system's up time: unlike Node's own clock it goes on while the machine sleeps.
  steady: () => uptime(),
  wait: (seconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, Math.max(0, Math.min(seconds, LONGEST_TIMER)) * 1000);
      signal?.addEventListener('abort', finish, { once: true });
      return undefined;
    }),
};
