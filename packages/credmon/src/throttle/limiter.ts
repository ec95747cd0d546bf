// Limits the concurrent renewals per issuer, and stops asking an issuer that does not
// answer.
import type { CodedError } from '@credmon/core/base';
import {
  HEALTHY,
  errorOfWaiting,
  healthAfter,
  openUntil,
  isOpen,
  waitOf,
  type IssuerHealth,
  errorOfTurn,
  isOver,
  recoveryOf,
  waitAfter,
  type Recovery,
} from './circuit-breaker.ts';
import {
  createFairQueue,
  createLocalQueue,
  ended,
  type Ending,
  type FairQueue,
  type LocalRank,
  type Waiting,
} from './fair-queue.ts';

/**
 * A renewal in a queue: `run` makes the attempt for `token` of `user`; `skip` records
 * that it was skipped because of `error` for `seconds`. `deadline`: when its `.use`
 * expires, in steady seconds (infinite when expired or missing). `asked` returns after
 * the attempt which issuer was asked, if that is known only then.
 */
export interface Job extends Waiting {
  readonly issuer: string;
  readonly id: string;
  readonly run: () => Promise<Error | undefined>;
  readonly asked?: () => string;
  readonly skip: (error: CodedError, seconds: number) => void;
  /** Set when the attempt asks no issuer: the job uses the queue for local tokens. */
  readonly local?: LocalRank | undefined;
}

/** A job whose methods are called at its end, or when it was skipped or dropped. */
export type QueuedJob = Job & Ending;

/**
 * Runs jobs, at most `cap` at a time for one issuer; issuers are independent. `add`
 * rejects with the error of a job; `put` calls its methods instead.
 */
export interface Limiter {
  add(job: Job): Promise<void>;
  put(job: QueuedJob): void;
  /**
   * Records an answer that arrived after the job ended at its time-out; it changes the
   * issuer's health.
   */
  answered(job: Pick<Job, 'issuer' | 'user' | 'id'>, error: Error | undefined): void;
  /** Starts no more jobs: waiting jobs are dropped, running jobs may end. */
  close(): void;
  /** The number of dropped jobs. */
  readonly dropped: number;
}

/**
 * `cap` is the limit of concurrent jobs per issuer, read for each job; `steady` is the
 * time in steady seconds.
 */
export interface LimiterParts {
  readonly cap: () => number;
  readonly steady: () => number;
}

/** Evict idle queues at this size; the threshold doubles, so the cost is amortised. */
const EVICT_AT = 1000;

/**
 * `ownHealth`: users with two failed tokens, whose tokens alone wait. `turns`: who was
 * asked for since the last good answer.
 */
interface Queue {
  readonly issuer: string;
  running: number;
  scheduled: boolean;
  turn: number;
  health: IssuerHealth;
  readonly ownHealth: Map<string, IssuerHealth>;
  readonly turns: Map<string, number>;
  readonly waiting: FairQueue<QueuedJob>;
  /** When the circuit opened, in steady seconds; `undefined` while it is closed. */
  openSince: number | undefined;
  /** The tokens that were skipped since then. */
  readonly held: Set<string>;
  /** The end of the last outage, until all of these tokens have had their turn. */
  recovery: Recovery | undefined;
}

/** Creates a limiter. Local jobs have their own queue. */
export function createLimiter(parts: LimiterParts): Limiter {
  const issuers = createIssuerQueues(parts);
  const locals = createLocalQueue();
  const put: Limiter['put'] = (job) =>
    job.local === undefined ? issuers.put(job) : locals.put(job, job.local);
  return {
    ...issuers,
    put,
    add: (job) => new Promise((done, failed) => put({ ...job, done: () => done(), failed })),
    close: () => {
      locals.close();
      issuers.close();
    },
    get dropped() {
      return issuers.dropped + locals.dropped;
    },
  };
}

function createIssuerQueues({ cap, steady }: LimiterParts): Omit<Limiter, 'add'> {
  const queues = new Map<string, Queue>();
  let closed = false;
  let dropped = 0;
  let evictAt = EVICT_AT;

  const queueOf = (issuer: string): Queue => {
    if (queues.size >= evictAt) {
      evictIdle(queues, steady());
      evictAt = Math.max(EVICT_AT, 2 * queues.size);
    }
    const queue = queues.get(issuer) ?? emptyQueue(issuer);
    queues.set(issuer, queue);
    return queue;
  };

  const next = (queue: Queue): void => {
    queue.scheduled = false;
    if (isOpen(queue.health)) {
      const job = probeOf(queue, steady());
      if (job) start(queue, job);
    } else
      while (queue.running < cap()) {
        const job = queue.waiting.take();
        if (!job) break;
        if (!mustWait(queue, job, steady())) start(queue, job);
      }
    if (isIdle(queue, steady())) queues.delete(queue.issuer);
  };

  const start = (queue: Queue, job: QueuedJob): void => {
    queue.running += 1;
    if (isOpen(queue.health)) takeTurn(queue, job.user);
    void ended(job, run(queue, job));
  };

  const run = async (queue: Queue, job: Job): Promise<void> => {
    try {
      const error = await job.run();
      const askedQueue = queueOf(job.asked?.() ?? job.issuer);
      record(askedQueue, job, error, steady());
      if (askedQueue !== queue) next(askedQueue);
    } finally {
      queue.running -= 1;
      next(queue);
    }
  };

  const scheduleNext = async (queue: Queue): Promise<void> => {
    queue.scheduled = true;
    // Wait for all jobs of this turn of the event loop before choosing the next.
    await Promise.resolve();
    next(queue);
  };

  return {
    put: (job) => {
      if (closed) {
        dropped += 1;
        return job.done();
      }
      const queue = queueOf(job.issuer);
      queue.waiting.add(job);
      if (!isOpen(queue.health)) next(queue);
      else if (!queue.scheduled) void scheduleNext(queue);
      return undefined;
    },
    answered: (job, error) => {
      const queue = queueOf(job.issuer);
      record(queue, job, error, steady());
      next(queue);
    },
    close: () => {
      closed = true;
      for (const { waiting } of queues.values())
        for (const job of waiting.remove(() => true)) {
          dropped += 1;
          job.done();
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
    scheduled: false,
    turn: 0,
    health: HEALTHY,
    ownHealth: new Map(),
    turns: new Map(),
    waiting: createFairQueue(),
    openSince: undefined,
    held: new Set(),
    recovery: undefined,
  };
}

/**
 * Skips the jobs that must wait for the open circuit, and returns the probe if none is
 * running.
 */
function probeOf(queue: Queue, now: number): QueuedJob | undefined {
  const { health, issuer, running, turns, waiting } = queue;
  // Tokens that wait for the same time share one error: creating an error takes long.
  const errors = new Map<number, CodedError>();
  for (const job of waiting.remove(({ deadline }) => waitOf(health, deadline, now) > 0)) {
    queue.held.add(job.id);
    const seconds = waitOf(health, job.deadline, now);
    const error = errors.get(seconds) ?? errorOfWaiting(issuer, health, seconds);
    errors.set(seconds, error);
    skipped(job, error, seconds);
  }
  // Prefer users not asked for since the last answer: one user's bad tokens must not be
  // the only probes.
  return running === 0 ? waiting.takeLowest((user) => turns.get(user) ?? 0) : undefined;
}

function takeTurn(queue: Queue, user: string): void {
  queue.turn += 1;
  queue.turns.set(user, queue.turn);
}

function record(
  queue: Queue,
  { user, id: token }: Pick<Job, 'user' | 'id'>,
  error: Error | undefined,
  now: number,
): void {
  const own = healthAfter(queue.ownHealth.get(user) ?? HEALTHY, token, error, now);
  queue.health = healthAfter(queue.health, user, error, now);
  noteOutage(queue, now);
  if (queue.health.length === 0) queue.turns.clear();
  else takeTurn(queue, user);
  if (own.length === 0) queue.ownHealth.delete(user);
  else queue.ownHealth.set(user, own);
}

/** Notes the begin or the end of an outage. */
function noteOutage(queue: Queue, now: number): void {
  if (isOpen(queue.health)) queue.openSince ??= now;
  else if (queue.openSince !== undefined) {
    queue.recovery = recoveryOf(queue.openSince, now);
    queue.openSince = undefined;
  }
}

/** Skips a job whose user's tokens wait, or that takes its turn after an outage. */
function mustWait(queue: Queue, job: QueuedJob, now: number): boolean {
  const own = queue.ownHealth.get(job.user) ?? HEALTHY;
  return isSkipped(queue, job, own, now) || isHeld(queue, job, now);
}

/** Skips, once, a job that waited for the issuer and whose turn after the outage is later. */
function isHeld(queue: Queue, job: QueuedJob, now: number): boolean {
  const { recovery, held, issuer } = queue;
  if (recovery && isOver(recovery, now)) {
    queue.recovery = undefined;
    held.clear();
  }
  if (!held.delete(job.id) || !queue.recovery) return false;
  const seconds = waitAfter(queue.recovery, job.id, job.deadline, now);
  return seconds > 0 && skipped(job, errorOfTurn(issuer), seconds);
}

function isIdle({ running, waiting, health, ownHealth, recovery }: Queue, now: number): boolean {
  const isRecovered = recovery === undefined || isOver(recovery, now);
  return (
    isRecovered &&
    running === 0 &&
    waiting.users === 0 &&
    health.length === 0 &&
    ownHealth.size === 0
  );
}

/** Evicts idle issuers and users whose circuit has closed. */
function evictIdle(queues: Map<string, Queue>, now: number): void {
  for (const [issuer, { running, waiting, health, ownHealth }] of queues) {
    for (const [user, own] of ownHealth) if (openUntil(own) < now) ownHealth.delete(user);
    if (running + waiting.users + ownHealth.size === 0 && openUntil(health) < now)
      queues.delete(issuer);
  }
}

/** Skips a job that must wait. */
function isSkipped({ issuer }: Queue, job: QueuedJob, health: IssuerHealth, now: number): boolean {
  const seconds = waitOf(health, job.deadline, now);
  return seconds > 0 && skipped(job, errorOfWaiting(issuer, health, seconds), seconds);
}

/** Skips a job. An error in `skip` does not affect other jobs. */
function skipped(job: QueuedJob, error: CodedError, seconds: number): true {
  try {
    job.skip(error, seconds);
  } catch (unexpected) {
    job.failed(unexpected);
    return true;
  }
  job.done();
  return true;
}
