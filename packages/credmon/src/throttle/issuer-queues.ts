// Caps how many renewals one issuer sees at once, and spares an issuer that does not
// answer the rest of the queue.
import type { CodedError } from '@credmon/core/base';
import {
  HEALTHY,
  errorOfWaiting,
  healthAfter,
  heldUntil,
  isSpared,
  waitOf,
  type IssuerHealth,
} from './circuit-breaker.ts';
import { createFairQueue, type FairQueue, type Waiting } from './fair-queue.ts';
import { createLocalQueue, type LocalRank } from './local-queue.ts';

/**
 * One renewal in a queue: `run` makes the attempt for `token` of `user`; `skip` records
 * that it was not made because of `error`, and not for so many `seconds`. `deadline`, in
 * steady seconds, is when its `.use` expires (infinite when it has, or when there is
 * none). `asked` tells after the attempt which issuer it was that answered or did not,
 * where that is known only then.
 */
export interface Job extends Waiting {
  readonly issuer: string;
  readonly token: string;
  readonly run: () => Promise<Error | undefined>;
  readonly asked?: () => string;
  readonly skip: (error: CodedError, seconds: number) => void;
  /**
   * Set when the attempt asks no issuer: the job then waits in the queue for local tokens
   * only.
   */
  readonly local?: LocalRank;
}

/**
 * Runs jobs, at most `cap` at a time for one issuer; issuers never wait for one another.
 * `add` rejects with what a job threw.
 */
export interface Limiter {
  add(job: Job): Promise<void>;
  /**
   * Learns what an issuer answered after the job had ended at its time-out: its health,
   * and who is next, follow from that.
   */
  answered(job: Pick<Job, 'issuer' | 'user' | 'token'>, error: Error | undefined): void;
  /** From now on nothing starts: what waits is let go untried, what runs may end. */
  close(): void;
  /** How many jobs were let go untried. */
  readonly dropped: number;
}

/**
 * How many jobs at a time one issuer sees, asked again for each, and the time in steady
 * seconds.
 */
export interface LimiterParts {
  readonly cap: () => number;
  readonly steady: () => number;
}

/**
 * Of so many issuers those are forgotten that nobody waits for; then again when twice as
 * many are left, so that looking stays cheap.
 */
const MANY = 1000;

interface Entry extends Waiting {
  readonly job: Job;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * `ownHealth` has the users of whom two tokens failed: only they wait then. `turns` has
 * who was asked for since the last good answer.
 */
interface Queue {
  readonly issuer: string;
  running: number;
  looking: boolean;
  turn: number;
  health: IssuerHealth;
  readonly ownHealth: Map<string, IssuerHealth>;
  readonly turns: Map<string, number>;
  readonly waiting: FairQueue<Entry>;
}

/** Creates a limiter. Jobs that ask no issuer have one queue of their own. */
export function createLimiter(parts: LimiterParts): Limiter {
  const issuers = createIssuerQueues(parts);
  const locals = createLocalQueue();
  return {
    ...issuers,
    add: (job) => (job.local === undefined ? issuers.add(job) : locals.add(job, job.local)),
    close: () => {
      locals.close();
      issuers.close();
    },
    get dropped() {
      return issuers.dropped + locals.dropped;
    },
  };
}

function createIssuerQueues({ cap, steady }: LimiterParts): Limiter {
  const queues = new Map<string, Queue>();
  let closed = false;
  let dropped = 0;
  let most = MANY;

  const queueOf = (issuer: string): Queue => {
    if (queues.size >= most) {
      forgetOld(queues, steady());
      most = Math.max(MANY, 2 * queues.size);
    }
    const queue = queues.get(issuer) ?? emptyQueue(issuer);
    queues.set(issuer, queue);
    return queue;
  };

  const next = (queue: Queue): void => {
    queue.looking = false;
    if (isSpared(queue.health)) {
      const entry = probeOf(queue, steady());
      if (entry) start(queue, entry);
    } else
      while (queue.running < cap()) {
        const entry = queue.waiting.take();
        if (!entry) break;
        if (!isSkipped(queue, entry, queue.ownHealth.get(entry.user) ?? HEALTHY, steady()))
          start(queue, entry);
      }
    if (isForgotten(queue)) queues.delete(queue.issuer);
  };

  const start = (queue: Queue, entry: Entry): void => {
    queue.running += 1;
    if (isSpared(queue.health)) takeTurn(queue, entry.user);
    run(queue, entry.job).then(entry.done, entry.failed);
  };

  const run = async (queue: Queue, job: Job): Promise<void> => {
    try {
      const error = await job.run();
      const told = queueOf(job.asked?.() ?? job.issuer);
      learn(told, job, error, steady());
      if (told !== queue) next(told);
    } finally {
      queue.running -= 1;
      next(queue);
    }
  };

  const lookSoon = async (queue: Queue): Promise<void> => {
    queue.looking = true;
    // Who is next can be told only when all that come in this turn of the event loop are
    // there.
    await Promise.resolve();
    next(queue);
  };

  return {
    add: (job) =>
      new Promise((done, failed) => {
        if (closed) {
          dropped += 1;
          return done();
        }
        const queue = queueOf(job.issuer);
        queue.waiting.add({ job, user: job.user, deadline: job.deadline, done, failed });
        if (!isSpared(queue.health)) next(queue);
        else if (!queue.looking) void lookSoon(queue);
        return undefined;
      }),
    answered: (job, error) => {
      const queue = queueOf(job.issuer);
      learn(queue, job, error, steady());
      next(queue);
    },
    close: () => {
      closed = true;
      for (const { waiting } of queues.values())
        for (const { done } of waiting.remove(() => true)) {
          dropped += 1;
          done();
        }
    },
    get dropped() {
      return dropped;
    },
  };
}

function emptyQueue(issuer: string): Queue {
  return {
    issuer,
    running: 0,
    looking: false,
    turn: 0,
    health: HEALTHY,
    ownHealth: new Map(),
    turns: new Map(),
    waiting: createFairQueue(),
  };
}

/**
 * Skips what has to wait for a spared issuer, and takes the one to ask it with, if nobody
 * is asked for now.
 */
function probeOf(queue: Queue, now: number): Entry | undefined {
  const { health, running, turns, waiting } = queue;
  for (const entry of waiting.remove(({ deadline }) => waitOf(health, deadline, now) > 0))
    isSkipped(queue, entry, health, now);
  // Whoever has been asked for since the last answer has had a turn: one user's bad
  // tokens must not be all that is tried.
  return running === 0 ? waiting.takeLowest((user) => turns.get(user) ?? 0) : undefined;
}

function takeTurn(queue: Queue, user: string): void {
  queue.turn += 1;
  queue.turns.set(user, queue.turn);
}

function learn(
  queue: Queue,
  { user, token }: Pick<Job, 'user' | 'token'>,
  error: Error | undefined,
  now: number,
): void {
  const own = healthAfter(queue.ownHealth.get(user) ?? HEALTHY, token, error, now);
  queue.health = healthAfter(queue.health, user, error, now);
  if (queue.health.length === 0) queue.turns.clear();
  else takeTurn(queue, user);
  if (own.length === 0) queue.ownHealth.delete(user);
  else queue.ownHealth.set(user, own);
}

function isForgotten({ running, waiting, health, ownHealth }: Queue): boolean {
  return running === 0 && waiting.users === 0 && health.length === 0 && ownHealth.size === 0;
}

/** Memory must not grow with every issuer that ever failed, nor with every user. */
function forgetOld(queues: Map<string, Queue>, now: number): void {
  for (const [issuer, { running, waiting, health, ownHealth }] of queues) {
    for (const [user, own] of ownHealth) if (heldUntil(own) < now) ownHealth.delete(user);
    if (running + waiting.users + ownHealth.size === 0 && heldUntil(health) < now)
      queues.delete(issuer);
  }
}

/**
 * Skips what has to wait by this health. One that cannot even be skipped keeps no other
 * from it.
 */
function isSkipped(
  { issuer }: Queue,
  { job, done, failed }: Entry,
  health: IssuerHealth,
  now: number,
): boolean {
  const seconds = waitOf(health, job.deadline, now);
  if (seconds === 0) return false;
  try {
    job.skip(errorOfWaiting(issuer, health, seconds), seconds);
    done();
  } catch (unexpected) {
    failed(unexpected);
  }
  return true;
}
