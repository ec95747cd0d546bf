// The renewals that waited for an issuer take turns when it answers again.
import { expect, it } from 'vitest';
import { CodedError, largest } from '@credmon/core/base';
import { isOver, recoveryOf, waitAfter } from '../../src/throttle/after-outage.ts';
import { createLimiter } from '../../src/throttle/issuer-queues.ts';

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
    token,
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
