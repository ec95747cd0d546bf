// Caps how many renewals one issuer sees at once, and spares an issuer that does not answer the rest of the queue.
import type { CodedError } from '@credmon/core';
import {
  HEALTHY,
  errorOfWaiting,
  healthAfter,
  heldUntil,
  isSpared,
  mustWait,
  type IssuerHealth,
} from './issuer-health.ts';

/**
 * One renewal in a queue: `run` makes the attempt for `token`; `skip` records that it was not made because of `error`. `deadline`, in steady
 * seconds, is when its `.use` expires (infinite when it has, or when there is none).
 */
export interface Job {
  readonly issuer: string;
  readonly token: string;
  readonly deadline: number;
  readonly run: () => Promise<Error | undefined>;
  readonly skip: (error: CodedError) => void;
}

/** Runs jobs, at most `cap` at a time for one issuer; issuers never wait for one another. `add` rejects with what a job threw. */
export interface Limiter {
  add(job: Job): Promise<void>;
  /** From now on nothing starts: what waits is let go untried, what runs may end. */
  close(): void;
  /** How many jobs were let go untried. */
  readonly letGo: number;
}

/** How many jobs at a time one issuer sees, asked anew for each, and the time in steady seconds. */
export interface LimiterParts {
  readonly cap: () => number;
  readonly steady: () => number;
}

/** Of so many issuers those are forgotten that nobody waits for; then again when twice as many are left, so that looking stays cheap. */
const MANY = 1000;

interface Entry {
  readonly job: Job;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

interface Queue {
  running: number;
  health: IssuerHealth;
  readonly waiting: Entry[];
}

/** A limiter. */
export function createLimiter({ cap, steady }: LimiterParts): Limiter {
  const queues = new Map<string, Queue>();
  let closed = false;
  let letGo = 0;
  let most = MANY;

  const next = (issuer: string, queue: Queue): void => {
    for (let [entry] = queue.waiting; entry; [entry] = queue.waiting) {
      if (mustWait(queue.health, entry.job.deadline, steady())) {
        queue.waiting.shift();
        skip(entry, errorOfWaiting(issuer, queue.health, steady()));
      } else if (queue.running < (isSpared(queue.health) ? 1 : cap())) {
        queue.waiting.shift();
        queue.running += 1;
        run(issuer, queue, entry.job).then(entry.done, entry.failed);
      } else break;
    }
    if (queue.running === 0 && queue.waiting.length === 0 && queue.health.length === 0) queues.delete(issuer);
  };

  const run = async (issuer: string, queue: Queue, job: Job): Promise<void> => {
    try {
      const error = await job.run();
      queue.health = healthAfter(queue.health, job.token, error, steady());
    } finally {
      queue.running -= 1;
      next(issuer, queue);
    }
  };

  return {
    add: (job) =>
      new Promise((done, failed) => {
        if (closed) {
          letGo += 1;
          return done();
        }
        if (queues.size >= most) {
          forgetOld(queues, steady());
          most = Math.max(MANY, 2 * queues.size);
        }
        const queue = queues.get(job.issuer) ?? { running: 0, health: HEALTHY, waiting: [] };
        queues.set(job.issuer, queue);
        queue.waiting.push({ job, done, failed });
        next(job.issuer, queue);
        return undefined;
      }),
    close: () => {
      closed = true;
      for (const { waiting } of queues.values()) {
        letGo += waiting.length;
        for (const { done } of waiting.splice(0)) done();
      }
    },
    get letGo() {
      return letGo;
    },
  };
}

/** Memory must not grow with every issuer that ever failed. */
function forgetOld(queues: Map<string, Queue>, now: number): void {
  for (const [issuer, { running, waiting, health }] of queues)
    if (running + waiting.length === 0 && heldUntil(health) < now) queues.delete(issuer);
}

/** One that cannot even be skipped keeps no other from it. */
function skip({ job, done, failed }: Entry, error: CodedError): void {
  try {
    job.skip(error);
    done();
  } catch (unexpected) {
    failed(unexpected);
  }
}
