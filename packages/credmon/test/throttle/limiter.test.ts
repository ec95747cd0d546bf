// The caps per issuer: how many at once, and what an issuer that is down costs.
import { cpuSeconds } from '@credmon/test-fixtures/clocks/cpu-time';
import { CodedError } from '@credmon/core/base';
import { describe, expect, it } from 'vitest';
import { createLimiter } from '../../src/throttle/limiter.ts';

const now = { steady: 100 };
const limiterOf = (cap: number) => createLimiter({ cap: () => cap, steady: () => now.steady });
let serial = 0;

/** A job that ends when told to; `started` tells that it runs. */
function manualJob(issuer: string, deadline = Number.POSITIVE_INFINITY, user = `user${++serial}`) {
  serial += 1;
  let finish: (error?: Error) => void = () => undefined;
  const ended = new Promise<Error | undefined>((resolve) => {
    finish = resolve;
  });
  const job = {
    issuer,
    deadline,
    user,
    id: `${user}/mytok_${serial}`,
    started: false,
    skipped: undefined as CodedError | undefined,
    seconds: 0,
    finish: (error?: Error) => finish(error),
    run: () => {
      job.started = true;
      return ended;
    },
    skip: (error: CodedError, seconds: number) => {
      job.skipped = error;
      job.seconds = seconds;
    },
  };
  return job;
}

describe('the limiter', () => {
  it('R8 runs no more than the limit at one issuer', async () => {
    const limiter = limiterOf(2);
    const jobs = [manualJob('a'), manualJob('a'), manualJob('a')];
    const done = Promise.all(jobs.map((job) => limiter.add(job)));
    expect(jobs.map((job) => job.started)).toEqual([true, true, false]);
    jobs[0]?.finish();
    await expect.poll(() => jobs[2]?.started).toBe(true);
    for (const job of jobs) job.finish();
    await done;
  });

  it('R1 separates issuers: a hanging one does not delay others', async () => {
    const limiter = limiterOf(1);
    const hanging = manualJob('hangs');
    const waiting = limiter.add(hanging);
    const healthy = manualJob('healthy');
    const done = limiter.add(healthy);
    healthy.finish();
    await done;
    expect([healthy.started, hanging.started]).toEqual([true, true]);
    hanging.finish();
    await waiting;
  });

  const down = (retryAfter?: number): CodedError =>
    new CodedError('ISSUER_BUSY', 'slow down', retryAfter === undefined ? {} : { retryAfter });
  const states = (jobs: readonly ReturnType<typeof manualJob>[]): string[] =>
    jobs.map(({ started, skipped }) => (started ? 'started' : skipped ? 'skipped' : 'waiting'));

  it('R8 one token with slow_down does not stop the others', async () => {
    const limiter = limiterOf(1);
    const jobs = [manualJob('busy'), manualJob('busy'), manualJob('busy')];
    const done = Promise.all(jobs.map((job) => limiter.add(job)));
    jobs[0]?.finish(down(86_400));
    await expect.poll(() => states(jobs)).toEqual(['started', 'started', 'waiting']);
    jobs[1]?.finish();
    await expect.poll(() => states(jobs)).toEqual(['started', 'started', 'started']);
    jobs[2]?.finish();
    await done;
  });

  it('R8 two failures of the same token count once', async () => {
    const limiter = limiterOf(1);
    for (let round = 0; round < 3; round += 1) {
      const job = {
        ...manualJob('busy', Infinity, 'alice'),
        id: 'alice/mytok',
        run: () => Promise.resolve(down(3600)),
      };
      await limiter.add(job);
      expect(job.skipped).toBeUndefined();
    }
    const other = manualJob('busy');
    void limiter.add(other);
    expect(other.started).toBe(true);
    other.finish();
  });

  it('R1 R8 two failures in a row open the circuit, and each token waits as long as both must', async () => {
    const limiter = limiterOf(1);
    const jobs = [manualJob('down'), manualJob('down'), manualJob('down'), manualJob('down')];
    const done = Promise.all(jobs.map((job) => limiter.add(job)));
    jobs[0]?.finish(down(300));
    jobs[1]?.finish(down(60));
    await done;
    expect(states(jobs)).toEqual(['started', 'started', 'skipped', 'skipped']);
    expect(jobs.map(({ skipped }) => skipped?.fields)).toEqual([
      undefined,
      undefined,
      { about: 'waiting for down', retryAfter: 60 },
      { about: 'waiting for down', retryAfter: 60 },
    ]);
  });

  it('R8 with an open circuit one token asks every few seconds, and all ask once the issuer answers', async () => {
    const limiter = limiterOf(4);
    await Promise.all(
      [1, 2].map(() => limiter.add({ ...manualJob('back'), run: () => Promise.resolve(down()) })),
    );
    const early = manualJob('back');
    await limiter.add(early);
    now.steady += 5;
    const jobs = [manualJob('back'), manualJob('back'), manualJob('back')];
    const done = Promise.all(jobs.map((job) => limiter.add(job)));
    await expect
      .poll(() => states([early, ...jobs]))
      .toEqual(['skipped', 'started', 'waiting', 'waiting']);
    jobs[0]?.finish();
    await expect.poll(() => states(jobs)).toEqual(['started', 'started', 'started']);
    for (const job of jobs) job.finish();
    await done;
  });

  it('R8 ten thousand tokens of an issuer that is down cause one request every five seconds', async () => {
    const limiter = limiterOf(16);
    let requests = 0;
    for (let second = 0; second < 60; second += 1) {
      now.steady += 1;
      const round = Array.from({ length: 200 }, () => ({
        ...manualJob('dead'),
        run: () => {
          requests += 1;
          return Promise.resolve(down());
        },
      }));
      await Promise.all(round.map((job) => limiter.add(job)));
    }
    expect(requests).toBeLessThanOrEqual(16 + 1 + 60 / 5);
  });

  it('R8 tokens that wait equally long for an issuer that is down share one error', async () => {
    const limiter = limiterOf(2);
    const failing = [manualJob('down'), manualJob('down')];
    const failed = Promise.all(failing.map((job) => limiter.add(job)));
    for (const job of failing) job.finish(down(60));
    await failed;
    const waiting = [1000, 1000, Number.POSITIVE_INFINITY].map((left) =>
      manualJob('down', now.steady + left),
    );
    await Promise.all(waiting.map((job) => limiter.add(job)));
    const [first, second, other] = waiting.map(({ skipped }) => skipped);
    expect([first?.code, first === second]).toEqual(['ISSUER_BUSY', true]);
    expect(other?.fields['retryAfter']).toBe(first?.fields['retryAfter']);
  });

  it('a token that would expire before Retry-After is over is tried in time', async () => {
    const limiter = limiterOf(1);
    await Promise.all(
      [1, 2].map(() =>
        limiter.add({ ...manualJob('long'), run: () => Promise.resolve(down(3600)) }),
      ),
    );
    now.steady += 5;
    const jobs = [
      manualJob('long'),
      manualJob('long', now.steady + 7200),
      manualJob('long', now.steady + 600),
    ];
    const done = Promise.all(jobs.map((job) => limiter.add(job)));
    await expect.poll(() => states(jobs)).toEqual(['skipped', 'skipped', 'started']);
    jobs[2]?.finish();
    await done;
  });

  it("R1 failing tokens of one user stop that user's other tokens only", async () => {
    const limiter = limiterOf(2);
    const of = (user: string) => manualJob('vault', Infinity, user);
    await Promise.all(
      [1, 2].map(() => limiter.add({ ...of('mallory'), run: () => Promise.resolve(down(600)) })),
    );
    const jobs = [of('mallory'), of('mallory'), of('victim')];
    const done = Promise.all(jobs.map((job) => limiter.add(job)));
    expect([states(jobs), jobs[0]?.seconds]).toEqual([['skipped', 'skipped', 'started'], 600]);
    jobs[2]?.finish();
    await done;
  });

  it('R1 with an open circuit, users not asked for since the failure take turns', async () => {
    const limiter = limiterOf(4);
    const tried: string[] = [];
    const round = async (users: readonly string[]): Promise<void> => {
      const jobs = users.map((user) => ({
        ...manualJob('turns', Infinity, user),
        run: () => {
          tried.push(user);
          return Promise.resolve(down());
        },
      }));
      await Promise.all(jobs.map((job) => limiter.add(job)));
      now.steady += 5;
    };
    await round(['a', 'b']);
    for (let probe = 0; probe < 5; probe += 1) await round(['a', 'a', 'b', 'b', 'c', 'd']);
    expect(tried.join(' ')).toBe('a b c d a b c');
  });

  it.each([
    ['no valid one waits no longer than our own longest wait', Infinity, 900],
    ['a valid one waits as long as both must', 1e9, 86_400],
  ])('R8 after a wish for a day, a token that has %s', async (_, deadline, seconds) => {
    const limiter = limiterOf(1);
    await Promise.all(
      [1, 2].map(() =>
        limiter.add({ ...manualJob('day'), run: () => Promise.resolve(down(86_400)) }),
      ),
    );
    const job = manualJob('day', deadline);
    await limiter.add(job);
    expect([job.seconds, job.skipped?.fields['retryAfter']]).toEqual([seconds, seconds]);
    now.steady += 900;
    const later = manualJob('day');
    void limiter.add(later);
    await expect.poll(() => later.started).toBe(true);
    later.finish();
  });

  it("R1 users take turns, and of one user's tokens the first to expire is next", async () => {
    const limiter = limiterOf(1);
    const order: string[] = [];
    const add = (user: string, deadline: number) => {
      const name = `${user}${deadline}`;
      const run = () => Promise.resolve(void order.push(name));
      return limiter.add({ ...manualJob('fair', deadline, user), run });
    };
    await Promise.all([
      ...[1, 2, 3, 9, 8, 7].map((deadline) => add('many', deadline)),
      add('one', 100),
      add('many', Infinity),
      add('two', 200),
      add('two', 150),
    ]);
    expect(order.join(' ')).toBe(
      'many1 manyInfinity one100 two150 many2 two200 many3 many7 many8 many9',
    );
  });

  it('a result of an issuer known only after the attempt counts for that issuer', async () => {
    const limiter = limiterOf(4);
    const fail = () => ({
      ...manualJob('unknown'),
      asked: () => 'dead',
      run: () => Promise.resolve(down(60)),
    });
    await Promise.all([fail(), fail()].map((job) => limiter.add(job)));
    const [unknown, dead] = [manualJob('unknown'), manualJob('dead')];
    const done = Promise.all([unknown, dead].map((job) => limiter.add(job)));
    await expect.poll(() => states([unknown, dead])).toEqual(['started', 'skipped']);
    unknown.finish();
    await done;
  });

  it('continues after an error of one token', async () => {
    const limiter = limiterOf(1);
    const [first, second] = [manualJob('up'), manualJob('up')];
    const done = Promise.all([limiter.add(first), limiter.add(second)]);
    first.finish(new CodedError('ISSUER_UNREACHABLE', 'answered 500', { status: 500 }));
    await expect.poll(() => second.started).toBe(true);
    second.finish();
    await done;
    expect(second.skipped).toBeUndefined();
  });

  it('R1 a job that throws rejects its promise and frees its slot', async () => {
    const limiter = limiterOf(1);
    const broken = {
      ...manualJob('a'),
      run: () => Promise.reject(new Error('ELOOP')),
      skip: () => undefined,
    };
    const failed = limiter.add(broken);
    const next = manualJob('a');
    const done = limiter.add(next);
    await expect(failed).rejects.toThrow('ELOOP');
    await expect.poll(() => next.started).toBe(true);
    next.finish();
    await done;
  });

  it('R22 starts nothing once closed, and resolves the waiting jobs', async () => {
    const limiter = limiterOf(1);
    const [running, waiting, late] = [manualJob('a'), manualJob('a'), manualJob('b')];
    const done = Promise.all([limiter.add(running), limiter.add(waiting)]);
    limiter.close();
    await limiter.add(late);
    running.finish();
    await done;
    expect([waiting.started, waiting.skipped, late.started]).toEqual([false, undefined, false]);
    expect(limiter.dropped).toBe(2);
  });
});

it('queues many issuers in a time that does not grow with the square of their number', () => {
  const queue = (): void => {
    const limiter = limiterOf(1);
    for (let n = 0; n < 32_000; n += 1) void limiter.add(manualJob(`issuer${n}`));
  };
  expect(cpuSeconds(queue)).toBeLessThan(2.5);
});
