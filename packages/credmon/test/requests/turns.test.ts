// When requests of a user who asks often are taken.
import { expect, it } from 'vitest';
import { MOST_PER_MINUTE, MOST_WAITING } from '../../src/requests/rate.ts';
import { OLDEST_REQUEST, type RenewalRequest } from '../../src/requests/request.ts';
import { createTurns } from '../../src/requests/turns.ts';

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
