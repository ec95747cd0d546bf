// The queue of local tokens, which need no issuer: one after the other, with a yield to
// the event loop every few milliseconds.
import { createYielder } from '@credmon/core/base';
import { createFairQueue, type Waiting } from './fair-queue.ts';

/** A renewal that asks no issuer. */
export interface LocalJob extends Waiting {
  readonly run: () => Promise<unknown>;
}

/**
 * `awaited` when the token's `.use` is missing, because a job or condor_submit may wait
 * for it; else `due`.
 */
export type LocalRank = 'awaited' | 'due';

/**
 * Runs local jobs one at a time. `add` resolves when the job has ended, or was dropped by
 * `close`; it rejects with what the job threw.
 */
export interface LocalQueue {
  add(job: LocalJob, rank: LocalRank): Promise<void>;
  /** Drops every job that has not started; the queue takes no more. */
  close(): void;
  /** How many jobs were dropped. */
  readonly dropped: number;
}

interface Entry extends Waiting {
  readonly job: LocalJob;
  readonly rank: LocalRank;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

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

  const put = (entry: Entry): void => {
    if (entry.rank === 'due') return due.add(entry);
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
    for (const { done } of entries) done();
  };

  const work = async (): Promise<void> => {
    const yieldIfDue = createYielder();
    running = true;
    for (let entry = take(); entry; entry = take()) {
      await entry.job.run().then(entry.done, entry.failed);
      await yieldIfDue();
    }
    running = false;
  };

  return {
    add: (job, rank) =>
      new Promise((done, failed) => {
        const entry = { job, rank, user: job.user, deadline: job.deadline, done, failed };
        if (closed) return drop([entry]);
        put(entry);
        if (!running) void work();
        return undefined;
      }),
    close: () => {
      closed = true;
      drop([...newcomers.splice(0), ...awaited.remove(() => true), ...due.remove(() => true)]);
    },
    get dropped() {
      return dropped;
    },
  };
}
