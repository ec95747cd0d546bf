// A small fleet in virtual time, with the planner and the throttle of the daemon: the
// issuer gets its requests evenly, also after an outage.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';

const program = fileURLToPath(new URL('../../bench/fleet.mjs', import.meta.url));

/** What the simulation of a fleet finds. */
function simulate(words: string): Record<string, number> {
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...words.split(' '), '--json'], {
    encoding: 'utf8',
    timeout: PATIENCE * 1000,
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<string, number>;
}

it('R8 the busiest minutes have less than 1.3 times the mean, 2 times after an outage, and no token expires', () => {
  const found = simulate('--access-points 20 --users 400 --lifetime 7200 --outage 1200');
  expect(found['perSecond']).toBeGreaterThan(8000 / 7200);
  expect(found['steadyPeak']).toBeLessThan(1.3);
  expect(found['afterOutagePeak']).toBeLessThan(2);
  expect([found['expiredAvoidably'], found['expiredInOutage']]).toEqual([0, 0]);
});

it('a fleet of more than one group has the requests of all groups', () => {
  const found = simulate('--access-points 24 --users 500 --lifetime 3600 --outage 60');
  // Each token is renewed after 40 % to 50 % of its lifetime.
  expect(found['perSecond']).toBeGreaterThan(12_000 / (0.5 * 3600));
  expect(found['perSecond']).toBeLessThan(12_000 / (0.4 * 3600));
  expect([found['expiredAvoidably'], found['expiredInOutage']]).toEqual([0, 0]);
});
