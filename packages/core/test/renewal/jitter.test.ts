// The jitter of tokens: even, stable, and without clusters, for any names.
import { describe, expect, it } from 'vitest';
import { dueByLifetime } from '../../src/renewal/due.ts';
import { DEFAULT_POLICY, jitterOf } from '../../src/renewal/policy.ts';

const COUNT = 10_000;
const names: [string, (index: number) => string][] = [
  ['numbered users', (index) => `user${index}/mytok`],
  ['padded users', (index) => `u${String(index).padStart(6, '0')}/scitokens`],
  ['numbered handles of one user', (index) => `alice/mytok_${index}`],
  ['many services', (index) => `user${index % 100}/service-${Math.floor(index / 100)}`],
];

describe('R6 10,000 tokens issued in the same second', () => {
  it.each(names)('of %s are due at random times', (_, name) => {
    const perSecond = new Map<number, number>();
    const times = { issuedAt: 1_800_000_000, expiresAt: 1_800_003_600 };
    for (let index = 0; index < COUNT; index += 1) {
      const second = Math.floor(dueByLifetime(times, DEFAULT_POLICY, jitterOf(name(index))));
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
    const window = 3600 * DEFAULT_POLICY.jitter;
    const expected = COUNT / window;
    const counts = [...perSecond.values()];
    expect(perSecond.size).toBe(window);
    expect(Math.max(...counts)).toBeLessThan(expected + 5 * Math.sqrt(expected));
    // Pearson's statistic of a uniform distribution is about the number of seconds,
    // within five deviations.
    const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(Math.abs(statistic - window)).toBeLessThan(5 * Math.sqrt(2 * window));
  });

  it('keep their jitter after a restart', () => {
    expect(
      [jitterOf(''), jitterOf('alice/mytok'), jitterOf('alice/mytok')].map((x) => x.toFixed(6)),
    ).toEqual([
      jitterOf('').toFixed(6),
      jitterOf('alice/mytok').toFixed(6),
      jitterOf('alice/mytok').toFixed(6),
    ]);
    expect(jitterOf('alice/mytok')).not.toBe(jitterOf('alice/mytol'));
    for (const text of ['', 'a', 'é', 'x'.repeat(400)]) {
      expect(jitterOf(text)).toBeGreaterThanOrEqual(0);
      expect(jitterOf(text)).toBeLessThan(1);
    }
  });
});
