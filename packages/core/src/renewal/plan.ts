// Decides from one scan and the time which tokens to renew now, and when to check again.
// Pure: the plan is a value.
import { sortInSlices } from '../base/time/yielder.ts';
import type { Parsed } from '../credential/file-contents.ts';
import type { Instant, RenewalState, TokenSnapshot } from '../credential/snapshot.ts';
import { ANY_BASIS } from './backoff.ts';
import { dueOf, localNow, type DueReason } from './due.ts';
import type { RenewalPolicy } from './policy.ts';

/**
 * A token and its owner. `renewable` is the owner's decision. `basis` is the fingerprint
 * of the inputs of a renewal (see `RenewalState`). Before `pausedUntil` (steady seconds)
 * the token is not renewed, because it was renewed recently.
 */
export interface ManagedToken {
  readonly snapshot: TokenSnapshot;
  readonly provider: string;
  readonly renewable: Parsed<true>;
  readonly basis: () => string;
  readonly policy: RenewalPolicy;
  readonly pausedUntil?: number;
}

/** The state of a token. */
export type TokenState = 'fresh' | 'due' | 'waiting' | 'stopped' | 'unrenewable';

/**
 * The decision on one token. `dueIn` in seconds from now (zero or less if due, infinite
 * if never).
 */
export interface Verdict {
  readonly managed: ManagedToken;
  readonly state: TokenState;
  readonly dueIn: number;
  readonly reason: DueReason | RenewalState['code'] | 'unrenewable';
}

/** The decisions on all tokens; they may be made again each time they are read. */
export interface Verdicts extends Iterable<Verdict> {
  readonly length: number;
}

/**
 * The tokens to renew now, ordered by expiry, and the seconds until the next one is due.
 */
export interface Plan {
  readonly renew: readonly Verdict[];
  readonly verdicts: Verdicts;
  readonly nextIn: number;
  /**
   * Those of the verdicts that may differ from the last plan; without it, all may. The others
   * are of tokens that are fresh, as before.
   */
  readonly changed?: Iterable<Verdict>;
  /** The tokens of `changed`, without deciding again. */
  readonly changedTokens?: Iterable<TokenSnapshot>;
  /** Decides on one token again; `undefined` if no provider owns it. */
  readonly verdictOf?: (token: TokenSnapshot) => Verdict | undefined;
}

/** Decides on one token at `now`. */
export function judge(managed: ManagedToken, now: Instant): Verdict {
  const { snapshot, policy } = managed;
  const due = dueOf(snapshot, policy, now.wall);
  // A token that does not expire needs no renewal.
  if (!managed.renewable.ok && due.at < Number.POSITIVE_INFINITY)
    return {
      managed,
      state: 'unrenewable',
      dueIn: Number.POSITIVE_INFINITY,
      reason: 'unrenewable',
    };
  const dueIn = due.at - localNow(snapshot, now);
  const failed = relevantFailure(managed, now);
  if (failed?.stopped)
    return { managed, state: 'stopped', dueIn: Number.POSITIVE_INFINITY, reason: failed.code };
  if (dueIn > 0) return { managed, state: 'fresh', dueIn, reason: due.reason };
  const retryIn = failed ? failed.not_before - now.wall : 0;
  if (failed && retryIn > 0)
    return { managed, state: 'waiting', dueIn: retryIn, reason: failed.code };
  const paused = (managed.pausedUntil ?? 0) - now.steady;
  if (paused > 0) return { managed, state: 'waiting', dueIn: paused, reason: due.reason };
  return { managed, state: 'due', dueIn: Math.min(dueIn, 0), reason: due.reason };
}

/** True if the token is never due: it does not expire. */
export function isNeverDue({ state, dueIn }: Pick<Verdict, 'state' | 'dueIn'>): boolean {
  return state === 'fresh' && dueIn === Number.POSITIVE_INFINITY;
}

/**
 * Returns the failure of the last renewal, unless it is for other files or another
 * client, or is dated in the future.
 */
function relevantFailure(
  { snapshot, basis }: ManagedToken,
  now: Instant,
): RenewalState | undefined {
  const state = snapshot.renewal;
  // The basis is computed only after a failure: each pass decides on every token.
  if (!state || state.last_attempt > now.wall + 1) return undefined;
  return state.basis === ANY_BASIS || state.basis === basis() ? state : undefined;
}

/** Decides on every token. */
export function planRenewals(tokens: Iterable<ManagedToken>, now: Instant): Plan {
  const verdicts = [...tokens].map((managed) => judge(managed, now));
  const { due, nextIn, order, compare } = unsorted(verdicts);
  return planFrom(verdicts, due, order.sort(compare), nextIn);
}

/**
 * Returns the plan for the decisions on all tokens; yields to the event loop while it
 * sorts.
 */
export async function planOf(verdicts: readonly Verdict[]): Promise<Plan> {
  const { due, nextIn, order, compare } = unsorted(verdicts);
  await sortInSlices(order, compare);
  return planFrom(verdicts, due, order, nextIn);
}

function planFrom(
  verdicts: readonly Verdict[],
  due: readonly Verdict[],
  order: Uint32Array,
  nextIn: number,
): Plan {
  const renew = Array.from(order, (index) => due[index]).filter((verdict) => verdict !== undefined);
  return { renew, verdicts, nextIn };
}

/** Returns the due tokens, and their order: by expiry, then by name. */
function unsorted(verdicts: readonly Verdict[]): {
  readonly due: readonly Verdict[];
  readonly nextIn: number;
  readonly order: Uint32Array;
  readonly compare: (a: number, b: number) => number;
} {
  let nextIn = Number.POSITIVE_INFINITY;
  const due: Verdict[] = [];
  for (const verdict of verdicts) {
    if (verdict.state === 'due') due.push(verdict);
    else nextIn = Math.min(nextIn, verdict.dueIn);
  }
  // Sorting numbers in typed arrays takes half the time of sorting objects, which matters
  // with 100,000 tokens.
  const expiries = Float64Array.from(due, expiry);
  const order = Uint32Array.from(due, (_, index) => index);
  const compare = (a: number, b: number): number =>
    (expiries[a] ?? 0) - (expiries[b] ?? 0) || byName(due[a], due[b]);
  return { due, nextIn, order, compare };
}

/** A missing token comes first: a job may be waiting for it. */
function expiry({ managed }: Verdict): number {
  const { use } = managed.snapshot;
  return use.kind === 'valid' ? use.value.expiresAt : 0;
}

function byName(a: Verdict | undefined, b: Verdict | undefined): number {
  const [one, other] = [a?.managed.snapshot, b?.managed.snapshot];
  return compareText(one?.user, other?.user) || compareText(one?.stem, other?.stem);
}

function compareText(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
