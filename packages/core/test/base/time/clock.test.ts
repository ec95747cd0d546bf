// The real clock: waits end in time, or at once when aborted.
import { getEventListeners } from 'node:events';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { describe, expect, it } from 'vitest';
import { createSteady, systemClock, utcText } from '../../../src/base/time/clock.ts';
import { systemRandom } from '../../../src/base/process/process.ts';

describe('the real clock', () => {
  it('counts in seconds, on both clocks', async () => {
    const [earliest, now, latest] = [Date.now(), systemClock.now(), Date.now()];
    expect([now * 1000 >= earliest - 1, now * 1000 <= latest + 1]).toEqual([true, true]);
    const before = systemClock.steady();
    await systemClock.wait(0.02);
    expect(systemClock.steady() - before).toBeGreaterThan(0.015);
    expect(systemClock.steady() - before).toBeLessThan(PATIENCE);
  });

  it('ends a wait of any length at once when the signal is or gets aborted, and leaves no listener', async () => {
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

describe('the steady clock', () => {
  /** Two clocks set by the test: only the coarse one advances during sleep. */
  function clocks() {
    let [fine, coarse, asked] = [5, 1000, 0];
    const steady = createSteady(
      () => fine,
      () => {
        asked += 1;
        return Math.floor(coarse * 100) / 100;
      },
    );
    const wake = (seconds: number): void => void ((fine += seconds), (coarse += seconds));
    const sleep = (seconds: number): void => void (coarse += seconds);
    return { steady, wake, sleep, asked: () => asked };
  }

  it('R4 resolves spans far shorter than the steps of the coarse clock', () => {
    const { steady, wake } = clocks();
    const before = steady();
    wake(0.003);
    expect(steady() - before).toBeCloseTo(0.003, 9);
  });

  it('R5 counts the time while the machine sleeps', () => {
    const { steady, wake, sleep } = clocks();
    const before = steady();
    sleep(3600);
    wake(0.06);
    expect(steady() - before).toBeCloseTo(3600.06, 1);
    wake(10);
    expect(steady() - before).toBeCloseTo(3610.06, 1);
  });

  it('never goes back, and ignores the steps of the coarse clock', () => {
    const { steady, wake } = clocks();
    const before = steady();
    let last = before;
    for (let step = 1; step <= 1000; step += 1) {
      wake(0.0137);
      const now = steady();
      expect(now).toBeGreaterThan(last);
      expect(now - before).toBeCloseTo(step * 0.0137, 6);
      last = now;
    }
  });

  it('R4 reads the coarse clock at most every 50 ms', () => {
    const { steady, wake, asked } = clocks();
    for (let step = 0; step < 1000; step += 1) {
      wake(0.001);
      steady();
    }
    expect(asked()).toBeLessThanOrEqual(21);
  });

  it('R4 of this machine resolves a millisecond', () => {
    const before = systemClock.steady();
    const end = performance.now() + 2;
    while (performance.now() < end);
    const span = systemClock.steady() - before;
    expect([span >= 0.0019, span % 0.01 === 0]).toEqual([true, false]);
  });
});

describe('real randomness', () => {
  it('returns the requested number of bytes, different each time', () => {
    expect(systemRandom(32)).toHaveLength(32);
    expect(systemRandom(32)).not.toEqual(systemRandom(32));
  });
});

it.each([
  [0, '1970-01-01T00:00:00Z'],
  [1_764_512_345.9, '2025-11-30T14:19:05Z'],
  [Number.POSITIVE_INFINITY, 'never'],
  [1e20, 'never'],
])('the time %d is printed as %s', (seconds, text) => {
  expect(utcText(seconds)).toBe(text);
});
