// The real clock: waits end in time, or at once when somebody stops them.
import { getEventListeners } from 'node:events';
import { PATIENCE } from '@credmon/test-fixtures/patience';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';

describe('the real clock', () => {
  it('counts in seconds, on both lines', async () => {
    const [earliest, now, latest] = [Date.now(), systemClock.now(), Date.now()];
    expect([now * 1000 >= earliest - 1, now * 1000 <= latest + 1]).toEqual([true, true]);
    const before = systemClock.steady();
    await systemClock.wait(0.02);
    expect(systemClock.steady() - before).toBeGreaterThan(0.015);
    expect(systemClock.steady() - before).toBeLessThan(PATIENCE);
  });

  it('ends a wait at once when it is or gets aborted, however long it was, and leaves no listener', async () => {
    await systemClock.wait(1e9, AbortSignal.abort());
    const abort = new AbortController();
    const waiting = systemClock.wait(Number.POSITIVE_INFINITY, abort.signal);
    abort.abort();
    await waiting;
    const quiet = new AbortController();
    await systemClock.wait(0, quiet.signal);
    expect(getEventListeners(quiet.signal, 'abort')).toEqual([]);
  });

  it.each([[-5], [0]])('does not wait for %d seconds', async (seconds) => {
    await expect(systemClock.wait(seconds)).resolves.toBe(undefined);
  });
});

describe('real randomness', () => {
  it('gives as many bytes as asked, never the same twice', () => {
    expect(systemRandom(32)).toHaveLength(32);
    expect(systemRandom(32)).not.toEqual(systemRandom(32));
  });
});
