// A time-out that ignores stalls of this process: SIGSTOP, a suspended machine or a slow
// fsync does not use up the time of the server.

/**
 * Milliseconds between two checks of the clock: a stall costs at most one slice of the
 * time-out.
 */
const SLICE = 500;

/**
 * A timer that fires later than this, in milliseconds, was delayed by a stall of the
 * process.
 */
const STALL = 250;

/**
 * Minimum time, in milliseconds, for the server after a stall, because reading the
 * pending input takes several reads.
 */
const GRACE = 1000;

/**
 * Calls `act` after `seconds` in which this process ran, after the event loop has read
 * the pending input. Stalls of the process do not count, so that a response that arrived
 * during a stall is not treated as late.
 * @returns the function that cancels it; it does nothing after `act` was called
 */
export function afterAwake(seconds: number, act: () => void): () => void {
  let left = seconds * 1000;
  let cancelled = false;
  let hadGrace = false;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const slice = Math.min(left, SLICE);
    const began = performance.now();
    timer = setTimeout(() => {
      const took = performance.now() - began;
      const stalled = took > slice + STALL;
      // Node may fire a timer up to a millisecond early, so the remaining time is
      // measured.
      left -= stalled ? slice : took;
      // Only once: the time-out must also expire on a machine that always stalls.
      if (stalled && left < GRACE && !hadGrace) [left, hadGrace] = [GRACE, true];
      if (left > 0) arm();
      else afterPendingInput(() => !cancelled && act());
    }, slice);
  };
  arm();
  return () => {
    cancelled = true;
    clearTimeout(timer);
  };
}

/**
 * Timers run before input is read. The second turn is for events that the first read
 * triggers.
 */
function afterPendingInput(act: () => void): void {
  setImmediate(() => setImmediate(act));
}
