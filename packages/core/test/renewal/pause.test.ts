// How soon a token may be renewed again.
import { expect, it } from 'vitest';
import { pauseAfter } from '../../src/renewal/due.ts';
import { DEFAULT_POLICY } from '../../src/renewal/policy.ts';

it.each([
  ['the first one that lives a second', 0, 1, {}, { seconds: 1, shortLives: 1 }],
  ['the twentieth', 19, 1, {}, { seconds: 1, shortLives: 20 }],
  ['the twenty-first is not kept alive any more', 20, 1, {}, { seconds: 30, shortLives: 21 }],
  ['one that lives just too short', 20, 4.9, {}, { seconds: 30, shortLives: 21 }],
  ['one that has no life at all', 20, -5, {}, { seconds: 30, shortLives: 21 }],
  ['one of five seconds is kept alive', 20, 5, {}, { seconds: 2, shortLives: 0 }],
  ['one of a minute', 0, 60, {}, { seconds: 24, shortLives: 0 }],
  ['one of an hour', 0, 3600, {}, { seconds: 30, shortLives: 0 }],
  [
    'one that is fetched every five seconds',
    0,
    3600,
    { refreshEvery: 5 },
    { seconds: 4, shortLives: 0 },
  ],
  [
    'one that a fraction near the jitter makes due at once',
    0,
    3600,
    { fraction: 0.1001 },
    { seconds: 1, shortLives: 0 },
  ],
  [
    'one that a fraction below the jitter makes due before its issue',
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
