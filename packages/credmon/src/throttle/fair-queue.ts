// The fair queue of an issuer: users take turns, and of one user's tokens the first to
// expire is next. Pure.

/**
 * A waiting entry: its user, and when its `.use` expires in steady seconds (infinite when
 * there is no valid one).
 */
export interface Waiting {
  readonly user: string;
  readonly deadline: number;
}

/** A queue with one queue per user; `T` waits. */
export interface FairQueue<T extends Waiting> {
  add(one: T): void;
  /** Takes the first entry of the next user, who then becomes the last. */
  take(): T | undefined;
  /** Takes the first entry of the user with the lowest `rank`; compares all users. */
  takeLowest(rank: (user: string) => number): T | undefined;
  /** Removes all entries for which `choose` is true, user by user. */
  remove(choose: (one: T) => boolean): T[];
  readonly users: number;
}

/** Creates an empty queue. */
export function createFairQueue<T extends Waiting>(): FairQueue<T> {
  const queues = new Map<string, T[]>();

  const takeOf = (user: string, queue: T[]): T | undefined => {
    queues.delete(user);
    const one = queue.shift();
    if (queue.length > 0) queues.set(user, queue);
    return one;
  };

  return {
    add: (one) => {
      const queue = queues.get(one.user) ?? [];
      queues.set(one.user, queue);
      queue.splice(placeOf(queue, one), 0, one);
    },
    take: () => {
      for (const [user, queue] of queues) return takeOf(user, queue);
      return undefined;
    },
    takeLowest: (rank) => {
      let lowest: [string, T[]] | undefined;
      for (const entry of queues) if (!lowest || rank(entry[0]) < rank(lowest[0])) lowest = entry;
      return lowest && takeOf(...lowest);
    },
    remove: (choose) => {
      const removed: T[] = [];
      for (const [user, queue] of queues) {
        const kept: T[] = [];
        for (const one of queue) (choose(one) ? removed : kept).push(one);
        if (kept.length > 0) queues.set(user, kept);
        else queues.delete(user);
      }
      return removed;
    },
    get users() {
      return queues.size;
    },
  };
}

/**
 * Returns the position behind all entries that are as urgent; entries that arrive in
 * order are appended.
 */
function placeOf<T extends Waiting>(queue: readonly T[], one: T): number {
  let [low, high] = [0, queue.length];
  if (high === 0 || urgency(queue.at(-1)) <= urgency(one)) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (urgency(queue[middle]) <= urgency(one)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A job may be waiting for a missing or expired token. */
function urgency(one: Waiting | undefined): number {
  return one === undefined || one.deadline === Number.POSITIVE_INFINITY
    ? Number.NEGATIVE_INFINITY
    : one.deadline;
}
