// The renewal policy: when tokens are renewed, the lifetime of a token whose issuer does
// not say it, how late it is renewed, and how long that may take.
import { largest } from '@credmon/core/base';
import type { Settings } from './read.ts';
import type { KnobReader } from '@credmon/core/config';
import { type TokenSnapshot, changedToken, splitStem } from '@credmon/core/credential';
import { type IssuerPolicy, defaultLifetimeOf, policyOf } from '@credmon/core/profiles';
import type { RenewalPolicy } from '@credmon/core/renewal';

export function readPolicy(read: KnobReader): RenewalPolicy {
  return {
    ...readShares(read),
    defaultLifetime: readDefaultLifetime(read),
    firstRetry: read.integer('CREDMON_FIRST_RETRY'),
    longestRetry: read.integer('CREDMON_LONGEST_RETRY'),
  };
}

/**
 * Reads the shares of a lifetime. A fraction not greater than the jitter would renew some
 * tokens as soon as they are issued, endlessly.
 */
function readShares(read: KnobReader): Pick<RenewalPolicy, 'fraction' | 'jitter'> {
  const [fractionKnob, jitterKnob] = ['CREDMON_RENEW_FRACTION', 'CREDMON_RENEW_JITTER'];
  const fraction = read.number('CREDMON_RENEW_FRACTION');
  const jitter = read.number('CREDMON_RENEW_JITTER');
  const [fractionPlace, jitterPlace] = [read.place(fractionKnob), read.place(jitterKnob)];
  if (fraction > jitter || fractionPlace === undefined || jitterPlace === undefined)
    return { fraction, jitter };
  const [knob, sign, other] =
    fractionPlace === 'default'
      ? [
          jitterKnob,
          `= ${jitter} must be less than`,
          `${fractionKnob} = ${fraction} (${fractionPlace})`,
        ]
      : [
          fractionKnob,
          `= ${fraction} must be greater than`,
          `${jitterKnob} = ${jitter} (${jitterPlace})`,
        ];
  read.mistake(knob, `${sign} ${other}; fix: raise ${fractionKnob} or lower ${jitterKnob}`);
  return { fraction, jitter };
}

/**
 * Returns how long a token counts as valid, in seconds, when neither the issuer nor the
 * token says.
 */
export function readDefaultLifetime(read: KnobReader): number {
  return read.integer('CREDMON_DEFAULT_TOKEN_LIFETIME');
}

// The daemon's own intervals, in seconds.

/** Maximum time between two passes. */
export const LONGEST_SLEEP = 60;
/**
 * Minimum time between two passes without a wake-up, so that a token that is due at every
 * pass does not keep a processor busy.
 */
export const SHORTEST_SLEEP = 0.2;
/** Retry interval of pending writes. */
export const REWRITE_INTERVAL = 5;
/**
 * Time until the next pass while late answers are pending: a token whose connection ended
 * without an answer may be due.
 */
export const LATE_INTERVAL = 5;
/** Retry delay after an unexpected exception. */
export const UNEXPECTED_INTERVAL = 60;
/**
 * A pass after a wake-up scans only changes; the next pass follows this soon and scans
 * the rest.
 */
export const SLEEP_AFTER_WAKE_UP = 5;

type LifetimeSettings = Pick<Settings, 'policies' | 'lists' | 'policy'>;

function issuerOf(stem: string, { policies, lists }: LifetimeSettings): IssuerPolicy {
  return policyOf(policies, splitStem(stem, lists.specialNames)?.service ?? stem);
}

/**
 * Returns the lifetime in seconds of a token of this name without one; infinite if such
 * tokens do not expire.
 */
export function lifetimeOfStem(stem: string, settings: LifetimeSettings): number {
  return defaultLifetimeOf(issuerOf(stem, settings), settings.policy.defaultLifetime);
}

/**
 * Returns the token with the default lifetime of its provider, if a scan has assumed one.
 */
export function withOwnLifetime(token: TokenSnapshot, settings: LifetimeSettings): TokenSnapshot {
  if (token.assumed !== true) return token;
  const { use, stem } = token;
  if (use.kind !== 'valid') return token;
  const expiresAt = use.value.issuedAt + lifetimeOfStem(stem, settings);
  return changedToken(token, { use: { ...use, value: { ...use.value, expiresAt } } });
}

/**
 * Returns the renewal policies of tokens by name. A renewal at an issuer that revokes the
 * old access token is as late as it can be without a job that reads a token with less than
 * CREDMON_TOKEN_FLOOR left: before that come one interval between passes and one between
 * two fetches of the starter.
 */
export function renewalPolicies(
  settings: LifetimeSettings & Pick<Settings, 'floor' | 'starterRefresh'>,
): (stem: string) => RenewalPolicy {
  const { policies, policy, floor, starterRefresh } = settings;
  const late = { ...policy, margin: floor + LONGEST_SLEEP + starterRefresh };
  if (![...policies.values()].some(({ refreshRevokes }) => refreshRevokes)) return () => policy;
  return (stem) => (issuerOf(stem, settings).refreshRevokes ? late : policy);
}

/** HTTP exchanges per renewal: metadata (at two URLs), keys and the token. */
const EXCHANGES = 4;
/** Seconds for the work after the answer. */
const MARGIN = 5;

/**
 * Returns the seconds after which no renewal can still be in progress: each exchange and
 * each token program has its own time-out.
 */
export function graceSeconds(settings: Pick<Settings, 'limits' | 'tokenPrograms'>): number {
  const programs = settings.tokenPrograms.map(({ seconds }) => seconds);
  return largest(programs, EXCHANGES * settings.limits.totalSeconds) + MARGIN;
}
