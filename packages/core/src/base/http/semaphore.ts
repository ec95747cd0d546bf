// A semaphore with one limit for each key; waiters are served in order.

/**
 * `acquire` resolves when `key` is below its limit, or at once if `signal` is aborted.
 * Each `acquire` needs one `release`.
 */
export interface Semaphore {
  acquire(key: string, signal?: AbortSignal): Promise<void>;
  release(key: string): void;
}

interface Queue {
  holders: number;
  readonly waiting: Set<() => void>;
}

/** Creates a semaphore with `limit` holders for each key. */
export function createSemaphore(limit: number): Semaphore {
  const queues = new Map<string, Queue>();
  return {
    acquire: async (key, signal) => {
      const queue = queues.get(key) ?? { holders: 0, waiting: new Set() };
      queues.set(key, queue);
      // An aborted waiter is let in over the limit; its request fails at once.
      if (queue.holders >= limit && signal?.aborted !== true)
        await new Promise<void>((resolve) => {
          const enter = (): void => {
            signal?.removeEventListener('abort', enter);
            queue.waiting.delete(enter);
            queue.holders += 1;
            resolve();
          };
          queue.waiting.add(enter);
          signal?.addEventListener('abort', enter, { once: true });
        });
      else queue.holders += 1;
    },
    release: (key) => {
      const queue = queues.get(key);
      if (!queue) return;
      queue.holders -= 1;
      const [next] = queue.waiting;
      if (next && queue.holders < limit) next();
      else if (queue.holders === 0) queues.delete(key);
    },
  };
}
