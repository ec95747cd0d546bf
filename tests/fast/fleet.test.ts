// A small fleet in virtual time, with the planner and the throttle of the daemon: the
// issuer gets its requests evenly, also after an outage.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';

const program = fileURLToPath(new URL('../../bench/fleet.mjs', import.meta.url));
const FLEET = '--access-points 20 --users 400 --lifetime 7200 --outage 1200 --json'.split(' ');

it('R8 the busiest minutes have less than 1.3 times the mean, 2 times after an outage, and no token expires', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...FLEET], {
    encoding: 'utf8',
    timeout: PATIENCE * 1000,
  });
  expect(stderr).toBe('');
  const found = JSON.parse(stdout) as Record<string, number>;
  expect(found['perSecond']).toBeGreaterThan(8000 / 7200);
  expect(found['steadyPeak']).toBeLessThan(1.3);
  expect(found['afterOutagePeak']).toBeLessThan(2);
  expect([found['expiredAvoidably'], found['expiredInOutage']]).toEqual([0, 0]);
});
