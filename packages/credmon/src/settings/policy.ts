// The renewal policy that the knobs describe.
import type { KnobReader } from '@credmon/core/config';
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
 * The shares of a lifetime. A fraction that is not greater than the jitter would renew
 * some tokens as soon as they are issued, without end.
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
 * Seconds that a token counts as valid when neither its issuer nor the token itself says.
 */
export function readDefaultLifetime(read: KnobReader): number {
  return read.integer('CREDMON_DEFAULT_TOKEN_LIFETIME');
}

// The daemon's own intervals, in seconds.

/** The longest time between two passes. */
export const LONGEST_SLEEP = 60;
/**
 * The shortest, unless somebody rings: a token that is due at every look must not keep a
 * processor busy.
 */
export const SHORTEST_SLEEP = 0.2;
/** How long a rotated token that could not be written waits for the next try. */
export const REWRITE_INTERVAL = 5;
/**
 * While late answers are awaited, the next pass comes this soon: a token whose connection
 * ended without an answer may be due.
 */
export const LATE_INTERVAL = 5;
/** How long a token rests whose renewal met what nobody expected. */
export const UNEXPECTED_INTERVAL = 60;
/**
 * A pass that somebody called for looks at what changed only; the next one comes this
 * soon and looks at the rest.
 */
export const SLEEP_AFTER_CALL = 5;
