// The fair queue of an issuer: users take turns, and of one user's tokens the first to
// expire is next. And the queue of local tokens, which need no issuer: one after the
// other, with a yield to the event loop every few milliseconds.
import { createYielder } from '@credmon/core/base';

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

/** A renewal that asks no issuer. */
export interface LocalJob extends Waiting {
  readonly run: () => Promise<unknown>;
}

/**
 * Called at the end of a job in a queue: when it has ended or was dropped, or with what it
 * threw. Both are methods: thousands of jobs wait, and closures would take most of the memory.
 */
export interface Ending {
  done(): void;
  failed(error: unknown): void;
}

/**
 * `awaited` when the token's `.use` is missing, because a job or condor_submit may wait
 * for it; else `due`.
 */
export type LocalRank = 'awaited' | 'due';

/**
 * Runs local jobs one at a time. `add` resolves when the job has ended, or was dropped by
 * `close`; it rejects with what the job threw. `put` calls its methods instead.
 */
export interface LocalQueue {
  add(job: LocalJob, rank: LocalRank): Promise<void>;
  put(job: LocalJob & Ending, rank: LocalRank): void;
  /** Drops every job that has not started; the queue takes no more. */
  close(): void;
  /** How many jobs were dropped. */
  readonly dropped: number;
}

type Entry = LocalJob & Ending;

/**
 * A queue for local jobs. Awaited tokens come before due ones. The first awaited token of
 * a user who has none in the queue comes before all others: the user of the latest
 * condor_submit does not wait for a backlog. Otherwise users take turns.
 */
export function createLocalQueue(): LocalQueue {
  const newcomers: Entry[] = [];
  const awaited = createFairQueue<Entry>();
  const due = createFairQueue<Entry>();
  const waitingUsers = new Map<string, number>();
  let running = false;
  let closed = false;
  let dropped = 0;

  const enqueue = (entry: Entry, rank: LocalRank): void => {
    if (rank === 'due') return due.add(entry);
    const before = waitingUsers.get(entry.user) ?? 0;
    waitingUsers.set(entry.user, before + 1);
    if (before === 0) newcomers.push(entry);
    else awaited.add(entry);
  };

  const take = (): Entry | undefined => {
    const entry = newcomers.pop() ?? awaited.take();
    if (!entry) return due.take();
    const left = (waitingUsers.get(entry.user) ?? 1) - 1;
    if (left === 0) waitingUsers.delete(entry.user);
    else waitingUsers.set(entry.user, left);
    return entry;
  };

  const drop = (entries: readonly Entry[]): void => {
    dropped += entries.length;
    for (const entry of entries) entry.done();
  };

  const work = async (): Promise<void> => {
    const yieldIfDue = createYielder();
    running = true;
    for (let entry = take(); entry; entry = take()) {
      await ended(entry, entry.run());
      await yieldIfDue();
    }
    running = false;
  };

  const put: LocalQueue['put'] = (entry, rank) => {
    if (closed) return drop([entry]);
    enqueue(entry, rank);
    if (!running) void work();
    return undefined;
  };

  return {
    put,
    add: (job, rank) =>
      new Promise((done, failed) => put({ ...job, done: () => done(), failed }, rank)),
    close: () => {
      closed = true;
      drop([...newcomers.splice(0), ...awaited.remove(() => true), ...due.remove(() => true)]);
    },
    get dropped() {
      return dropped;
    },
  };
}

/** Calls the method of a job for the end of `work`. */
export async function ended(job: Ending, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    return job.failed(error);
  }
  return job.done();
}
