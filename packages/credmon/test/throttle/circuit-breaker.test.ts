// What an attempt says about its issuer, and how long a spared issuer is left alone.
import { CodedError, type ErrorCode, type ErrorFields } from '@credmon/core/base';
import { describe, expect, it } from 'vitest';
import {
  HEALTHY,
  MAX_WAIT,
  PROBE_INTERVAL,
  errorOfWaiting,
  healthAfter,
  openUntil,
  isSilence,
  isOpen,
  waitOf,
} from '../../src/throttle/circuit-breaker.ts';

const error = (code: ErrorCode, fields: ErrorFields = {}): CodedError =>
  new CodedError(code, 'why', fields);
const silence = error('ISSUER_UNREACHABLE');
const NEVER = Number.POSITIVE_INFINITY;

describe('the health of an issuer', () => {
  const down = healthAfter(HEALTHY, 'alice', silence, 100);

  it.each<[string, Error | undefined, 'worse' | 'healthy' | 'unchanged']>([
    ['no answer', silence, 'worse'],
    ['a request to slow down', error('ISSUER_BUSY', { status: 429 }), 'worse'],
    ['a token', undefined, 'healthy'],
    ['a server error', error('ISSUER_UNREACHABLE', { status: 500 }), 'healthy'],
    ['a refusal', error('GRANT_REVOKED', { status: 400 }), 'healthy'],
    ['an unreadable secret file', error('SECRET_UNREADABLE'), 'unchanged'],
    ['a broken credential file', error('CRED_FILE_INVALID'), 'unchanged'],
    ['an endpoint that is not https', error('ENDPOINT_REFUSED'), 'unchanged'],
    [
      'a host without file descriptors',
      error('ISSUER_UNREACHABLE', { reason: 'EMFILE', local: true }),
      'unchanged',
    ],
  ])('R1 R8 after %s', (_, result, change) => {
    const after = healthAfter(down, 'bob', result, 101);
    const expected = {
      worse: [down[0], { who: 'bob', error: result, at: 101 }],
      healthy: HEALTHY,
      unchanged: down,
    };
    expect(after).toEqual(expected[change]);
  });

  it('R8 opens the circuit after failures of two different users, not after two of one user', () => {
    expect(isOpen(healthAfter(down, 'alice', silence, 101))).toBe(false);
    expect(isOpen(healthAfter(down, 'bob', silence, 101))).toBe(true);
  });

  it('R8 is open for the shorter of two waits, at least for the probe interval', () => {
    const busy = (who: string, retryAfter: number, before = HEALTHY) =>
      healthAfter(before, who, error('ISSUER_BUSY', { retryAfter }), 100);
    expect(openUntil(busy('bob', 60, busy('alice', 30)))).toBe(130);
    expect(openUntil(healthAfter(down, 'bob', silence, 101))).toBe(101 + PROBE_INTERVAL);
    expect(openUntil(down)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('R8 lets a token that expires before the circuit closes ask after one interval', () => {
    const wait = (who: string, before = HEALTHY) =>
      healthAfter(before, who, error('ISSUER_BUSY', { retryAfter: 5000 }), 100);
    const held = wait('bob', wait('alice'));
    expect([waitOf(held, 6000, 100), waitOf(held, 200, 100), waitOf(held, NEVER, 100)]).toEqual([
      5000,
      PROBE_INTERVAL,
      MAX_WAIT,
    ]);
    expect(waitOf(down, NEVER, 100)).toBe(0);
  });

  it('gives a waiting token the last error of the others', () => {
    const both = healthAfter(down, 'bob', error('ISSUER_BUSY', { retryAfter: 9 }), 101);
    const told = errorOfWaiting('https://i.example', both, 5);
    expect([told.code, told.fields]).toEqual([
      'ISSUER_BUSY',
      { about: 'waiting for https://i.example' },
    ]);
    expect(told.message).toContain('why');
  });

  it.each([
    [silence, true],
    [error('ISSUER_UNREACHABLE', { status: 503 }), false],
    [error('ISSUER_BUSY'), false],
    [undefined, false],
  ])('%o is silence: %s', (result, expected) => {
    expect(isSilence(result)).toBe(expected);
  });
});
