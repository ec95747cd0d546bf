// The labels and numbers of the gauges: names are limited, because users may invent names
// of services; tokens of a plan are counted by provider. Pure.
import type { Settings } from '../settings/read.ts';
import { inSlices } from '@credmon/core/base';
import type { Instant } from '@credmon/core/credential';
import {
  type ManagedToken,
  type Plan,
  type TokenState,
  type Verdict,
  localNow,
} from '@credmon/core/renewal';

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
  labelsOf: (managed: ManagedToken) => ProviderLabels,
): Promise<readonly Tally[]> {
  const tallies = new Map<string, Tally>();
  const tallyFor = (managed: ManagedToken): Tally => {
    const labels = labelsOf(managed);
    const key = `${labels.kind} ${labels.provider}`;
    const tally = tallies.get(key) ?? emptyTally(labels);
    tallies.set(key, tally);
    return tally;
  };
  // Many tokens share a stem, and finding the name costs more than counting.
  const known = new Map<string, Tally>();
  await inSlices(plan.verdicts, (verdict) => {
    const { provider, snapshot } = verdict.managed;
    const key = `${provider} ${snapshot.stem}`;
    const tally = known.get(key) ?? tallyFor(verdict.managed);
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
  const { managed, state } = verdict;
  const { use, user } = managed.snapshot;
  if (managed.provider === 'local' && state === 'stopped') {
    // Intended by the rules: the empty token is not an outage.
    tally.refusedUsers.add(user);
    tally.working.stopped += 1;
    return;
  }
  const left = use.kind === 'valid' ? use.value.expiresAt - localNow(managed.snapshot, now) : 0;
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

/**
 * The labels of a token: the service's name, never the user's, and the kind of its
 * provider.
 */
export interface ProviderLabels {
  readonly provider: string;
  readonly kind: string;
}

/** Maximum number of unconfigured names that are shown individually. */
const MOST_UNKNOWN = 50;
/** The name for all others. */
const OTHERS = 'other';

/** The settings with names of services. */
export type NameSettings = Pick<Settings, 'lists' | 'clients' | 'standing'>;

/**
 * Returns a name as configured, if it is; names of clients are case-insensitive, so they
 * are shown in lower case.
 */
export function configuredName(
  { lists, clients, standing }: NameSettings,
  name: string,
): string | undefined {
  const { specialNames: _, ...named } = lists;
  if (Object.values(named).some((list) => list !== '*' && list.includes(name))) return name;
  if (standing.some((token) => token.name === name)) return name;
  return clients.has(name.toUpperCase()) ? name.toLowerCase() : undefined;
}

/**
 * Returns a function that limits names: configured ones, the first `most` others, and one
 * name for the rest.
 */
export function boundedNames(
  configured: (name: string) => string | undefined,
  most: number = MOST_UNKNOWN,
): (name: string) => string {
  const unknown = new Set<string>();
  return (name) => {
    const shown = configured(name);
    if (shown !== undefined || unknown.has(name)) return shown ?? name;
    if (unknown.size >= most) return OTHERS;
    unknown.add(name);
    return name;
  };
}
