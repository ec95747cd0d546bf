// Counts the tokens of a plan by provider: the numbers of the gauges. Pure.
import { inSlices } from '@credmon/core/base';
import {
  localNow,
  type ManagedToken,
  type Plan,
  type TokenState,
  type Verdict,
} from '@credmon/core/renewal';
import type { Instant } from '@credmon/core/credential';
import type { ProviderLabels } from './labels.ts';

/**
 * The counts of one provider's tokens. `working` and `expired` by state (`expired`:
 * without a valid token now); `refusedUsers`: users without a token by the local rules;
 * `secondsLeft`: until the first of the renewed tokens expires, without those that do not
 * expire.
 */
export interface Tally {
  readonly labels: ProviderLabels;
  readonly working: Record<TokenState, number>;
  readonly expired: Record<TokenState, number>;
  readonly refusedUsers: Set<string>;
  secondsLeft: number | undefined;
}

/** Returns the counts of a plan made at `now`, one for each provider with tokens. */
export async function tallyOf(
  plan: Plan,
  now: Instant,
  labelsOf: (token: ManagedToken) => ProviderLabels,
): Promise<readonly Tally[]> {
  const tallies = new Map<string, Tally>();
  const tallyFor = (token: ManagedToken): Tally => {
    const labels = labelsOf(token);
    const key = `${labels.kind} ${labels.provider}`;
    const tally = tallies.get(key) ?? emptyTally(labels);
    tallies.set(key, tally);
    return tally;
  };
  // Many tokens share a stem, and finding the name costs more than counting.
  const known = new Map<string, Tally>();
  await inSlices(plan.verdicts, (verdict) => {
    const { provider, snapshot } = verdict.token;
    const key = `${provider} ${snapshot.stem}`;
    const tally = known.get(key) ?? tallyFor(verdict.token);
    known.set(key, tally);
    add(tally, verdict, now);
  });
  return [...tallies.values()];
}

function emptyTally(labels: ProviderLabels): Tally {
  const none = { fresh: 0, due: 0, waiting: 0, stopped: 0, unrenewable: 0 };
  return {
    labels,
    working: { ...none },
    expired: { ...none },
    refusedUsers: new Set(),
    secondsLeft: undefined,
  };
}

function add(tally: Tally, verdict: Verdict, now: Instant): void {
  const { token, state } = verdict;
  const { use, user } = token.snapshot;
  if (token.provider === 'local' && state === 'stopped') {
    // Intended by the rules: the empty token is not an outage.
    tally.refusedUsers.add(user);
    tally.working.stopped += 1;
    return;
  }
  const left = use.kind === 'valid' ? use.value.expiresAt - localNow(token.snapshot, now) : 0;
  // A token that was just requested has not expired.
  const isNew = use.kind === 'missing' && state === 'due';
  if (left <= 0 && !isNew) {
    tally.expired[state] += 1;
    return;
  }
  tally.working[state] += 1;
  const isKept = state !== 'stopped' && state !== 'unrenewable';
  if (left > 0 && isKept && Number.isFinite(left))
    tally.secondsLeft = Math.min(tally.secondsLeft ?? Number.POSITIVE_INFINITY, left);
}
