// How many requests of a user are taken, and the order of the work that users cause.
import {
  LONGEST_WRITE,
  MOST_PER_MINUTE,
  MOST_UNFINISHED,
  MOST_WAITING,
  createRequestRate,
  createTurns,
  createUnfinished,
  createUserQueues,
} from '../../src/requests/limits.ts';
import { OLDEST_REQUEST, type RenewalRequest } from '../../src/requests/request.ts';
import { expect, it } from 'vitest';

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

const of = (uid: number, id = 0): RenewalRequest => ({
  id: String(id),
  uid,
  gid: 1,
  user: 'alice',
  stem: 'mytok',
});

function full() {
  const turns = createTurns();
  const said = Array.from({ length: MOST_PER_MINUTE + MOST_WAITING + 1 }, (_, n) =>
    turns.add(of(1001, n), 0),
  );
  return { turns, said };
}

it('some are taken, some wait, the others are refused, and no other user waits', () => {
  const { turns, said } = full();
  expect([said[0], said[MOST_PER_MINUTE - 1], said[MOST_PER_MINUTE]]).toEqual([
    'take',
    'take',
    'wait',
  ]);
  expect(said.slice(-2)).toEqual(['wait', 'refuse']);
  expect([of(1002), of(0)].map((request) => turns.add(request, 0))).toEqual(['take', 'take']);
});

it('those that wait are taken in their order, as many as in any minute', () => {
  const { turns } = full();
  expect(turns.next(59)).toEqual([]);
  const next = turns.next(60).map(({ id }) => Number(id));
  expect(next).toEqual(Array.from({ length: MOST_PER_MINUTE }, (_, n) => MOST_PER_MINUTE + n));
  expect(turns.waiting).toBe(MOST_WAITING - MOST_PER_MINUTE);
});

it('those that waited for ten minutes are dropped', () => {
  const { turns } = full();
  expect(turns.next(OLDEST_REQUEST + 1)).toEqual([]);
  expect(turns.waiting).toBe(0);
});

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

it('the work of one user is done in order, and no user waits for another one', async () => {
  const queue = createUserQueues();
  const done: string[] = [];
  let end = (): void => undefined;
  const slow = new Promise<void>((resolve) => (end = resolve));
  queue(1, async () => {
    await slow;
    done.push('slow');
  });
  queue(1, async () => void done.push('behind it'));
  queue(2, async () => void done.push('other user'));
  await expect.poll(() => done).toEqual(['other user']);
  end();
  await expect.poll(() => done).toEqual(['other user', 'slow', 'behind it']);
  queue(1, async () => void done.push('later'));
  await expect.poll(() => done.at(-1)).toBe('later');
});
