// How many requests of a user are taken.
import { expect, it } from 'vitest';
import { createRequestRate, MOST_PER_MINUTE } from '../../src/requests/rate.ts';

it('a user may ask a number of times in each minute, another user as often, and root always', () => {
  const rate = createRequestRate();
  for (let n = 0; n < MOST_PER_MINUTE; n += 1) {
    expect(rate.permits(1001, n)).toBe(true);
    rate.count(1001, n);
    rate.count(0, n);
  }
  const end = MOST_PER_MINUTE - 1;
  expect([1001, 1002, 0].map((uid) => rate.permits(uid, end))).toEqual([false, true, true]);
  expect([59, 60, 61].map((now) => rate.permits(1001, now))).toEqual([false, true, true]);
  rate.count(1001, 60);
  expect(rate.permits(1001, 60)).toBe(false);
});
