// The caps per issuer: how many at once, and what an issuer that is down costs.
import { CodedError } from '@credmon/core';
import { describe, expect, it } from 'vitest';
import { createLimiter } from '../src/limiter.ts';

/** A job that ends when told to; `started` tells that it runs. */
function manualJob(issuer: string) {
  let finish: (error?: Error) => void = () => undefined;
  const ended = new Promise<Error | undefined>((resolve) => {
    finish = resolve;
  });
  const job = {
    issuer,
    started: false,
    skipped: undefined as Error | undefined,
    finish: (error?: Error) => finish(error),
    run: () => {
      job.started = true;
      return ended;
    },
    skip: (error: Error) => {
      job.skipped = error;
    },
  };
  return job;
}

describe('the limiter', () => {
  it('R8 runs no more than the cap at one issuer', async () => {
    const limiter = createLimiter(2);
    const jobs = [manualJob('a'), manualJob('a'), manualJob('a')];
    const done = Promise.all(jobs.map((job) => limiter.add(job)));
    expect(jobs.map((job) => job.started)).toEqual([true, true, false]);
    jobs[0]?.finish();
    await expect.poll(() => jobs[2]?.started).toBe(true);
    for (const job of jobs) job.finish();
    await done;
  });

  it('R1 keeps issuers apart: a hanging one delays no other', async () => {
    const limiter = createLimiter(1);
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

  it('R1 spares an issuer that does not answer the rest of the queue', async () => {
    const limiter = createLimiter(1);
    const [first, second] = [manualJob('down'), manualJob('down')];
    const done = Promise.all([limiter.add(first), limiter.add(second)]);
    const down = new CodedError('ISSUER_UNREACHABLE', 'refused');
    first.finish(down);
    await done;
    expect([second.started, second.skipped]).toEqual([false, down]);
  });

  it('goes on after an error that concerns one token only', async () => {
    const limiter = createLimiter(1);
    const [first, second] = [manualJob('up'), manualJob('up')];
    const done = Promise.all([limiter.add(first), limiter.add(second)]);
    first.finish(new CodedError('ISSUER_UNREACHABLE', 'answered 500', { status: 500 }));
    await expect.poll(() => second.started).toBe(true);
    second.finish();
    await done;
    expect(second.skipped).toBeUndefined();
  });

  it('R1 a job that throws tells its caller, and frees its place for the next one', async () => {
    const limiter = createLimiter(1);
    const broken = { issuer: 'a', run: () => Promise.reject(new Error('ELOOP')), skip: () => undefined };
    const failed = limiter.add(broken);
    const next = manualJob('a');
    const done = limiter.add(next);
    await expect(failed).rejects.toThrow('ELOOP');
    await expect.poll(() => next.started).toBe(true);
    next.finish();
    await done;
  });

  it('R22 starts nothing more once it is closed, and those who wait are told', async () => {
    const limiter = createLimiter(1);
    const [running, waiting, late] = [manualJob('a'), manualJob('a'), manualJob('b')];
    const done = Promise.all([limiter.add(running), limiter.add(waiting)]);
    limiter.close();
    await limiter.add(late);
    running.finish();
    await done;
    expect([waiting.started, waiting.skipped, late.started]).toEqual([false, undefined, false]);
  });
});
