// The loop on a clock that moves by hand: when passes happen, what wakes it, and how it stops.
import { rmSync } from 'node:fs';
import { CodedError, type HttpResponse } from '@credmon/core';
import { describe, expect, it } from 'vitest';
import { createBell, runDaemon, type DaemonParts } from '../src/daemon.ts';
import { bench, json, meta, useText, type Bench } from './support/bench.ts';

const top = (token: string): string => JSON.stringify({ refresh_token: token });

function start(on: Bench, change: Partial<DaemonParts> = {}) {
  const stop = new AbortController();
  const wake = createBell();
  const counts = { completed: 0, reloaded: 0 };
  const quiet = (text: string): void => void on.lines.push(text);
  const ended = runDaemon({
    world: on.world,
    memory: on.memory,
    log: { error: quiet, warn: quiet, info: quiet, debug: quiet },
    wake,
    stop: stop.signal,
    ownership: () => on.ownership,
    reload: () => {
      counts.reloaded += 1;
    },
    complete: () => {
      counts.completed += 1;
    },
    ...change,
  });
  return { stop, wake, counts, ended };
}

/** Lets time run until `end`, for what waits in small steps. */
async function ticking(on: Bench, end: Promise<void>): Promise<void> {
  const ticks = setInterval(() => on.clock.advance(0.05), 1);
  await end;
  clearInterval(ticks);
}

describe('the loop', () => {
  it('looks again at the earliest due time, not only every minute', async () => {
    const on = bench();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    on.seed('alice', 'mytok', { use: useText(on.clock.now(), 20) });
    const daemon = start(on);
    await on.clock.whenWaiting();
    expect(on.asked).toEqual([]);
    // Half of 20 seconds, less at most a tenth for the spread.
    expect((on.clock.nextDue ?? 0) - on.clock.now()).toBeLessThanOrEqual(10);
    on.clock.advanceToNext();
    await expect.poll(() => on.asked.length).toBe(1);
    daemon.stop.abort();
    await daemon.ended;
    expect(daemon.counts.completed).toBeGreaterThanOrEqual(1);
  });

  it('R13 goes on when CREDMON_COMPLETE cannot be touched: a rotated token may be in memory only', async () => {
    const on = bench();
    const refuse = (): never => {
      throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
    };
    const daemon = start(on, { complete: refuse });
    await on.clock.whenWaiting();
    on.clock.advanceToNext();
    await on.clock.whenWaiting();
    daemon.stop.abort();
    await daemon.ended;
    expect(on.lines.join('\n')).toContain('CREDMON_COMPLETE cannot be touched');
  });

  it('looks at the latest after 60 s, so that a .top without a signal is noticed', async () => {
    const on = bench();
    const daemon = start(on);
    await on.clock.whenWaiting();
    expect((on.clock.nextDue ?? 0) - on.clock.now()).toBe(60);
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    on.clock.advanceToNext();
    await expect.poll(() => on.has('alice', 'mytok.use')).toBe(true);
    daemon.stop.abort();
    await daemon.ended;
  });

  it('wakes at a signal, and many signals are one', async () => {
    const on = bench();
    const daemon = start(on);
    await on.clock.whenWaiting();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    for (let index = 0; index < 500; index += 1) daemon.wake.ring();
    await expect.poll(() => on.has('alice', 'mytok.use')).toBe(true);
    await on.clock.whenWaiting();
    expect(daemon.counts).toEqual({ completed: 2, reloaded: 1 });
    daemon.stop.abort();
    await daemon.ended;
  });

  it('does not lose a signal that comes during a pass', async () => {
    const on = bench();
    const daemon = start(on, {
      complete: () => {
        if (!on.has('alice', '')) {
          on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
          daemon.wake.ring();
        }
      },
    });
    await expect.poll(() => on.has('alice', 'mytok.use')).toBe(true);
    daemon.stop.abort();
    await daemon.ended;
  });

  it('R1 renews the tokens of one issuer while another hangs', async () => {
    const on = bench();
    on.seed('alice', 'hangs', { top: top('h1'), meta: meta('https://hangs.example/token') });
    on.seed('bob', 'mytok', { top: top('r1'), meta: meta() });
    on.seed('bob', 'mytok', { use: useText(on.clock.now(), 20) });
    const healthy = on.answer;
    let release: (answer: HttpResponse) => void = () => undefined;
    on.answer = (asked) =>
      asked.url.includes('hangs')
        ? new Promise((resolve) => {
            release = resolve;
          })
        : healthy(asked);
    const daemon = start(on);
    await on.clock.whenWaiting();
    on.clock.advanceToNext();
    await on.clock.whenWaiting();
    on.clock.advanceToNext();
    await expect.poll(() => on.read('bob', 'mytok.use').includes('new-access')).toBe(true);
    release(json({ access_token: 'late', token_type: 'bearer', expires_in: 100 }));
    daemon.stop.abort();
    await ticking(on, daemon.ended);
  });

  it('R22 writes what an issuer has already answered before it stops', async () => {
    const on = bench();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    let release: (answer: HttpResponse) => void = () => undefined;
    on.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const daemon = start(on);
    await expect.poll(() => on.asked.length).toBe(1);
    daemon.stop.abort();
    release(json({ access_token: 'late', token_type: 'bearer', expires_in: 100, refresh_token: 'r2' }));
    await ticking(on, daemon.ended);
    expect(on.read('alice', 'mytok.top')).toContain('r2');
    expect(on.read('alice', 'mytok.use')).toContain('late');
  });

  it('R13 R22 writes at the end what could not be written before', async () => {
    let full = true;
    const on = bench({
      store: (real) => ({
        ...real,
        apply: (change) => {
          if (full) throw new CodedError('CRED_FILE_IO', 'alice/mytok: cannot write (ENOSPC)');
          real.apply(change);
        },
      }),
    });
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    const daemon = start(on);
    await expect.poll(() => on.memory.unwritten.size).toBe(1);
    full = false;
    daemon.stop.abort();
    await ticking(on, daemon.ended);
    expect(on.read('alice', 'mytok.top')).toContain('r2');
  });

  it('goes on when the directory cannot be read, and says so', async () => {
    const on = bench();
    const daemon = start(on);
    await on.clock.whenWaiting();
    rmSync(on.directory, { recursive: true });
    on.clock.advanceToNext();
    await expect.poll(() => on.lines.some((line) => line.includes('is repeated'))).toBe(true);
    daemon.stop.abort();
    await daemon.ended;
    expect(daemon.counts.completed).toBe(1);
  });

  it('R5 a step of the wall clock neither renews everything nor leaves an expired token in place', async () => {
    const on = bench();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    on.seed('alice', 'mytok', { use: useText(on.clock.now(), 1000) });
    const daemon = start(on);
    await on.clock.whenWaiting();
    for (const step of [86_400, -2 * 86_400]) {
      on.clock.step(step);
      daemon.wake.ring();
      await expect.poll(() => daemon.counts.reloaded).toBe(step > 0 ? 1 : 2);
      await on.clock.whenWaiting();
      expect(on.asked).toEqual([]);
    }
    on.clock.advance(500);
    await expect.poll(() => on.asked.length).toBe(1);
    daemon.stop.abort();
    await daemon.ended;
  });
});
