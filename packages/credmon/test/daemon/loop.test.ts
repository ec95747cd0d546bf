// The loop on a clock that moves by hand: when passes happen, what wakes it, and how it
// stops.
import { GENERIC_POLICY } from '@credmon/core/profiles';
import { rmSync } from 'node:fs';
import { CodedError, type HttpResponse } from '@credmon/core/base';
import type { LockState } from '@credmon/core/store';
import { describe, expect, it } from 'vitest';
import { graceSeconds } from '../../src/settings/policy.ts';
import { createWakeUp, runDaemon, runOnce, type DaemonParts } from '../../src/daemon/loop.ts';
import { createLimiter } from '../../src/throttle/limiter.ts';
import { bench, json, meta, useText, type Bench } from '../support/bench.ts';

/** For a machine that is busy with other tests. */
const PATIENT = { timeout: 20_000 };

const top = (token: string): string => JSON.stringify({ refresh_token: token });

function partsFor(on: Bench, change: Partial<DaemonParts> = {}) {
  const stop = new AbortController();
  const wake = createWakeUp();
  const counts = { completed: 0, reloaded: 0 };
  const quiet = (text: string): void => void on.lines.push(text);
  const parts: DaemonParts = {
    context: on.context,
    memory: on.memory,
    log: { error: quiet, warn: quiet, info: quiet, debug: quiet },
    wake,
    stop: stop.signal,
    lookup: () => on.lookup,
    reload: () => {
      counts.reloaded += 1;
    },
    complete: () => {
      counts.completed += 1;
    },
    graceSeconds: () => 65,
    ...change,
  };
  return { stop, wake, counts, parts };
}

function start(on: Bench, change: Partial<DaemonParts> = {}) {
  const { parts, ...rest } = partsFor(on, change);
  return { ...rest, ended: runDaemon(parts) };
}

/** Requests that are answered when the test says so. */
function held(on: Bench): { release: (answer: HttpResponse) => void } {
  const self: { release: (answer: HttpResponse) => void } = { release: () => undefined };
  on.answer = () =>
    new Promise((resolve) => {
      self.release = resolve;
    });
  return self;
}

const late = (): HttpResponse =>
  json({ access_token: 'late', token_type: 'bearer', expires_in: 100, refresh_token: 'r2' });

/** A renewal whose pass has ended: the loop sleeps for 5 s after the next one. */
async function renewalAfterItsPass() {
  const on = bench();
  on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
  const issuer = held(on);
  const daemon = start(on);
  await expect.poll(() => on.asked.length).toBe(1);
  daemon.wake.notify();
  await expect.poll(() => daemon.counts.completed).toBe(2);
  await expect.poll(() => (on.clock.nextDue ?? 0) - on.clock.now()).toBe(5);
  return { on, issuer, daemon };
}

/** Lets time run until `end`, for what waits in small steps. */
async function ticking(on: Bench, end: Promise<unknown>): Promise<void> {
  const ticks = setInterval(() => on.clock.advance(0.05), 1);
  await end;
  clearInterval(ticks);
}

it('R8 passes that only show users what has happened take a twentieth of the time at most', async () => {
  const on = bench();
  const { store } = on.context;
  const slow: typeof store = {
    ...store,
    scan: async (...words) => {
      const scan = await store.scan(...words);
      on.clock.advance(2);
      return scan;
    },
  };
  const daemon = start(on, { context: { ...on.context, store: slow }, nextLook: () => 5 });
  await expect.poll(() => daemon.counts.completed).toBe(1);
  await expect.poll(() => (on.clock.nextDue ?? 0) - on.clock.now()).toBe(40);
  daemon.stop.abort();
  await daemon.ended;
});

describe('the loop', () => {
  it('makes the next pass at the earliest due time, not only every minute', async () => {
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
    await ticking(on, daemon.ended);
    expect(daemon.counts.completed).toBeGreaterThanOrEqual(1);
  });

  it('rotates keys after each pass, also when CREDMON_COMPLETE cannot be touched or the keys cannot be rotated', async () => {
    const on = bench();
    let rotations = 0;
    const fail = (text: string): never => {
      throw new Error(text);
    };
    const daemon = start(on, {
      complete: () => fail('no space'),
      rotateKeys: () => {
        rotations += 1;
        fail('no key directory');
      },
    });
    for (const expected of [1, 2]) {
      await on.clock.whenWaiting();
      expect(rotations).toBe(expected);
      on.clock.advanceToNext();
    }
    daemon.stop.abort();
    await ticking(on, daemon.ended);
    expect(on.lines.join('\n')).toMatch(/Failed to touch CREDMON_COMPLETE: no space/);
    expect(on.lines.join('\n')).toMatch(/Failed to rotate the signing keys: no key directory/);
  });

  it('R13 continues when CREDMON_COMPLETE cannot be touched: a rotated token may be in memory only', async () => {
    const on = bench();
    const refuse = (): never => {
      throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
    };
    const daemon = start(on, { complete: refuse });
    await on.clock.whenWaiting();
    on.clock.advanceToNext();
    await on.clock.whenWaiting();
    daemon.stop.abort();
    await ticking(on, daemon.ended);
    expect(on.lines.join('\n')).toContain('Failed to touch CREDMON_COMPLETE');
  });

  it('R45 keeps the current configuration when the new one cannot be applied', async () => {
    const on = bench();
    const daemon = start(on, {
      reload: () => {
        throw new CodedError('LOG_UNWRITABLE', 'the log file /none/log cannot be opened (ENOENT)');
      },
    });
    await on.clock.whenWaiting();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    daemon.wake.notify();
    await expect.poll(() => on.has('alice', 'mytok.use')).toBe(true);
    daemon.stop.abort();
    await ticking(on, daemon.ended);
    expect(on.lines).toContainEqual(
      'Cannot reload the configuration, the old one is still used: the log file /none/log cannot be opened (ENOENT)',
    );
  });

  it('R13 R22 a fatal error is thrown only after the renewals in progress are written', async () => {
    const on = bench();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    const issuer = held(on);
    let broken = false;
    const clock = {
      ...on.clock,
      now: () => on.clock.now(),
      steady: () => on.clock.steady(),
      wait: (seconds: number, signal?: AbortSignal) => {
        if (broken && signal) return Promise.reject(new Error('the clock is broken'));
        return on.clock.wait(seconds, signal);
      },
    };
    const daemon = start(on, { context: { ...on.context, clock } });
    const ended = daemon.ended.catch((error: unknown) => error);
    await expect.poll(() => on.asked.length).toBe(1);
    broken = true;
    daemon.wake.notify();
    await expect
      .poll(() => on.lines.some((line) => line.startsWith('Stopping: waiting for 1')))
      .toBe(true);
    issuer.release(late());
    await ticking(on, ended);
    expect(await ended).toEqual(new Error('the clock is broken'));
    expect([on.read('alice', 'mytok.top'), on.read('alice', 'mytok.use')]).toEqual([
      expect.stringContaining('r2') as string,
      expect.stringContaining('late') as string,
    ]);
  });

  it('makes a pass at least every 60 s, to notice a .top without a signal', async () => {
    const on = bench();
    const daemon = start(on);
    await on.clock.whenWaiting();
    expect((on.clock.nextDue ?? 0) - on.clock.now()).toBe(60);
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    on.clock.advanceToNext();
    await expect.poll(() => on.has('alice', 'mytok.use')).toBe(true);
    daemon.stop.abort();
    await ticking(on, daemon.ended);
  });

  it('wakes at a signal, and coalesces signals', async () => {
    const on = bench();
    const daemon = start(on);
    await on.clock.whenWaiting();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    for (let index = 0; index < 500; index += 1) daemon.wake.notify();
    await expect.poll(() => on.has('alice', 'mytok.use')).toBe(true);
    await expect.poll(() => daemon.counts).toEqual({ completed: 2, reloaded: 1 });
    daemon.stop.abort();
    await ticking(on, daemon.ended);
  });

  it('R7 a pass begins with the users whose directories the watch has named, once', async () => {
    const first: (readonly string[] | undefined)[] = [];
    const on = bench({
      store: (real) => ({
        ...real,
        scan: (now, habits) => {
          first.push(habits?.first);
          return real.scan(now, habits);
        },
      }),
    });
    const daemon = start(on);
    await on.clock.whenWaiting();
    daemon.wake.notify('alice');
    daemon.wake.notify();
    daemon.wake.notify('alice');
    await expect.poll(() => first.length).toBe(2);
    await on.clock.whenWaiting();
    daemon.wake.notify();
    await expect.poll(() => first.length).toBe(3);
    expect(first).toEqual([[], ['alice'], []]);
    daemon.stop.abort();
    await ticking(on, daemon.ended);
  });

  it('does not lose a signal that comes during a pass', async () => {
    const on = bench();
    const daemon = start(on, {
      complete: () => {
        if (!on.has('alice', '')) {
          on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
          daemon.wake.notify();
        }
      },
    });
    await expect.poll(() => on.has('alice', 'mytok.use')).toBe(true);
    daemon.stop.abort();
    await ticking(on, daemon.ended);
  });

  it('R1 a renewal that ends after its pass is tried again at once when a newer login replaced its .top', async () => {
    const { on, issuer, daemon } = await renewalAfterItsPass();
    on.seed('alice', 'mytok', { top: top('newer') });
    issuer.release(late());
    await expect.poll(() => (on.clock.nextDue ?? 0) - on.clock.now()).toBeLessThan(0.21);
    on.clock.advanceToNext();
    await expect.poll(() => on.asked.length).toBe(2);
    expect(JSON.stringify(on.asked.at(-1)?.form)).toContain('newer');
    issuer.release(late());
    daemon.stop.abort();
    await ticking(on, daemon.ended);
  });

  it('R1 does not wake for a renewal that is due again later than the next pass', async () => {
    const { on, issuer, daemon } = await renewalAfterItsPass();
    issuer.release(late());
    await expect.poll(() => on.memory.inFlight.size).toBe(0);
    expect((on.clock.nextDue ?? 0) - on.clock.now()).toBe(5);
    expect(daemon.counts.completed).toBe(2);
    daemon.stop.abort();
    await ticking(on, daemon.ended);
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
    release(
      json({ access_token: 'late', token_type: 'bearer', expires_in: 100, refresh_token: 'r2' }),
    );
    await ticking(on, daemon.ended);
    expect(on.read('alice', 'mytok.top')).toContain('r2');
    expect(on.read('alice', 'mytok.use')).toContain('late');
  });

  it.each([
    [60, true],
    [70, false],
  ])(
    'R22 waits for an answer as long as a renewal may take: %d s, written: %s',
    async (seconds, written) => {
      const on = bench();
      on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
      const issuer = held(on);
      const daemon = start(on);
      await expect.poll(() => on.asked.length).toBe(1);
      daemon.stop.abort();
      await on.clock.whenWaiting();
      const until = on.clock.steady() + seconds;
      while (on.clock.steady() < until && on.clock.waiting > 0) {
        on.clock.advanceToNext();
        await new Promise((resolve) => setImmediate(resolve));
      }
      issuer.release(late());
      await ticking(on, daemon.ended);
      expect([
        on.has('alice', 'mytok.use'),
        on.lines.some((line) => line.includes('abandoned')),
      ]).toEqual([written, !written]);
    },
  );

  it('R22 a stall of the process does not use up the time of an issuer that has answered', async () => {
    const on = bench();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    const issuer = held(on);
    const daemon = start(on);
    await expect.poll(() => on.asked.length).toBe(1);
    daemon.stop.abort();
    await on.clock.whenWaiting();
    on.clock.advance(3600);
    issuer.release(late());
    await ticking(on, daemon.ended);
    expect(on.has('alice', 'mytok.use')).toBe(true);
  });

  it('R22 waits at shutdown for late answers and logs the abandoned ones', async () => {
    for (const comes of [true, false]) {
      const on = bench();
      on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
      const issuer: { release: (answer: HttpResponse) => void } = { release: () => undefined };
      on.answer = (_, timeOut) =>
        new Promise((resolve) => {
          issuer.release = resolve;
          timeOut?.();
        });
      const daemon = start(on);
      await expect.poll(() => on.memory.late.size).toBe(1);
      daemon.stop.abort();
      if (comes) issuer.release(late());
      await ticking(on, daemon.ended);
      const abandoned =
        'alice/mytok: renewal still running at shutdown, abandoned; a late response will be lost';
      expect([on.has('alice', 'mytok.use'), on.lines.includes(abandoned)]).toEqual([comes, !comes]);
    }
  });

  it('R12 makes a pass soon while a late answer is pending', async () => {
    const on = bench();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    on.answer = (_, timeOut) =>
      new Promise(() => {
        timeOut?.();
      });
    const daemon = start(on);
    await expect.poll(() => on.memory.late.size).toBe(1);
    await on.clock.whenWaiting();
    expect((on.clock.nextDue ?? 0) - on.clock.now()).toBeLessThanOrEqual(5);
    daemon.stop.abort();
    await ticking(on, daemon.ended);
  });

  it('R13 R22 retries pending writes at shutdown', async () => {
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

  it('R44 a write that takes longer than a minute is logged, once', async () => {
    let release: (error: unknown) => void = () => undefined;
    const on = bench({
      store: (real) => ({
        ...real,
        write: () => new Promise((_, reject) => (release = reject)),
      }),
    });
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    const daemon = start(on);
    await expect.poll(() => on.memory.writing.size, PATIENT).toBe(1);
    const slow = (): string[] => on.lines.filter((line) => line.includes('does not respond'));
    const expected = [
      'error alice/mytok: its files are being written for more than 60 s, the disk does not respond',
    ];
    const until = async (seconds: number): Promise<void> => {
      while ((on.clock.nextDue ?? 0) - began <= seconds) {
        on.clock.advanceToNext();
        await on.clock.whenWaiting();
      }
    };
    await on.clock.whenWaiting();
    const began = on.clock.now();
    await until(59);
    expect(slow()).toEqual([]);
    await until(300);
    expect(slow()).toEqual(expected);
    release(new CodedError('CRED_SUPERSEDED', 'alice/mytok: its directory was swept'));
    daemon.stop.abort();
    await ticking(on, daemon.ended);
    expect(slow()).toEqual(expected);
  });

  it('R13 R22 a disk that does not respond is waited for, but not without end: its tokens are named and the result is false', async () => {
    for (const [kind, loss] of [
      ['rotated', 'its rotated refresh token may be lost: then the user must log in again'],
      ['kept', 'its refresh token is on disk, and the next start renews it'],
    ] as const) {
      const written: string[] = [];
      const on = bench({
        store: (real) => ({
          ...real,
          apply: ({ stem }) => void written.push(stem),
          write: ({ user }) =>
            user === 'carol'
              ? Promise.reject(new CodedError('CRED_FILE_IO', 'carol/mytok: broken (EIO)'))
              : new Promise(() => undefined),
        }),
      });
      on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
      on.answer = async () => {
        const answer = { access_token: 'a2', token_type: 'bearer', expires_in: 100 };
        return json(kind === 'rotated' ? { ...answer, refresh_token: 'r2' } : answer);
      };
      const daemon = start(on);
      await expect.poll(() => on.memory.writing.size, PATIENT).toBe(1);
      on.memory.unwritten.set('carol/x', { user: 'carol', stem: 'x', from: undefined, writes: [] });
      daemon.stop.abort();
      const began = on.clock.steady();
      await ticking(on, daemon.ended);
      expect(await daemon.ended).toBe(kind === 'kept');
      expect(on.clock.steady() - began).toBeLessThan(70);
      const lines = on.lines.filter((line) => line.startsWith('alice/mytok: '));
      expect(lines).toEqual([
        expect.stringContaining(
          `alice/mytok: still writing at shutdown, the disk does not respond; ${loss}`,
        ) as string,
      ]);
      // A write that is not made in another thread would hang as well.
      expect(written).toEqual([]);
    }
  });

  it('R10 stops when its lock is lost: nothing starts, renewals in progress are written, CREDMON_COMPLETE is not touched', async () => {
    const on = bench();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    const issuer = held(on);
    let state: LockState = 'held';
    const daemon = start(on, { context: { ...on.context, lockState: () => state } });
    const ended = daemon.ended.catch((error: unknown) => error);
    await expect.poll(() => on.asked.length, PATIENT).toBe(1);
    state = 'file-replaced';
    on.seed('bob', 'mytok', { top: top('b1'), meta: meta() });
    daemon.wake.notify();
    await expect
      .poll(() => on.lines.some((line) => line.startsWith('Stopping: waiting for 1')), PATIENT)
      .toBe(true);
    issuer.release(late());
    await ticking(on, ended);
    expect(await ended).toMatchObject({ code: 'LOCK_LOST', fields: { state: 'file-replaced' } });
    expect([on.read('alice', 'mytok.top'), on.asked.length, on.has('bob', 'mytok.use')]).toEqual([
      expect.stringContaining('r2') as string,
      1,
      false,
    ]);
    expect(daemon.counts.completed).toBe(0);
  });

  it('R10 a queued renewal does not start once the lock is lost', async () => {
    let state: LockState = 'held';
    const on = bench();
    for (let index = 0; index < 20; index += 1)
      on.seed('alice', `mytok_${index}`, { top: top(`r${index}`), meta: meta() });
    const answers: (() => void)[] = [];
    on.answer = () =>
      new Promise((resolve) => {
        answers.push(() => resolve(late()));
      });
    const { parts, counts } = partsFor(on, { context: { ...on.context, lockState: () => state } });
    const ended = runOnce(parts).catch((error: unknown) => error);
    await expect.poll(() => answers.length, PATIENT).toBe(16);
    state = 'directory-replaced';
    for (const answer of answers) answer();
    await ticking(on, ended);
    expect([await ended, on.asked.length, counts.completed]).toEqual([
      expect.objectContaining({ code: 'LOCK_LOST' }),
      16,
      0,
    ]);
  });

  it('continues when the directory cannot be read, and logs it', async () => {
    const on = bench();
    const daemon = start(on);
    await on.clock.whenWaiting();
    rmSync(on.directory, { recursive: true });
    on.clock.advanceToNext();
    await expect.poll(() => on.lines.some((line) => line.includes('failed, retrying'))).toBe(true);
    daemon.stop.abort();
    await ticking(on, daemon.ended);
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
      daemon.wake.notify();
      await expect.poll(() => daemon.counts.reloaded).toBe(step > 0 ? 1 : 2);
      await on.clock.whenWaiting();
      expect(on.asked).toEqual([]);
    }
    on.clock.advance(500);
    await expect.poll(() => on.asked.length).toBe(1);
    daemon.stop.abort();
    await ticking(on, daemon.ended);
  });
});

describe('a single pass', () => {
  const seedTwo = (on: Bench): void => {
    for (const user of ['alice', 'bob']) on.seed(user, 'mytok', { top: top('r1'), meta: meta() });
  };
  const oneByOne = (on: Bench) => ({
    ...on.context,
    limiter: createLimiter({ cap: () => 1, steady: () => on.clock.steady() }),
  });

  it('is complete when everything due was tried', async () => {
    const on = bench();
    seedTwo(on);
    const { parts, counts } = partsFor(on);
    expect([await runOnce(parts), counts.completed, on.asked.length]).toEqual([true, 1, 2]);
  });

  it('R22 at a signal writes the renewals in progress, starts no more, and is not complete', async () => {
    const on = bench();
    seedTwo(on);
    const issuer = held(on);
    const { parts, stop, counts } = partsFor(on, { context: oneByOne(on) });
    const ended = runOnce(parts);
    await expect.poll(() => on.asked.length).toBe(1);
    stop.abort();
    issuer.release(late());
    await ticking(on, ended);
    expect([await ended, counts.completed, on.asked.length]).toEqual([false, 0, 1]);
    expect(['alice', 'bob'].filter((user) => on.has(user, 'mytok.use'))).toHaveLength(1);
    expect(on.lines).toContainEqual('Stopped with 1 renewal not started');
  });

  it('R22 sends no request when the signal came before', async () => {
    const on = bench();
    seedTwo(on);
    const { parts, stop } = partsFor(on);
    stop.abort();
    expect([await runOnce(parts), on.asked.length]).toEqual([false, 0]);
  });

  it('R13 logs the loss when a rotated token cannot be written', async () => {
    const refuse = (): never => {
      throw new CodedError('CRED_FILE_IO', 'alice/mytok: cannot write mytok.top (ENOSPC)');
    };
    const on = bench({ store: (real) => ({ ...real, apply: refuse }) });
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    expect(await runOnce(partsFor(on).parts)).toBe(false);
    expect(on.lines).toContainEqual(
      'alice/mytok: not written before shutdown; its rotated refresh token is lost: the user must log in again; ' +
        'fix: alice runs "condor_store_cred delete-oauth -s mytok" and submits again',
    );
  });

  it('is not complete when the directory cannot be read', async () => {
    const on = bench();
    rmSync(on.directory, { recursive: true });
    expect(await runOnce(partsFor(on).parts)).toBe(false);
  });
});

it('R22 shutdown waits longer than every configured time-out', () => {
  const limits = { connectSeconds: 5, totalSeconds: 600, maxBodyBytes: 1 };
  const program = {
    name: 'x',
    command: '/x',
    args: [],
    seconds: 90,
    policy: GENERIC_POLICY,
  };
  expect(graceSeconds({ limits, tokenPrograms: [] })).toBe(2405);
  expect(graceSeconds({ limits: { ...limits, totalSeconds: 15 }, tokenPrograms: [program] })).toBe(
    95,
  );
});
