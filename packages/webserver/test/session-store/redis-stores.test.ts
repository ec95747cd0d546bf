// Sessions and flows in a real Redis: the suite of all stores, and the failures of a
// server.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { systemTrust } from '@credmon/core/base';
import { isRedisMissing, startRedis, type RedisServer } from '@credmon/test-fixtures/servers/redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCookieSecret } from '../../src/session-store/session-directory.ts';
import { openRedisStores } from '../../src/session-store/redis-stores.ts';
import type { Stores } from '../../src/session-store/file-stores.ts';
import { KEY, ad, settingsFor, startPortal, type Portal } from '../support/portal.ts';
import { openedFlow, promised, sessionOf, storeContract, type StoreWorld } from './contract.ts';

const missing = isRedisMissing();
const LIMITS = { idle: 100, absolute: 250, answer: 60, count: 100 };
let redis: RedisServer;
let now: number;
const clock = { now: () => now, steady: () => now, wait: async () => undefined };
const problems: string[] = [];
const stores: Stores[] = [];
const open = async (limits = LIMITS, more: { passwordFile?: string } = {}): Promise<Stores> => {
  const opened = await openRedisStores(
    { kind: 'unix', path: redis.path, database: 0, ...more },
    clock,
    limits,
    (text) => {
      problems.push(text);
    },
  );
  stores.push(opened);
  return opened;
};
const plainClient = (password?: string) =>
  createClient({
    socket: { path: redis.path, tls: false },
    ...(password === undefined ? {} : { password }),
  });
const command = async <T>(
  work: (client: ReturnType<typeof plainClient>) => Promise<T>,
  password?: string,
): Promise<T> => {
  const client = plainClient(password);
  await client.connect();
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
};

if (!missing) {
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    now = 1_800_000_000;
    problems.length = 0;
    await command((client) => client.flushAll());
  });
  afterEach(async () => {
    for (const one of stores.splice(0)) await one.close();
  });

  storeContract('Redis', async () => {
    const worlds = new Map<string, Stores>();
    const of = (limits: typeof LIMITS): Stores => {
      const found = worlds.get(JSON.stringify(limits));
      if (!found) throw new Error(`no stores were opened with ${JSON.stringify(limits)}`);
      return found;
    };
    for (const limits of [
      { idle: 100, absolute: 250, answer: 60, count: 1000 },
      { idle: 250, absolute: 250, answer: 60, count: 1000 },
      { idle: 100, absolute: 250, answer: 60, count: 3 },
      { idle: 100, absolute: 250, answer: 60, count: 2 },
    ])
      worlds.set(JSON.stringify(limits), await open(limits));
    const world: StoreWorld = {
      get now() {
        return now;
      },
      set now(value) {
        now = value;
      },
      sessions: (limits) => of(limits).sessions,
      flows: (limits) => of(limits).flows,
      answers: (limits) => of(limits).answers,
      countAnswers: () => command((client) => client.zCard('{credmon_web}:answer:all')),
      count: async () => {
        const { sessions, flows } = await of({
          idle: 100,
          absolute: 250,
          answer: 60,
          count: 1000,
        }).count();
        return sessions + flows;
      },
      close: async () => undefined,
    };
    return world;
  });
}

describe.skipIf(missing)('a store in Redis', () => {
  it('R36 has one cookie key for all servers', async () => {
    const [one, two] = [await open(), await open()];
    expect(Buffer.from(one.cookieSecret, 'base64url')).toHaveLength(32);
    expect(two.cookieSecret).toBe(one.cookieSecret);
  });

  it('R43 reveals no id, and every key expires', async () => {
    const { sessions, flows } = await open();
    await promised(sessions).set('canary-session', sessionOf('f'));
    await flows.append('canary-flow', openedFlow);
    const keys = await command((client) => client.keys('*'));
    expect(keys.join(' ')).not.toContain('canary');
    expect(keys.every((key) => key.startsWith('{credmon_web}:'))).toBe(true);
    const records = keys.filter((key) => /:[0-9a-f]{16}-[0-9a-f]{64}$/.test(key));
    const lives = await command((client) => Promise.all(records.map((key) => client.ttl(key))));
    expect(lives.map((life) => life > 240 && life <= 250)).toEqual([true, true]);
  });

  it('R33 gives --check the cookie key of the running portal, and creates none', async () => {
    const place = { kind: 'unix', path: redis.path, database: 0 } as const;
    const settings = settingsFor('/nowhere', { sessionStore: place });
    expect(await readCookieSecret(settings, systemTrust())).toBe(undefined);
    expect(await command((client) => client.keys('*'))).toEqual([]);
    const { cookieSecret } = await open();
    expect(await readCookieSecret(settings, systemTrust())).toBe(cookieSecret);
  });

  it('is pruned of expired entries only', async () => {
    const store = await open();
    await promised(store.sessions).set('old', sessionOf('f1'));
    await store.flows.append('old', openedFlow);
    now += 100;
    await promised(store.sessions).set('new', sessionOf('f2'));
    await store.prune();
    expect(await store.count()).toEqual({ sessions: 1, flows: 1 });
    now += 150;
    await store.prune();
    expect(await store.count()).toEqual({ sessions: 0, flows: 0 });
  });

  it('R41 reports when it is out of memory and when it does not answer, and recovers by itself', async () => {
    const store = await open();
    await command((client) => client.configSet('maxmemory', '1'));
    await expect(store.flows.append('x', openedFlow)).rejects.toMatchObject({
      code: 'SESSION_STORE_FULL',
    });
    await command((client) => client.configSet('maxmemory', '0'));
    await redis.process.stop();
    await expect(store.flows.read('x')).rejects.toMatchObject({ code: 'SESSION_STORE_DOWN' });
    await expect(store.check()).rejects.toMatchObject({ code: 'SESSION_STORE_DOWN' });
    await redis.restart();
    await expect
      .poll(() =>
        store.check().then(
          () => 'well',
          () => 'lost',
        ),
      )
      .toBe('well');
    expect(problems[0]).toMatch(/^lost the connection to the session store: /);
    expect(problems.at(-1)).toBe('the session store is available again');
    expect(problems).toHaveLength(2);
  });

  it('R2 R41 times out if it hangs', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'credmon-hung-'));
    const path = join(directory, 'hung.sock');
    const hung = createServer(() => undefined);
    await new Promise<void>((resolve) => hung.listen(path, resolve));
    await expect(
      openRedisStores({ kind: 'unix', path, database: 0 }, clock, LIMITS, () => undefined),
    ).rejects.toMatchObject({
      code: 'SESSION_STORE_DOWN',
      message: expect.stringContaining('no answer within 5 s'),
    });
    hung.close();
    rmSync(directory, { recursive: true });
  });

  it('R43 reads its password from a private file, and never reveals it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'credmon-redis-password-'));
    const passwordFile = join(directory, 'password');
    writeFileSync(passwordFile, 'canary-password\n', { mode: 0o600 });
    await command((client) => client.configSet('requirepass', 'canary-password'));
    try {
      expect(await (await open(LIMITS, { passwordFile })).count()).toEqual({
        sessions: 0,
        flows: 0,
      });
      writeFileSync(passwordFile, 'canary-other');
      await expect(open(LIMITS, { passwordFile })).rejects.toMatchObject({
        code: 'SESSION_STORE_DOWN',
        message: 'the session store is not available: WRONGPASS',
      });
      await expect(open()).rejects.toMatchObject({
        code: 'SESSION_STORE_DOWN',
        message: expect.stringContaining('NOAUTH'),
      });
      chmodSync(passwordFile, 0o644);
      await expect(open(LIMITS, { passwordFile })).rejects.toMatchObject({
        code: 'SECRET_UNREADABLE',
      });
    } finally {
      writeFileSync(passwordFile, 'canary-password', { mode: 0o600 });
      chmodSync(passwordFile, 0o600);
      await command((client) => client.configSet('requirepass', ''), 'canary-password');
      rmSync(directory, { recursive: true });
    }
  });

  it('R36 two servers on different hosts share sessions: a login begins at one and finishes at the other, and a state works once', async () => {
    const [one, two] = [
      await open({ idle: 1800, absolute: 28_800, answer: 60, count: 100 }),
      await open({ idle: 1800, absolute: 28_800, answer: 60, count: 100 }),
    ];
    const ports = ({ sessions, flows, answers, cookieSecret }: Stores) => ({
      sessions,
      flows,
      answers,
      cookieSecret,
    });
    const portal: Portal = await startPortal({}, ports(one));
    try {
      portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
      const here = portal.browser();
      await here.open(`/key/${KEY}`);
      const there = here.at(await portal.replica(ports(two)));
      const path = here.returnFrom(await here.login('mytok'));
      const answers = await Promise.all([here.get(path), there.get(path)]);
      const statuses = answers.map(({ status }) => status);
      expect(statuses.toSorted((a, b) => a - b)).toEqual([303, 410]);
      // The session has a new id; the browser has it from the first response.
      const [first, second] = statuses[0] === 303 ? [here, there] : [there, here];
      const asked = answers.find(({ status }) => status === 303)?.location ?? '';
      // The question is answered at another server than the one that stores the answer.
      expect((await first.at(second).decide(asked, 'store')).status).toBe(303);
      const back = first.returnFrom(await first.login('other'));
      expect((await first.at(second).follow(back)).status).toBe(303);
      expect((await second.get('/')).text).toContain('All done');
      expect(portal.sent).toHaveLength(2);
    } finally {
      await portal.close();
    }
  });
});
