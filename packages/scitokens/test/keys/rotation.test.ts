// The rotation plan (R32) for the states of two keys.
import { describe, expect, it } from 'vitest';
import {
  applyStep,
  keysToPublish,
  markPublished,
  planRotation,
  type KeyRecord,
} from '../../src/keys/rotation.ts';

const POLICY = { publishLead: 1000, longestLifetime: 500 };
const key = (
  kid: string,
  state: KeyRecord['state'],
  dates: Partial<KeyRecord> = {},
): KeyRecord => ({
  kid,
  state,
  algorithm: 'ES256',
  file: `${kid}.pem`,
  created: 0,
  ...dates,
});

describe('R32 the next step', () => {
  it.each([
    ['of an empty directory is a new key', [], 0, false, { step: 'create' }],
    [
      'of a first key is to wait for publication',
      [key('a', 'next')],
      0,
      false,
      { step: 'wait', reason: 'a must be published first' },
    ],
    [
      'of a published first key is to sign',
      [key('a', 'next', { published: 5 })],
      5,
      false,
      { step: 'activate', kid: 'a' },
    ],
    [
      'of an active key is nothing',
      [key('a', 'active')],
      9e9,
      false,
      { step: 'wait', reason: 'a signs; nothing to do' },
    ],
    [
      'of an active key with `begin` is a new key',
      [key('a', 'active')],
      0,
      true,
      { step: 'create' },
    ],
    [
      'of a second key is to wait while verifiers may not know it',
      [key('a', 'active'), key('b', 'next', { published: 100 })],
      1099.9,
      true,
      { step: 'wait', reason: 'verifiers may not know b yet', until: 1100 },
    ],
    [
      'of a second key that all verifiers know is to sign',
      [key('a', 'active'), key('b', 'next', { published: 100 })],
      1100,
      false,
      { step: 'activate', kid: 'b' },
    ],
    [
      'of a retiring key is to wait for its last token',
      [key('a', 'retiring', { retiring: 2000 }), key('b', 'active')],
      2799,
      false,
      { step: 'wait', reason: 'tokens of a may still be valid', until: 2800 },
    ],
    [
      'of a retiring key without valid tokens is to retire',
      [key('a', 'retiring', { retiring: 2000 }), key('b', 'active')],
      2800,
      false,
      { step: 'retire', kid: 'a' },
    ],
  ] as const)('%s', (_title, keys, now, begin, step) => {
    expect(planRotation(keys, POLICY, now, begin)).toEqual(step);
  });

  it('never signs with a key published too late, nor removes one with valid tokens from publication, for any sequence of requests', () => {
    let keys: readonly KeyRecord[] = [];
    const signed = new Map<string, number>();
    const early: string[] = [];
    for (let now = 0; now < 20_000; now += 37) {
      for (;;) {
        const step = planRotation(keys, POLICY, now, now % 5 === 0);
        if (step.step === 'wait') break;
        keys =
          step.step === 'create'
            ? [...keys, key(`k${now}`, 'next', { created: now })]
            : applyStep(keys, step, now);
      }
      if (now % 3 === 0) keys = markPublished(keys, now);
      const active = keys.find(({ state }) => state === 'active');
      const lead = keys[0]?.kid === active?.kid ? 0 : POLICY.publishLead;
      if (active && !(now - (active.published ?? Infinity) >= lead)) early.push(active.kid);
      if (active) signed.set(active.kid, now);
      const published = new Set(keysToPublish(keys).map(({ kid }) => kid));
      const living = [...signed]
        .filter(([, last]) => now < last + POLICY.longestLifetime)
        .map(([kid]) => kid);
      expect(living.filter((kid) => !published.has(kid))).toEqual([]);
      expect(keys.filter(({ state }) => state === 'active').length).toBeLessThanOrEqual(1);
    }
    expect(early).toEqual([]);
    expect(signed.size).toBeGreaterThan(5);
  });
});
