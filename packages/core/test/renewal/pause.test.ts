// How soon a token may be renewed again.
import { expect, it } from 'vitest';
import { pauseAfter } from '../../src/renewal/pause.ts';
import { DEFAULT_POLICY } from '../../src/renewal/policy.ts';

it.each([
  ['one that lives a second', 1, {}, 30],
  ['one that has no life at all', -5, {}, 30],
  ['one that lives just too short', 4.9, {}, 30],
  ['one of five seconds is kept alive', 5, {}, 2],
  ['one of a minute', 60, {}, 24],
  ['one of an hour', 3600, {}, 30],
  ['one that is fetched every five seconds', 3600, { refreshEvery: 5 }, 4],
])('after a renewal: %s', (_, lifetime, change, pause) => {
  const times = { issuedAt: 1000, expiresAt: 1000 + lifetime };
  expect(pauseAfter(times, { ...DEFAULT_POLICY, ...change })).toBeCloseTo(pause, 6);
});
