// The renewals that a pass has started: they wait for their turn in the limiter, are attempted
// or skipped, and end.
import { type CodedError, messageOf } from '@credmon/core/base';
import { type Instant, instantOf, tokenId, type TokenSnapshot } from '@credmon/core/credential';
import { localNow, type Verdict } from '@credmon/core/renewal';
import type { Provider } from '../providers/common/provider.ts';
import { UNEXPECTED_INTERVAL } from '../settings/policy.ts';
import type { LocalRank } from '../throttle/fair-queue.ts';
import type { Job, QueuedJob } from '../throttle/limiter.ts';
import { attempt, type Attempted } from './attempt.ts';
import type { PassContext, PassMemory } from './context.ts';
import { postponed } from './record-outcome.ts';

/** The renewals that a pass has started. `soonest`: when one of them is due again. */
export interface Renewals {
  readonly context: PassContext;
  readonly memory: PassMemory;
  readonly ended: ((nextIn: number) => void) | undefined;
  started: number;
  running: number;
  soonest: number;
  settle?: (nextIn: number) => void;
}

/**
 * Returns the number of renewals, and a promise that resolves when all have ended, with the
 * seconds until one of their tokens is due again. To be called when the last one has started.
 */
export function endOf(renewals: Renewals): {
  readonly started: number;
  readonly settled: Promise<number>;
} {
  const settled = new Promise<number>((resolve) => {
    if (renewals.running === 0) resolve(renewals.soonest);
    else renewals.settle = resolve;
  });
  return { started: renewals.started, settled };
}

/** Starts a renewal; the limiter decides when it is its turn. */
export function start(renewals: Renewals, verdict: Verdict, provider: Provider): void {
  const job = new Renewal(renewals, verdict, provider);
  renewals.started += 1;
  renewals.running += 1;
  renewals.memory.inFlight.add(job.id);
  try {
    renewals.context.limiter.put(job);
  } catch (error) {
    job.failed(error);
  }
}

/**
 * A renewal that was started, and may wait for its turn. Tens of thousands may wait at a time:
 * it has methods of a class, because promises and closures would take ten times the memory.
 */
class Renewal implements QueuedJob {
  readonly id: string;
  readonly deadline: number;
  readonly #renewals: Renewals;
  readonly #verdict: Verdict;
  readonly #provider: Provider;
  #nextIn: number | Promise<number> = Number.POSITIVE_INFINITY;

  constructor(renewals: Renewals, verdict: Verdict, provider: Provider) {
    const { snapshot } = verdict.managed;
    this.id = tokenId(snapshot);
    this.deadline = deadlineOf(snapshot, instantOf(renewals.context.clock));
    this.#renewals = renewals;
    this.#verdict = verdict;
    this.#provider = provider;
  }

  get user(): string {
    return this.#verdict.managed.snapshot.user;
  }

  get issuer(): string {
    return this.#provider.issuerOf(this.#verdict.managed.snapshot);
  }

  get local(): LocalRank | undefined {
    if (this.#provider.isLocal !== true) return undefined;
    return this.#verdict.managed.snapshot.use.kind === 'missing' ? 'awaited' : 'due';
  }

  async run(): Promise<Error | undefined> {
    const { context, memory } = this.#renewals;
    const turn = this.#provider.isLocal === true ? undefined : context.turn();
    if (turn) await turn;
    if (context.lockState() !== 'held') {
      this.#nextIn = 0;
      return undefined;
    }
    const attempted = await attempt(context, memory, this.#verdict, this.#provider);
    const { error, late, nextIn } = attempted;
    this.#nextIn = nextIn;
    // Its error is reported at the end.
    if (typeof nextIn !== 'number') nextIn.catch(() => undefined);
    if (late) void followLate(context, { issuer: this.issuer, user: this.user, id: this.id }, late);
    return error;
  }

  skip(error: CodedError, seconds: number): void {
    const { context, memory } = this.#renewals;
    this.#nextIn = postponed(context, memory, this.#verdict, error, seconds);
  }

  done(): void {
    void this.#end(this.#nextIn);
  }

  failed(error: unknown): void {
    void this.#end(this.#unexpected(error));
  }

  /** A bug with one token must not end the renewal of all others. */
  #unexpected(error: unknown): number {
    const text = `${this.id}: unexpected error: ${messageOf(error)}`;
    this.#renewals.context.report({ type: 'problem', text, id: this.id });
    return UNEXPECTED_INTERVAL;
  }

  async #end(written: number | Promise<number>): Promise<void> {
    const all = this.#renewals;
    let nextIn: number;
    try {
      nextIn = await written;
    } catch (error) {
      nextIn = this.#unexpected(error);
    }
    all.memory.inFlight.delete(this.id);
    all.context.asked?.ended(this.id);
    all.ended?.(nextIn);
    all.running -= 1;
    all.soonest = Math.min(all.soonest, nextIn);
    if (all.running === 0) all.settle?.(all.soonest);
  }
}

/** Waits for a late answer and reports the issuer's health to the limiter. */
async function followLate(
  context: PassContext,
  job: Pick<Job, 'issuer' | 'user' | 'id'>,
  late: NonNullable<Attempted['late']>,
): Promise<void> {
  try {
    const answer = await late;
    if (answer) context.limiter.answered(job, answer.error);
  } catch (error) {
    const text = `${job.id}: unexpected error with a late answer: ${messageOf(error)}`;
    context.report({ type: 'problem', text, id: job.id });
  }
}

/**
 * Returns when the access token on disk expires, in steady seconds; infinite when it has
 * expired or is missing.
 */
function deadlineOf(token: TokenSnapshot, now: Instant): number {
  const left = token.use.kind === 'valid' ? token.use.value.expiresAt - localNow(token, now) : 0;
  return left > 0 ? now.steady + left : Number.POSITIVE_INFINITY;
}
