// What a renewal costs that only waits for its turn: after an outage, tens of thousands do.
import type { TokenSnapshot } from '@credmon/core/credential';
import type { Scan } from '@credmon/core/store';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { beginPass } from '../../src/daemon/pass.ts';
import { createLimiter } from '../../src/throttle/limiter.ts';
import { bench, TOKEN_URL } from '../support/bench.ts';

const MANY = 20_000;
/** Bytes. It takes 1,060, and took 2,670 with promises and closures. */
const MOST = 1500;

const file = (ino: number) => ({ ino, mtime: 0, size: 1 });

const due = (n: number, wall: number): TokenSnapshot => ({
  user: `user${n % 1000}`,
  stem: `mytok_h${n}`,
  top: { kind: 'valid', value: { opaque: false, refreshToken: 'present' }, identity: file(n) },
  use: { kind: 'valid', value: { issuedAt: 1, expiresAt: 2 }, identity: file(MANY + n) },
  meta: {
    kind: 'valid',
    value: { clientId: 'id', tokenUrl: TOKEN_URL, useRefreshToken: true },
    identity: file(2 * MANY + n),
  },
  renewal: undefined,
  seen: { wall, steady: 0 },
});

it(`R8 a renewal that waits for its turn takes at most ${MOST} bytes`, async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const on = bench();
  const limiter = createLimiter({ cap: () => 0, steady: () => on.clock.steady() });
  const tokens = Array.from({ length: MANY }, (_, n) => due(n, on.clock.now()));
  let found: readonly TokenSnapshot[] = [];
  const scan = async (): Promise<Scan> => ({
    tokens: found,
    temporaries: [],
    keyFiles: [],
    problems: [],
  });
  const context = { ...on.context, limiter, store: { ...on.store, scan } };
  await beginPass(context, on.lookup, on.memory);
  collect();
  const before = process.memoryUsage().heapUsed;
  found = tokens;
  const { started, settled } = await beginPass(context, on.lookup, on.memory);
  collect();
  const each = (process.memoryUsage().heapUsed - before) / MANY;
  expect([started, on.memory.inFlight.size]).toEqual([MANY, MANY]);
  expect(each).toBeLessThanOrEqual(MOST);
  limiter.close();
  expect(await settled).toBe(Number.POSITIVE_INFINITY);
  expect([limiter.dropped, on.memory.inFlight.size]).toEqual([MANY, 0]);
});
