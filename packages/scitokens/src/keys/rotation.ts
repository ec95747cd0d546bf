// The life of a signing key as a plan: what may happen to which key now, and why not yet.
import type { Algorithm } from '../token/algorithms.ts';

/**
 * `next` is published and waits, `active` signs, `retiring` is published for its last
 * tokens, `retired` is history.
 */
export type KeyState = 'next' | 'active' | 'retiring' | 'retired';

/** One key of a directory; times are epoch seconds, absent while they have not come. */
export interface KeyRecord {
  readonly kid: string;
  readonly algorithm: Algorithm;
  /** Name of the file with the private key, in the directory. */
  readonly file: string;
  readonly state: KeyState;
  readonly created: number;
  readonly published?: number;
  readonly activated?: number;
  readonly retiring?: number;
  readonly retired?: number;
}

/**
 * Seconds: how long a key is published before it signs, and the longest life of a token.
 */
export interface RotationPolicy {
  readonly publishLead: number;
  readonly longestLifetime: number;
}

/** Four days, which is how long scitokens-cpp keeps a key set; one day. */
export const DEFAULT_POLICY: RotationPolicy = { publishLead: 4 * 86400, longestLifetime: 86400 };

/** Clocks differ; a token that has just expired here may still live there. */
const CLOCK_ALLOWANCE = 300;

/**
 * What to do next with a directory's keys. `wait` names the time (epoch seconds) from
 * which more can be done, if time alone helps.
 */
export type RotationStep =
  | { readonly step: 'create' }
  | { readonly step: 'activate'; readonly kid: string }
  | { readonly step: 'retire'; readonly kid: string }
  | { readonly step: 'wait'; readonly reason: string; readonly until?: number };

/**
 * Decides the next step. `begin` asks for a new key although the active one serves well.
 * A key never signs before it has been published for `publishLead` (the very first one:
 * before it has been published at all), and never leaves publication before the last
 * token that it may have signed is dead.
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
          reason: `tokens of ${retiring.kid} may still live`,
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

/** The keys after `activate` or `retire`; other steps leave them as they are. */
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

/** The keys that verifiers must find, the signing one first. */
export function keysToPublish(keys: readonly KeyRecord[]): readonly KeyRecord[] {
  const order: readonly KeyState[] = ['active', 'next', 'retiring'];
  return order.flatMap((state) => keys.filter((key) => key.state === state));
}

/** The keys once they have been published at `now`: the first date counts. */
export function markPublished(keys: readonly KeyRecord[], now: number): readonly KeyRecord[] {
  return keys.map((key) =>
    key.state === 'retired' || key.published !== undefined ? key : { ...key, published: now },
  );
}
