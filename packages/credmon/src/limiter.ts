// Caps how many renewals one issuer sees at once, and spares an issuer that does not answer the rest of the queue.
import { isCoded } from '@credmon/core';

/** One renewal in a queue: `run` makes the attempt; `skip` records that it was not made because of `error`. */
export interface Job {
  readonly issuer: string;
  readonly run: () => Promise<Error | undefined>;
  readonly skip: (error: Error) => void;
}

/** Runs jobs, at most `cap` at a time for one issuer; issuers never wait for one another. `add` rejects with what a job threw. */
export interface Limiter {
  add(job: Job): Promise<void>;
  /** From now on nothing starts: what waits is let go untried, what runs may end. */
  close(): void;
}

interface Entry {
  readonly job: Job;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

interface Queue {
  running: number;
  readonly waiting: Entry[];
}

/** A limiter with `cap` jobs at a time per issuer. */
export function createLimiter(cap: number): Limiter {
  const queues = new Map<string, Queue>();
  let closed = false;

  const next = (issuer: string, queue: Queue): void => {
    while (queue.running < cap) {
      const entry = queue.waiting.shift();
      if (!entry) break;
      queue.running += 1;
      run(issuer, queue, entry.job).then(entry.done, entry.failed);
    }
    if (queue.running === 0 && queue.waiting.length === 0) queues.delete(issuer);
  };

  const run = async (issuer: string, queue: Queue, job: Job): Promise<void> => {
    let error: Error | undefined;
    try {
      error = await job.run();
    } finally {
      queue.running -= 1;
      if (error && isDown(error)) skipAll(queue, error);
      next(issuer, queue);
    }
  };

  return {
    add: (job) =>
      new Promise((done, failed) => {
        if (closed) return done();
        const queue = queues.get(job.issuer) ?? { running: 0, waiting: [] };
        queues.set(job.issuer, queue);
        queue.waiting.push({ job, done, failed });
        next(job.issuer, queue);
      }),
    close: () => {
      closed = true;
      for (const { waiting } of queues.values()) for (const { done } of waiting.splice(0)) done();
    },
  };
}

/** One that cannot even be skipped keeps no other from it. */
function skipAll(queue: Queue, error: Error): void {
  for (const { job, done, failed } of queue.waiting.splice(0)) {
    try {
      job.skip(error);
      done();
    } catch (unexpected) {
      failed(unexpected);
    }
  }
}

/** No connection, no answer in time, or a request to slow down: the next one in the queue would fare no better. */
function isDown(error: Error): boolean {
  return (
    isCoded(error, 'ISSUER_BUSY') ||
    (isCoded(error, 'ISSUER_UNREACHABLE') && error.fields['status'] === undefined)
  );
}
