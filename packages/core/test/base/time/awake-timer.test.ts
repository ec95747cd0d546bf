// The time-out that ignores stalls of the process, with the real event loop: only a real
// stall shows the order of timers and input.
import { afterEach, describe, expect, it } from 'vitest';
import { afterAwake } from '../../../src/base/time/clock.ts';

const cancels: (() => void)[] = [];
afterEach(() => cancels.splice(0).forEach((cancel) => cancel()));

/** Starts a time-out and returns when it fired, in seconds after its start. */
function timeOut(seconds: number): { fired: () => number | undefined; done: Promise<number> } {
  const began = performance.now();
  let at: number | undefined;
  const done = new Promise<number>((resolve) => {
    cancels.push(
      afterAwake(seconds, () => {
        at = (performance.now() - began) / 1000;
        resolve(at);
      }),
    );
  });
  return { fired: () => at, done };
}

/** Blocks the whole event loop, like SIGSTOP or a slow fsync. */
function stall(seconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
}

describe('a time-out that ignores stalls', () => {
  it('fires after its time, and not before', async () => {
    const { done } = timeOut(0.7);
    expect(await done).toBeGreaterThanOrEqual(0.7);
  });

  it('R13 does not count seconds in which the process was stopped', async () => {
    const { fired, done } = timeOut(0.9);
    stall(1.5);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await new Promise((resolve) => setImmediate(resolve));
    expect(fired()).toBeUndefined();
    expect(await done).toBeGreaterThanOrEqual(2.4);
  });

  it('leaves a grace period for pending input when it expires during the stall', async () => {
    const { done } = timeOut(0.1);
    stall(0.5);
    expect(await done).toBeGreaterThanOrEqual(1.5);
  });

  it('R2 also fires on a machine that always stalls', async () => {
    let running = true;
    const hold = (): void => {
      if (!running) return;
      stall(0.9);
      setTimeout(hold, 0);
    };
    const { done } = timeOut(0.5);
    setTimeout(hold, 0);
    expect(await done).toBeGreaterThan(0);
    running = false;
  });

  it('fires after the input of the same turn of the event loop was read', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        cancels.push(
          afterAwake(0, () => {
            order.push('time-out');
            resolve();
          }),
        );
        // The check phase follows the phase that reads input.
        setTimeout(() => setImmediate(() => order.push('input')), 0);
      }, 0);
    });
    expect(order).toEqual(['input', 'time-out']);
  });

  it('does not fire after it was cancelled, also in the last turn', async () => {
    const calls: string[] = [];
    const cancel = afterAwake(0, () => calls.push('fired'));
    const cancelled = new Promise<void>((resolve) => {
      setTimeout(() => {
        cancel();
        resolve();
      }, 0);
    });
    // Both timers have expired before either is run, so they run in one turn.
    for (const until = performance.now() + 5; performance.now() < until;);
    await cancelled;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(calls).toEqual([]);
  });
});
