// What an attempt says about its issuer, and how long a spared issuer is left alone.
import {
  HEALTHY,
  MAX_WAIT,
  PROBE_INTERVAL,
  errorOfWaiting,
  healthAfter,
  isOpen,
  isOver,
  isSilence,
  openUntil,
  recoveryOf,
  waitAfter,
  waitOf,
} from '../../src/throttle/circuit-breaker.ts';
import { createLimiter } from '../../src/throttle/limiter.ts';
import { CodedError, type ErrorCode, type ErrorFields, largest } from '@credmon/core/base';
import { describe, expect, it } from 'vitest';

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

const HOUR = 3600;
const back = recoveryOf(1000, 1000 + HOUR);
const tokens = Array.from({ length: 2000 }, (_, number) => `user${number}/mytok`);
const waits = (deadline: number, now = back.at): number[] =>
  tokens.map((token) => waitAfter(back, token, deadline, now));

it('R8 spreads them evenly over the time of the outage and half as much more', () => {
  const found = waits(back.at + 10 * HOUR);
  const counts = Array.from({ length: 10 }, (_, part) => {
    const [from, to] = [part * 540, (part + 1) * 540];
    return found.filter((wait) => wait >= from && wait < to).length;
  });
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2000);
  for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(60);
});

it('lets none wait for more than half of its remaining life, and no missing or expired one', () => {
  expect(largest(waits(back.at + 600))).toBeLessThan(300);
  expect(new Set(waits(Number.POSITIVE_INFINITY))).toEqual(new Set([0]));
  expect(new Set(waits(back.at - 1))).toEqual(new Set([0]));
});

it('gives each token the same place again, and ends', () => {
  const [token = ''] = tokens;
  const wait = waitAfter(back, token, back.at + 10 * HOUR, back.at);
  expect(waitAfter(back, token, back.at + 10 * HOUR, back.at + wait + 1)).toBe(0);
  expect([isOver(back, back.at + 5400), isOver(back, back.at + 5401)]).toEqual([false, true]);
});

it('R8 the throttle spreads only what waited, once, and at once what has expired', async () => {
  let now = 0;
  const limiter = createLimiter({ cap: () => 16, steady: () => now });
  const log: string[] = [];
  const job = (token: string, deadline: number, error?: Error) => ({
    issuer: 'issuer',
    user: token,
    id: token,
    deadline,
    run: async () => (log.push(`ran ${token}`), error),
    skip: ({ message }: Error, seconds: number) => {
      const why = message.includes('spread') ? 'turn' : 'down';
      log.push(`${why} ${token} ${seconds > 60 ? 'later' : 'soon'}`);
    },
  });
  const down = new CodedError('ISSUER_UNREACHABLE', 'no answer');
  for (const token of ['a', 'b']) await limiter.add(job(token, 1e6, down));
  await limiter.add(job('waiting', 1e6));
  await limiter.add(job('expired', Infinity));
  now = HOUR;
  await limiter.add(job('probe', 1e6));
  await limiter.add(job('waiting', 1e6));
  await limiter.add(job('expired', Infinity));
  await limiter.add(job('other', 1e6));
  now = HOUR + 100;
  await limiter.add(job('waiting', 1e6));
  expect(log).toEqual([
    'ran a',
    'ran b',
    'down waiting soon',
    'down expired soon',
    'ran probe',
    'turn waiting later',
    'ran expired',
    'ran other',
    'ran waiting',
  ]);
});
