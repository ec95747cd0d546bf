// Lets so many through at a time to one place; the others wait in order.

/**
 * `enter` resolves when there is room at `place`, or at once when `signal` ends the wait;
 * each that entered must `leave`.
 */
export interface Gate {
  enter(place: string, signal?: AbortSignal): Promise<void>;
  leave(place: string): void;
}

interface Room {
  inside: number;
  readonly waiting: Set<() => void>;
}

/** A gate with `room` places in each. */
export function createGate(room: number): Gate {
  const rooms = new Map<string, Room>();
  return {
    enter: async (place, signal) => {
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
    leave: (place) => {
      const here = rooms.get(place);
      if (!here) return;
      here.inside -= 1;
      const [next] = here.waiting;
      if (next && here.inside < room) next();
      else if (here.inside === 0) rooms.delete(place);
    },
  };
}
