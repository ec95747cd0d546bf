// When the daemon calls itself ready, and what it says when not.
import { expect, it } from 'vitest';
import { readinessOf } from '../../src/metrics/health-and-pages.ts';

it.each([
  [{ sincePass: 0, unreadable: undefined }, { ready: true }],
  [{ sincePass: 180, unreadable: undefined }, { ready: true }],
  [
    { sincePass: 181.5, unreadable: undefined },
    { ready: false, reason: 'the last pass ended 181 s ago' },
  ],
  [
    { sincePass: undefined, unreadable: undefined },
    { ready: false, reason: 'no pass has ended yet' },
  ],
  [
    { sincePass: 1, unreadable: 'EACCES' },
    { ready: false, reason: 'the credential directory: EACCES' },
  ],
])('R44 %j: %j', (vitals, readiness) => {
  expect(readinessOf(vitals)).toEqual(readiness);
});
