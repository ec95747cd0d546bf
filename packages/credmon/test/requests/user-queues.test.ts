// The order of the work that users cause.
import { expect, it } from 'vitest';
import { createUserQueues } from '../../src/requests/user-queues.ts';

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
