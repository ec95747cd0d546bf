// The keys of the rate limit.
import { describe, expect, it } from 'vitest';
import { rateKey } from '../../src/plugins/request-limits.ts';

describe('the rate limit', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ])('R40 of %s is that of %s', (ip, key) => {
    expect(rateKey(ip)).toBe(key);
  });
});
