// How long unfinished requests are left alone, whatever their owners say about them.
import { expect, it } from 'vitest';
import { createUnfinished, LONGEST_WRITE, MOST_UNFINISHED } from '../../src/requests/unfinished.ts';

it('a name may stay for a minute after it was first seen', () => {
  const unfinished = createUnfinished();
  const times = [7, 7 + LONGEST_WRITE, 8 + LONGEST_WRITE];
  expect(times.map((now) => unfinished.mayStay('.a.new', now))).toEqual([true, true, false]);
  // It was removed.
  for (let round = 0; round < 2; round += 1) unfinished.allRead();
  expect(unfinished.mayStay('.a.new', 9 + LONGEST_WRITE)).toBe(true);
});

it('a number of names may stay, and those that are gone make room for others', () => {
  const unfinished = createUnfinished();
  for (let n = 0; n < MOST_UNFINISHED; n += 1) unfinished.mayStay(`.${n}.new`, 0);
  expect(['.more.new', '.0.new'].map((name) => unfinished.mayStay(name, 0))).toEqual([false, true]);
  unfinished.allRead();
  unfinished.mayStay('.0.new', 0);
  expect(unfinished.mayStay('.more.new', 0)).toBe(false);
  unfinished.allRead();
  expect(unfinished.mayStay('.more.new', 0)).toBe(true);
  // The time when it was first seen is kept.
  expect(unfinished.mayStay('.0.new', LONGEST_WRITE + 1)).toBe(false);
});
