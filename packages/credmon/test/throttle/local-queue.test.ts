// The queue of tokens that are made here: their order, and that thousands of them do not
// hold up the event loop.
import { describe, expect, it } from 'vitest';
import {
  createLocalQueue,
  type LocalQueue,
  type LocalRank,
} from '../../src/throttle/local-queue.ts';

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
