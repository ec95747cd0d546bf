// Long synchronous work yields to the event loop.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortInSlices } from '../../../src/base/time/yielder.ts';

it('sortInSlices orders as Array.prototype.sort does, and keeps equal items in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 20_000 }),
      fc.integer({ min: 1, max: 50 }),
      async (length, kinds) => {
        const key = (n: number): number => (n * 7919) % kinds;
        const compare = (a: number, b: number): number => key(a) - key(b);
        const items = Uint32Array.from({ length }, (_, n) => n);
        const expected = [...items].sort(compare);
        await sortInSlices(items, compare);
        expect([...items]).toEqual(expected);
      },
    ),
    {
      numRuns: 40,
      seed: 1,
      examples: [
        [4096, 3],
        [4097, 3],
        [8192, 1],
        [12_289, 50],
      ],
    },
  );
});

it('sortInSlices yields to the event loop while it sorts', async () => {
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    if (turns < 1000) setImmediate(turn);
  };
  setImmediate(turn);
  const items = Uint32Array.from({ length: 200_000 }, (_, n) => (n * 7919) % 200_000);
  await sortInSlices(items, (a, b) => a - b);
  expect(turns).toBeGreaterThan(2);
  turns = 1000;
});
