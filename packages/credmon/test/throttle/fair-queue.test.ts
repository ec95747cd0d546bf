// The order in a queue of users' queues.
import { expect, it } from 'vitest';
import { createFairQueue, type Waiting } from '../../src/throttle/fair-queue.ts';

interface One extends Waiting {
  readonly name: string;
}
const NONE = Number.POSITIVE_INFINITY;
const one = (name: string, deadline = NONE): One => ({ name, user: name.slice(0, 1), deadline });

function lanesWith(...all: readonly One[]) {
  const lanes = createFairQueue<One>();
  for (const each of all) lanes.add(each);
  return lanes;
}
function drained(lanes: ReturnType<typeof lanesWith>): string[] {
  const names: string[] = [];
  for (let next = lanes.take(); next; next = lanes.take()) names.push(next.name);
  return names;
}

it.each([
  ['nothing', [], []],
  [
    'one user: in order of deadlines',
    [one('a3', 3), one('a1', 1), one('a2', 2)],
    ['a1', 'a2', 'a3'],
  ],
  ['one user: what has no deadline is the most urgent', [one('a1', 1), one('a0')], ['a0', 'a1']],
  [
    'one user: equal deadlines in the order of arrival',
    [one('a1', 5), one('a2', 5), one('a0', 5)],
    ['a1', 'a2', 'a0'],
  ],
  [
    'users in turn',
    [one('a1', 1), one('a2', 2), one('a3', 3), one('b1', 9), one('c1', 9), one('b2', 10)],
    ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'],
  ],
])('takes %s', (_, all, expected) => {
  expect(drained(lanesWith(...all))).toEqual(expected);
});

it('a new user is last, and a user whose queue was emptied is new again', () => {
  const lanes = lanesWith(one('a1', 1), one('b1', 1));
  expect(lanes.take()?.name).toBe('a1');
  lanes.add(one('a2', 0));
  lanes.add(one('c1', 0));
  expect(drained(lanes)).toEqual(['b1', 'a2', 'c1']);
});

it('takes from the user with the lowest rank, who is then last', () => {
  const lanes = lanesWith(one('a1', 1), one('b1', 1), one('b2', 2));
  expect(lanes.takeLowest((user) => (user === 'b' ? 0 : 1))?.name).toBe('b1');
  expect(drained(lanes)).toEqual(['a1', 'b2']);
  expect(lanes.takeLowest(() => 0)).toBeUndefined();
});

it('removes the chosen entries, user by user, and forgets users without entries', () => {
  const lanes = lanesWith(one('a1', 1), one('a2', 2), one('b1', 1), one('c1', 1));
  expect(lanes.users).toBe(3);
  expect(
    lanes.remove(({ name }) => name !== 'a2' && name !== 'c1').map(({ name }) => name),
  ).toEqual(['a1', 'b1']);
  expect([lanes.users, drained(lanes), lanes.users]).toEqual([2, ['a2', 'c1'], 0]);
});

it('R8 keeps its order for thousands of tokens of one user', () => {
  const deadlines = Array.from({ length: 3000 }, (_, n) => (n * 7919) % 3001);
  const lanes = lanesWith(...deadlines.map((deadline) => one(`a${deadline}`, deadline)));
  expect(drained(lanes)).toEqual(
    deadlines.toSorted((a, b) => a - b).map((deadline) => `a${deadline}`),
  );
});
