// The minimum time between two renewals of a token.
import { expect, it } from 'vitest';
import { pauseAfter } from '../../src/renewal/due.ts';
import { DEFAULT_POLICY } from '../../src/renewal/policy.ts';

it.each([
  ['the first one with a lifetime of a second', 0, 1, {}, { seconds: 1, shortLives: 1 }],
  ['the twentieth', 19, 1, {}, { seconds: 1, shortLives: 20 }],
  ['the twenty-first is no longer renewed at once', 20, 1, {}, { seconds: 30, shortLives: 21 }],
  ['one with a slightly too short lifetime', 20, 4.9, {}, { seconds: 30, shortLives: 21 }],
  ['one with a negative lifetime', 20, -5, {}, { seconds: 30, shortLives: 21 }],
  ['one of five seconds is renewed', 20, 5, {}, { seconds: 2, shortLives: 0 }],
  ['one of a minute', 0, 60, {}, { seconds: 24, shortLives: 0 }],
  ['one of an hour', 0, 3600, {}, { seconds: 30, shortLives: 0 }],
  [
    'one with a refresh interval of five seconds',
    0,
    3600,
    { refreshEvery: 5 },
    { seconds: 4, shortLives: 0 },
  ],
  [
    'one that is due at once because the fraction is close to the jitter',
    0,
    3600,
    { fraction: 0.1001 },
    { seconds: 1, shortLives: 0 },
  ],
  [
    'one that is due before its issue because the fraction is below the jitter',
    0,
    3600,
    { fraction: 0.05 },
    { seconds: 1, shortLives: 0 },
  ],
])('after a renewal: %s', (_, before, lifetime, change, expected) => {
  const times = { issuedAt: 1000, expiresAt: 1000 + lifetime };
  const { seconds, shortLives } = pauseAfter(before, times, { ...DEFAULT_POLICY, ...change }, 1000);
  expect({ seconds: Math.round(seconds * 1000) / 1000, shortLives }).toEqual(expected);
});
