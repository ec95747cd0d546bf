// Who is next in an issuer's queue: users take turns, and of one user's tokens the one
// that expires first is in front. Pure.

/**
 * What waits: whose it is, and when its `.use` expires in steady seconds (infinite when
 * there is no valid one).
 */
export interface Waiting {
  readonly user: string;
  readonly deadline: number;
}

/** A queue of users' queues; `T` waits. */
export interface FairQueue<T extends Waiting> {
  add(one: T): void;
  /** Takes the next user's first; that user then stands last. */
  take(): T | undefined;
  /** Takes the first of the user whose `rank` is lowest; looks at all users. */
  takeLowest(rank: (user: string) => number): T | undefined;
  /** Takes everything of which `choose` is true, user by user. */
  remove(choose: (one: T) => boolean): T[];
  readonly users: number;
}

/** Empty lanes. */
export function createFairQueue<T extends Waiting>(): FairQueue<T> {
  const lanes = new Map<string, T[]>();

  const takeOf = (user: string, lane: T[]): T | undefined => {
    lanes.delete(user);
    const one = lane.shift();
    if (lane.length > 0) lanes.set(user, lane);
    return one;
  };

  return {
    add: (one) => {
      const lane = lanes.get(one.user) ?? [];
      lanes.set(one.user, lane);
      lane.splice(placeOf(lane, one), 0, one);
    },
    take: () => {
      for (const [user, lane] of lanes) return takeOf(user, lane);
      return undefined;
    },
    takeLowest: (rank) => {
      let lowest: [string, T[]] | undefined;
      for (const entry of lanes) if (!lowest || rank(entry[0]) < rank(lowest[0])) lowest = entry;
      return lowest && takeOf(...lowest);
    },
    remove: (choose) => {
      const removed: T[] = [];
      for (const [user, lane] of lanes) {
        const kept: T[] = [];
        for (const one of lane) (choose(one) ? removed : kept).push(one);
        if (kept.length > 0) lanes.set(user, kept);
        else lanes.delete(user);
      }
      return removed;
    },
    get users() {
      return lanes.size;
    },
  };
}

/** Behind all that are as urgent: what comes in order is appended. */
function placeOf<T extends Waiting>(lane: readonly T[], one: T): number {
  let [low, high] = [0, lane.length];
  if (high === 0 || urgency(lane.at(-1)) <= urgency(one)) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (urgency(lane[middle]) <= urgency(one)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A job may be waiting for a token that is not there, or that has expired. */
function urgency(one: Waiting | undefined): number {
  return one === undefined || one.deadline === Number.POSITIVE_INFINITY
    ? Number.NEGATIVE_INFINITY
    : one.deadline;
}
