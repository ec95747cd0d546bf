// After a failure: the delay, the end of retries, and what starts them again.
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode, CodedError } from '../../src/base/errors/errors.ts';
import type { RenewalState } from '../../src/credential/snapshot.ts';
import {
  ANY_BASIS,
  afterFailure,
  afterWaiting,
  forgottenAtStart,
  type Failure,
} from '../../src/renewal/backoff.ts';
import { DEFAULT_POLICY } from '../../src/renewal/policy.ts';
import { NOW } from './snapshots.ts';

const now = NOW.wall;
const failure = (changes: Partial<Failure> = {}): Failure => ({
  id: 'alice/mytok',
  error: new CodedError('ISSUER_UNREACHABLE', 'no answer'),
  basis: 'b1',
  now,
  expiresAt: undefined,
  ...changes,
});
const fail = (previous: RenewalState | undefined, changes: Partial<Failure> = {}): RenewalState =>
  afterFailure(previous, failure(changes), DEFAULT_POLICY);

it('R9 a failure with ANY_BASIS never stops for good: no correction would be noticed', () => {
  const error = new CodedError('SCOPE_WIDENED', 'too much');
  expect(fail(undefined, { error })).toMatchObject({ stopped: true });
  expect(fail(undefined, { error, basis: ANY_BASIS })).toMatchObject({
    stopped: false,
    attempts: 1,
  });
});

describe('R7 the delay after a failure', () => {
  it('doubles from ten seconds to fifteen minutes, each with some jitter', () => {
    let state: RenewalState | undefined;
    const waits: number[] = [];
    for (let attempt = 0; attempt < 40; attempt += 1) {
      state = fail(state);
      waits.push(state.not_before - now);
    }
    waits.forEach((wait, index) => {
      const longest = Math.min(900, 10 * 2 ** index);
      expect(wait).toBeGreaterThanOrEqual(0.75 * longest);
      expect(wait).toBeLessThanOrEqual(longest);
    });
    expect(state?.attempts).toBe(40);
  });

  it('differs between tokens, so that they are not retried together', () => {
    const waits = new Set(
      Array.from({ length: 200 }, (_, index) => {
        const previous = fail(fail(fail(fail(undefined))));
        return fail(previous, { id: `user${index}/mytok` }).not_before;
      }),
    );
    expect(waits.size).toBeGreaterThan(20);
  });

  const grown = { ...fail(undefined), attempts: 20 };
  it.each([
    ['is at most a quarter of the remaining lifetime', now + 400, 100],
    ['but at least the first delay', now + 4, 10],
    ['is not shortened for an expired token', now - 1, 900],
    ['nor for a missing token', undefined, 900],
  ])('%s', (_, expiresAt, longest) => {
    const wait = fail(grown, { expiresAt }).not_before - now;
    expect(wait).toBeGreaterThanOrEqual(longest * 0.7);
    expect(wait).toBeLessThanOrEqual(longest);
  });

  it.each([
    ['as long as the issuer requests', now + 40_000, 5000],
    ['but short enough to try the token before it expires', now + 600, 450],
    ['at least the first delay', now + 6, 10],
    ['for an expired one no longer than our own maximum', now - 1, 900],
    ['nor for a missing one', undefined, 900],
  ])('R8 is %s', (_, expiresAt, expected) => {
    const error = new CodedError('ISSUER_BUSY', 'slow', { retryAfter: 5000 });
    expect(fail(undefined, { error, expiresAt }).not_before).toBe(now + expected);
  });

  it.each([
    ['that never failed', undefined, 0, ANY_BASIS],
    ['that failed before', grown, 20, 'b1'],
    ['that failed with other files', { ...grown, basis: 'b0' }, 0, ANY_BASIS],
  ])(
    'R1 of a token %s that waits for others has their length, and does not grow',
    (_, before, attempts, basis) => {
      const error = new CodedError('ISSUER_BUSY', 'slow');
      const state = afterWaiting(before, error, { basis: () => 'b1', now, seconds: 5 });
      expect(state).toEqual({
        attempts,
        basis,
        last_attempt: now,
        not_before: now + 5,
        stopped: false,
        code: 'ISSUER_BUSY',
        message: 'slow',
      });
    },
  );

  it('R8 is not shortened by a shorter Retry-After', () => {
    const short = new CodedError('ISSUER_BUSY', 'slow', { retryAfter: 1 });
    expect(fail(undefined, { error: short }).not_before).toBeGreaterThan(now + 6);
  });

  it('starts again on another basis', () => {
    expect(fail(grown).attempts).toBe(21);
    expect(fail(grown, { basis: 'b2' })).toMatchObject({ attempts: 1, basis: 'b2' });
  });

  it('is a value of whole seconds with the reason', () => {
    expect(fail(undefined, { now: now + 0.7 })).toEqual({
      attempts: 1,
      last_attempt: now,
      not_before: expect.any(Number) as number,
      stopped: false,
      code: 'ISSUER_UNREACHABLE',
      message: 'no answer',
      basis: 'b1',
    });
    expect(Number.isInteger(fail(undefined, { now: now + 0.7 }).not_before)).toBe(true);
  });
});

describe('R9 errors that stop the retries', () => {
  const byRules = ['USER_REFUSED', 'TOKEN_BAD_SCOPE', 'TOKEN_BAD_CLAIM', 'TOKEN_BAD_PROFILE'];
  const forUsers = ['GRANT_REVOKED', 'SUBJECT_REFUSED', ...byRules];
  const terminal = [
    ...forUsers,
    'CLIENT_REFUSED',
    'ENDPOINT_REFUSED',
    'ISSUER_MISMATCH',
    'SCOPE_WIDENED',
  ];
  it.each(Object.keys(ERROR_CODES) as ErrorCode[])('%s', (code) => {
    const state = fail(undefined, { error: new CodedError(code, 'x') });
    expect(state.stopped).toBe(terminal.includes(code));
    expect(forgottenAtStart(state)).toBe(terminal.includes(code) && !forUsers.includes(code));
  });

  it('an error without a code does not', () => {
    expect(fail(undefined, { error: new TypeError('x') })).toMatchObject({
      stopped: false,
      code: 'CRED_FILE_IO',
      message: 'x',
    });
  });
});
