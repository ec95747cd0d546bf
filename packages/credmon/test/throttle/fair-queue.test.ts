// The order in a queue of users' queues.
import {
  type LocalQueue,
  type LocalRank,
  type Waiting,
  createFairQueue,
  createLocalQueue,
} from '../../src/throttle/fair-queue.ts';
import { describe, expect, it } from 'vitest';

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

const FOR_EVER = Number.POSITIVE_INFINITY;

/** Adds jobs named `user/n` and records the order in which they run. */
function recorder(queue: LocalQueue) {
  const order: string[] = [];
  const add = (name: string, rank: LocalRank, deadline = FOR_EVER): Promise<void> =>
    queue.add(
      { user: name.split('/', 1)[0] ?? '', deadline, run: async () => void order.push(name) },
      rank,
    );
  return { order, add };
}

/**
 * A queue that is busy until `free` is called, so that what is added meanwhile has an
 * order.
 */
function busyQueue() {
  const queue = createLocalQueue();
  let free: () => void = () => undefined;
  const busy = new Promise<void>((resolve) => (free = resolve));
  void queue.add({ user: 'busy', deadline: FOR_EVER, run: () => busy }, 'due');
  return { queue, free: () => free() };
}

describe('the order of local tokens', () => {
  const cases: [string, [string, LocalRank, number?][], string[]][] = [
    [
      'R4 an awaited token runs before all due tokens',
      [
        ['a/1', 'due', 5],
        ['b/1', 'due', 6],
        ['c/1', 'awaited'],
      ],
      ['c/1', 'a/1', 'b/1'],
    ],
    [
      'R4 the first token of the latest user runs before a backlog of other users',
      [
        ['a/1', 'awaited'],
        ['a/2', 'awaited'],
        ['b/1', 'awaited'],
        ['b/2', 'awaited'],
        ['new/1', 'awaited'],
        ['new/2', 'awaited'],
      ],
      ['new/1', 'b/1', 'a/1', 'a/2', 'b/2', 'new/2'],
    ],
    [
      'users take turns, and of each user the first to expire is next',
      [
        ['a/late', 'due', 9],
        ['a/soon', 'due', 1],
        ['b/late', 'due', 8],
        ['b/soon', 'due', 2],
      ],
      ['a/soon', 'b/soon', 'a/late', 'b/late'],
    ],
  ];
  it.each(cases)('%s', async (_, jobs, expected) => {
    const { queue, free } = busyQueue();
    const { order, add } = recorder(queue);
    const added = jobs.map(([name, local, deadline]) => add(name, local, deadline));
    free();
    await Promise.all(added);
    expect(order).toEqual(expected);
  });

  it('a served user who returns counts as new again', async () => {
    const { queue, free } = busyQueue();
    const { order, add } = recorder(queue);
    const first = add('a/1', 'awaited').then(() => add('a/2', 'awaited'));
    const others = [add('b/1', 'awaited'), add('b/2', 'awaited'), add('b/3', 'awaited')];
    free();
    await Promise.all([first, ...others]);
    expect(order).toEqual(['b/1', 'a/1', 'a/2', 'b/2', 'b/3']);
  });
});

it('a job that throws rejects its own add and does not stop others', async () => {
  const queue = createLocalQueue();
  const { order, add } = recorder(queue);
  const bad = queue.add(
    { user: 'a', deadline: 0, run: async () => Promise.reject(new Error('no')) },
    'due',
  );
  const good = add('b/1', 'due');
  await expect(bad).rejects.toThrow('no');
  await good;
  expect(order).toEqual(['b/1']);
});

it('R22 close drops waiting jobs, lets running jobs end, and accepts no more', async () => {
  const { queue, free } = busyQueue();
  const { order, add } = recorder(queue);
  const waiting = [add('a/1', 'awaited'), add('a/2', 'awaited'), add('b/1', 'due')];
  queue.close();
  queue.close();
  expect(queue.dropped).toBe(3);
  await Promise.all([...waiting, add('c/1', 'awaited')]);
  expect(queue.dropped).toBe(4);
  free();
  await new Promise(setImmediate);
  expect(order).toEqual([]);
});

it('R4 R22 the event loop runs while hundreds of tokens are signed', async () => {
  const queue = createLocalQueue();
  const work = async (): Promise<void> => {
    const end = performance.now() + 1;
    while (performance.now() < end);
  };
  let turns = 0;
  const jobs = Array.from({ length: 200 }, (_, n) =>
    queue.add({ user: `u${n}`, deadline: FOR_EVER, run: work }, 'awaited'),
  );
  let over = false;
  const turn = (): void => {
    turns += 1;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await Promise.all(jobs);
  over = true;
  expect(turns).toBeGreaterThan(10);
});
