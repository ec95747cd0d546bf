// Lets so many through at a time to one place; the others wait in order.

/**
 * `acquire` resolves when there is room at `place`, or at once when `signal` ends the wait;
 * each that acquired must `release`.
 */
export interface Semaphore {
  acquire(place: string, signal?: AbortSignal): Promise<void>;
  release(place: string): void;
}

interface Room {
  inside: number;
  readonly waiting: Set<() => void>;
}

/** A semaphore with `room` places in each. */
export function createSemaphore(room: number): Semaphore {
  const rooms = new Map<string, Room>();
  return {
    acquire: async (place, signal) => {
      const here = rooms.get(place) ?? { inside: 0, waiting: new Set() };
      rooms.set(place, here);
      // One that has given up goes in beyond the count, and out again: what it enters for
      // ends at once.
      if (here.inside >= room && signal?.aborted !== true)
        await new Promise<void>((resolve) => {
          const goOn = (): void => {
            signal?.removeEventListener('abort', goOn);
            here.waiting.delete(goOn);
            here.inside += 1;
            resolve();
          };
          here.waiting.add(goOn);
          signal?.addEventListener('abort', goOn, { once: true });
        });
      else here.inside += 1;
    },
    release: (place) => {
      const here = rooms.get(place);
      if (!here) return;
      here.inside -= 1;
      const [next] = here.waiting;
      if (next && here.inside < room) next();
      else if (here.inside === 0) rooms.delete(place);
    },
  };
}
