// Long synchronous work yields to the event loop.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTurnLimit, sortInSlices } from '../../../src/base/time/yielder.ts';

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

/** Works for this many milliseconds. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('the limit of work in a turn of the event loop', () => {
  it('lets short work begin at once', () => {
    const turn = createTurnLimit();
    expect([turn(), turn(), turn()]).toEqual([undefined, undefined, undefined]);
  });

  /** Three pieces of work with this limit, and the turns of the event loop, as they happen. */
  async function seenWith(
    turn: ReturnType<typeof createTurnLimit>,
    before?: () => Promise<void>,
  ): Promise<string> {
    const seen: string[] = [];
    const piece = async (name: string): Promise<void> => {
      const wait = turn();
      if (wait) await wait;
      if (before) await before();
      work(6);
      seen.push(name);
    };
    const tick = (): void => {
      seen.push('turn');
      if (seen.filter((each) => each !== 'turn').length < 3) setImmediate(tick);
    };
    setImmediate(tick);
    await Promise.all(['a', 'b', 'c'].map(piece));
    return seen.join(' ');
  }

  it('keeps long work in order, with turns of the event loop between', async () => {
    expect(await seenWith(createTurnLimit())).toMatch(/^a( turn)+ b( turn)+ c$/);
  });

  it('counts the work of a task that first waits for what is ready', async () => {
    const turn = createTurnLimit();
    void turn();
    work(6);
    const hops = async (): Promise<void> => {
      for (let hop = 0; hop < 5; hop += 1) await Promise.resolve();
    };
    expect(await seenWith(turn, hops)).toMatch(/a( turn)+ b( turn)+ c$/);
  });

  it('runs several short pieces in one turn', async () => {
    const turn = createTurnLimit();
    void turn();
    work(6);
    let turns = 0;
    const tick = (): void => {
      turns += 1;
      if (turns < 1000) setImmediate(tick);
    };
    setImmediate(tick);
    await Promise.all(Array.from({ length: 100 }, async () => turn()));
    expect(turns).toBeLessThan(50);
    turns = 1000;
  });

  it('begins at once again when all work is done', async () => {
    const turn = createTurnLimit();
    void turn();
    work(6);
    await turn();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(turn()).toBeUndefined();
  });
});
