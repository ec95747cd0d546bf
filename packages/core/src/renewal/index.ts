// The public API of @credmon/core/renewal, renewal decisions: policy, due times, backoff,
// plan.
export { DEFAULT_POLICY, SHORTEST_PAUSE } from './policy.ts';
export type { RenewalPolicy } from './policy.ts';
export { dueByLifetime, dueOf, localNow } from './due.ts';
export type { Due, DueReason } from './due.ts';
export { ANY_BASIS, afterFailure, afterWaiting, forgottenAtStart } from './backoff.ts';
export type { Failure } from './backoff.ts';
export { jitterOf } from './policy.ts';
export { isNeverDue, judge, planOf, planRenewals } from './plan.ts';
export type { ManagedToken, Plan, TokenState, Verdict, Verdicts } from './plan.ts';
export { LONGEST_PAUSE, SHORTEST_LIFETIME, SHORT_LIVES, pauseAfter } from './due.ts';
