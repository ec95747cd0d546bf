// When a token is due: by its times, on a clock that clock steps, chown and restore do
// not affect.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TokenSnapshot } from '../../src/credential/snapshot.ts';
import {
  dueByLifetime,
  dueOf,
  localNow,
  type DueReason,
  pauseAfter,
} from '../../src/renewal/due.ts';
import { DEFAULT_POLICY, SHORTEST_PAUSE, jitterOf } from '../../src/renewal/policy.ts';
import { NOW, token, useOf, written } from './snapshots.ts';

const DAY = 86_400;
const HOUR = { issuedAt: NOW.wall, expiresAt: NOW.wall + 3600 };
const place = jitterOf('alice/mytok');
const top = (mtime: number): TokenSnapshot['top'] => ({
  kind: 'valid',
  value: { opaque: false, refreshToken: 'present' },
  identity: written(mtime),
});

describe('when a token is due', () => {
  it.each([
    [0, 1800],
    [0.5, 1620],
    [1, 1440],
  ])('R5 R6 with the jitter %d, %d seconds into an hour', (spread, expected) => {
    expect(dueByLifetime({ issuedAt: 0, expiresAt: 3600 }, DEFAULT_POLICY, spread)).toBeCloseTo(
      expected,
      6,
    );
  });

  it('with a maximum interval it is due after that, or earlier by its lifetime', () => {
    const policy = { ...DEFAULT_POLICY, refreshEvery: 1200 };
    const dueAfter = (lifetime: number, spread: number): number =>
      dueByLifetime({ issuedAt: 0, expiresAt: lifetime }, policy, spread);
    expect([dueAfter(86_400, 0), dueAfter(86_400, 1), dueAfter(600, 0)].map(Math.round)).toEqual([
      1200, 960, 300,
    ]);
  });

  it('a token that does not expire is never due by its lifetime, and after a refresh interval', () => {
    const times = { issuedAt: 0, expiresAt: Number.POSITIVE_INFINITY };
    const dueWith = (change: object): number =>
      dueByLifetime(times, { ...DEFAULT_POLICY, ...change }, 0.5);
    expect([{}, { jitter: 0 }, { margin: 960 }, { margin: 960, jitter: 0 }].map(dueWith)).toEqual(
      Array(4).fill(Number.POSITIVE_INFINITY),
    );
    expect(Math.round(dueWith({ refreshEvery: 1200 }))).toBe(1080);
    expect(pauseAfter(3, times, DEFAULT_POLICY, 10)).toEqual({ seconds: 30, shortLives: 0 });
  });

  it.each([
    ['a day', DAY, 0, DAY - 960],
    ['a day, first', DAY, 1, DAY - 1920],
    ['two hours', 7200, 1, 7200 - 960 - 720],
    ['an hour', 3600, 0, 2640],
    ['half an hour, by its half', 1800, 0, 900],
    ['ten minutes, by its half', 600, 1, 240],
  ])('R6 with a margin %s is due when only the margin is left', (_, lifetime, spread, expected) => {
    const policy = { ...DEFAULT_POLICY, margin: 960 };
    expect(dueByLifetime({ issuedAt: 0, expiresAt: lifetime }, policy, spread)).toBeCloseTo(
      expected,
      6,
    );
  });

  it('R5 no fraction, jitter, lifetime or refresh interval makes a token due before its time of issue plus a pause', () => {
    const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    const seconds = fc.double({ min: -10, max: 1e9, noNaN: true });
    const refresh = fc.option(fc.integer({ min: 10, max: 31_536_000 }), { nil: undefined });
    fc.assert(
      fc.property(
        share,
        unit,
        unit,
        seconds,
        refresh,
        (fraction, below, spread, lifetime, refreshEvery) => {
          const limit = refreshEvery === undefined ? {} : { refreshEvery };
          const policy = { ...DEFAULT_POLICY, fraction, jitter: fraction * below, ...limit };
          const times = { issuedAt: 1e9, expiresAt: 1e9 + lifetime };
          expect(dueByLifetime(times, policy, spread)).toBeGreaterThanOrEqual(1e9 + SHORTEST_PAUSE);
          const { seconds: pause } = pauseAfter(0, times, policy, 1e9);
          expect(pause).toBeGreaterThanOrEqual(SHORTEST_PAUSE);
        },
      ),
    );
  });

  it('R5 a jitter not less than the fraction does not make a token due before its time of issue', () => {
    const due = (fraction: number, spread: number): number =>
      dueByLifetime({ issuedAt: 0, expiresAt: 3600 }, { ...DEFAULT_POLICY, fraction }, spread);
    expect([due(0.05, 1), due(0.05, 0.5), due(0.1, 1), due(0.05, 0)]).toEqual([1, 1, 1, 180]);
  });

  const byLifetime = NOW.wall + 3600 * (0.5 - 0.1 * place);
  const always = Number.NEGATIVE_INFINITY;
  const cases: [string, Partial<TokenSnapshot>, number, DueReason][] = [
    ['by its lifetime', {}, byLifetime, 'lifetime'],
    ['at once when .use is missing', { use: { kind: 'missing' } }, always, 'use-missing'],
    [
      'at once when .use is broken',
      { use: { kind: 'broken', reason: 'is empty' } },
      always,
      'use-broken',
    ],
    ['at once when .top is newer than .use', { top: top(NOW.wall + 1) }, always, 'newer-top'],
    [
      'R5 by its lifetime when a device login stored .use just before .top',
      { use: useOf({ ...HOUR, beforeTop: true }), top: top(NOW.wall + 60) },
      byLifetime,
      'lifetime',
    ],
    [
      'R5 at once when .top is newer than that',
      { use: useOf({ ...HOUR, beforeTop: true }), top: top(NOW.wall + 61) },
      always,
      'newer-top',
    ],
    [
      'by its lifetime when .top is exactly as old as .use',
      { top: top(NOW.wall) },
      byLifetime,
      'lifetime',
    ],
    ['by its lifetime without .top', { top: { kind: 'missing' } }, byLifetime, 'lifetime'],
    [
      'by its lifetime when .top is broken',
      { top: { kind: 'broken', reason: 'is a symbolic link', identity: written(NOW.wall + 9) } },
      byLifetime,
      'lifetime',
    ],
    [
      'R5 by its lifetime when .top is dated in the future',
      { top: top(NOW.wall + DAY) },
      byLifetime,
      'lifetime',
    ],
    [
      'R5 by its lifetime after a restore with a recent modification time of .use',
      { use: useOf({ issuedAt: NOW.wall, expiresAt: NOW.wall + 3600 }, NOW.wall + 50_000) },
      byLifetime,
      'lifetime',
    ],
    [
      'R5 soon, but spread, when it was issued a day from now',
      { use: useOf({ issuedAt: NOW.wall + DAY, expiresAt: NOW.wall + DAY + 3600 }) },
      NOW.wall + 60 * place,
      'clock-stepped',
    ],
    [
      'R5 by its lifetime when the clock was a little ahead',
      { use: useOf({ issuedAt: NOW.wall + 100, expiresAt: NOW.wall + 3700 }) },
      byLifetime + 100,
      'lifetime',
    ],
  ];
  it.each(cases)('%s', (_, changes, at, reason) => {
    const due = dueOf(token(changes), DEFAULT_POLICY, NOW.wall);
    expect(due.reason).toBe(reason);
    expect(due.at === at || Math.abs(due.at - at) < 1e-3).toBe(true);
  });

  it('R5 a .top dated in the future is used when that time has come', () => {
    const late = token({ top: top(NOW.wall + DAY) });
    expect(dueOf(late, DEFAULT_POLICY, NOW.wall + DAY).reason).toBe('newer-top');
    expect(dueOf(late, DEFAULT_POLICY).reason).toBe('newer-top');
  });
});

describe('R5 the token’s own time', () => {
  it.each([
    ['advances with the clock', 100, 100, 100],
    ['ignores a clock step of a day forward', DAY + 100, 100, 100],
    ['ignores a clock step of a day back', 100 - DAY, 100, 100],
    ['continues while the clock stands still', 0, 100, 100],
  ])('%s', (_, wall, steady, expected) => {
    const now = { wall: NOW.wall + wall, steady: NOW.steady + steady };
    expect(localNow(token(), now) - NOW.wall).toBe(expected);
  });
});
