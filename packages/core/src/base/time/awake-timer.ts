// A time-out that a stalled process survives: SIGSTOP, a suspended machine or a slow
// fsync does not use up the time of the other side.

/**
 * The timer asks the clock this often, in milliseconds: a stall costs at most one slice
 * of the time-out.
 */
const SLICE = 500;

/**
 * A timer that fires later than this, in milliseconds, was held up by a stall of the
 * process.
 */
const STALL = 250;

/**
 * After a stall the other side gets at least this long, in milliseconds, because its
 * pending input takes several reads.
 */
const GRACE = 1000;

/**
 * Calls `act` after `seconds` in which this process ran, and only after the event loop
 * has read the input that is pending then. Time in which the process stood still does not
 * count, so that an answer that arrived meanwhile is read before it is judged late.
 * @returns the function that cancels it; harmless after `act` was called
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
      // A timer of Node may fire up to a millisecond early: what is left is measured, not
      // assumed.
      left -= stalled ? slice : took;
      // Once: on a machine that is always late the time-out must come all the same.
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
 * Timers run before input is read. The second turn is for what the first read makes
 * possible.
 */
function afterPendingInput(act: () => void): void {
  setImmediate(() => setImmediate(act));
}
