// The rotation plan: the possible next step of a signing key, or the reason to wait.
import type { Algorithm } from '../token/algorithms.ts';

/**
 * `next` is published and waits, `active` signs, `retiring` is published for its last
 * tokens, `retired` is kept as a record.
 */
export type KeyState = 'next' | 'active' | 'retiring' | 'retired';

/** One key of a directory. Times are epoch seconds, missing if in the future. */
export interface KeyRecord {
  readonly kid: string;
  readonly algorithm: Algorithm;
  /** The name of the file with the private key, in the directory. */
  readonly file: string;
  readonly state: KeyState;
  readonly created: number;
  readonly published?: number;
  readonly activated?: number;
  readonly retiring?: number;
  readonly retired?: number;
}

/**
 * Seconds: the time of publication before a key signs, and the maximum lifetime of a
 * token.
 */
export interface RotationPolicy {
  readonly publishLead: number;
  readonly longestLifetime: number;
}

/** A policy without the members that {@link DEFAULT_POLICY} decides. */
export type PolicyChoice = {
  readonly [Name in keyof RotationPolicy]?: RotationPolicy[Name] | undefined;
};

/** Four days: scitokens-cpp caches a key set that long. One day. */
export const DEFAULT_POLICY: RotationPolicy = { publishLead: 4 * 86400, longestLifetime: 86400 };

/** Seconds. A token that has expired by our clock may be valid by another one. */
const CLOCK_ALLOWANCE = 300;

/**
 * The next step for a directory's keys. `wait` has the time (epoch seconds) of the next
 * possible step, if time alone is sufficient.
 */
export type RotationStep =
  | { readonly step: 'create' }
  | { readonly step: 'activate'; readonly kid: string }
  | { readonly step: 'retire'; readonly kid: string }
  | { readonly step: 'wait'; readonly reason: string; readonly until?: number };

/**
 * Decides the next step. `begin` requests a new key although there is an active one. A
 * key signs only after publication for `publishLead` (the first one: after any
 * publication), and stays published until the last token that it may have signed has
 * expired.
 */
export function planRotation(
  keys: readonly KeyRecord[],
  { publishLead, longestLifetime }: RotationPolicy,
  now: number,
  begin: boolean,
): RotationStep {
  const dead = keys.find(
    (key) => key.state === 'retiring' && now >= endOfTokens(key, longestLifetime),
  );
  if (dead) return { step: 'retire', kid: dead.kid };
  const next = keys.find((key) => key.state === 'next');
  const active = keys.find((key) => key.state === 'active');
  if (next === undefined) {
    if (active === undefined || begin) return { step: 'create' };
    const retiring = keys.find((key) => key.state === 'retiring');
    return retiring === undefined
      ? { step: 'wait', reason: `${active.kid} signs; nothing to do` }
      : {
          step: 'wait',
          reason: `tokens of ${retiring.kid} may still be valid`,
          until: endOfTokens(retiring, longestLifetime),
        };
  }
  if (next.published === undefined)
    return { step: 'wait', reason: `${next.kid} must be published first` };
  const ready = active === undefined ? next.published : next.published + publishLead;
  if (now >= ready) return { step: 'activate', kid: next.kid };
  return { step: 'wait', reason: `verifiers may not know ${next.kid} yet`, until: ready };
}

function endOfTokens({ retiring = 0 }: KeyRecord, longestLifetime: number): number {
  return retiring + longestLifetime + CLOCK_ALLOWANCE;
}

/** Returns the keys after `activate` or `retire`; other steps change nothing. */
export function applyStep(
  keys: readonly KeyRecord[],
  step: RotationStep,
  now: number,
): readonly KeyRecord[] {
  if (step.step === 'activate') {
    return keys.map((key) => {
      if (key.kid === step.kid) return { ...key, state: 'active', activated: now };
      return key.state === 'active' ? { ...key, state: 'retiring', retiring: now } : key;
    });
  }
  if (step.step !== 'retire') return keys;
  return keys.map((key) =>
    key.kid === step.kid ? { ...key, state: 'retired', retired: now } : key,
  );
}

/** Returns the keys that verifiers need, the signing one first. */
export function keysToPublish(keys: readonly KeyRecord[]): readonly KeyRecord[] {
  const order: readonly KeyState[] = ['active', 'next', 'retiring'];
  return order.flatMap((state) => keys.filter((key) => key.state === state));
}

/**
 * Returns the keys after publication at `now`; an earlier time of publication is kept.
 */
export function markPublished(keys: readonly KeyRecord[], now: number): readonly KeyRecord[] {
  return keys.map((key) =>
    key.state === 'retired' || key.published !== undefined ? key : { ...key, published: now },
  );
}
