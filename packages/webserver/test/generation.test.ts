// If a step of creating a generation fails, nothing is left open.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { isRedisMissing, startRedis, type RedisServer } from '@credmon/test-fixtures/servers/redis';
import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createGeneration } from '../src/app.ts';
import { NO_COUNTERS } from '../src/flow/ports.ts';
import type { Settings } from '../src/settings/settings.ts';
import { settingsFor } from './support/portal.ts';

/** The step that fails, and what was opened and closed. */
const world = vi.hoisted(() => ({ fails: '', open: new Set<string>(), opened: [] as string[] }));
const fail = vi.hoisted(() => (step: string): void => {
  if (world.fails === step) throw new Error(`${step} failed`);
});
const opens = vi.hoisted(() => (name: string): (() => void) => {
  world.open.add(name);
  world.opened.push(name);
  return () => void world.open.delete(name);
});

vi.mock('../src/session-store/file-stores.ts', async (original) => {
  const real = await original<typeof import('../src/session-store/file-stores.ts')>();
  return {
    ...real,
    openFileStores: (...args: Parameters<typeof real.openFileStores>) => {
      fail('openFileStores');
      const stores = real.openFileStores(...args);
      const closed = opens('stores');
      return { ...stores, close: async () => closed() };
    },
  };
});
vi.mock('@credmon/core/base', async (original) => {
  const real = await original<typeof import('@credmon/core/base')>();
  return {
    ...real,
    createSend: (...args: Parameters<typeof real.createSend>) => {
      const { close, ...rest } = real.createSend(...args);
      const closed = opens('connections');
      return { ...rest, close: async () => (closed(), close()) };
    },
  };
});
vi.mock('../src/host/served-files.ts', async (original) => {
  const real = await original<typeof import('../src/host/served-files.ts')>();
  return {
    ...real,
    openViews: () => (fail('openViews'), real.openViews()),
    openPublicKeys: (issuer: Settings['localIssuer']) => (
      fail('openPublicKeys'),
      real.openPublicKeys(issuer)
    ),
  };
});
vi.mock('../src/plugins/security.ts', async (original) => {
  const real = await original<typeof import('../src/plugins/security.ts')>();
  return {
    ...real,
    registerSecurity: async (
      app: FastifyInstance,
      context: Parameters<typeof real.registerSecurity>[1],
    ) => {
      const closed = opens('application');
      app.addHook('onClose', async () => closed());
      if (world.fails === 'app.ready')
        app.addHook('onReady', () => Promise.reject(new Error('app.ready failed')));
      await real.registerSecurity(app, context);
    },
  };
});
vi.mock('../src/routes/public.ts', async (original) => {
  const real = await original<typeof import('../src/routes/public.ts')>();
  return {
    ...real,
    healthRoutes: (...args: Parameters<typeof real.healthRoutes>) => (
      fail('a route'),
      real.healthRoutes(...args)
    ),
  };
});

let directory: string;
const log: string[] = [];
const say = (text: string): void => void log.push(text);
const environment = {
  listen: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  log: { info: say, warn: say, error: say, debug: say },
  counters: NO_COUNTERS,
  sources: [],
} as const;
beforeEach(() => {
  Object.assign(world, { fails: '', opened: [] });
  world.open.clear();
  directory = mkdtempSync(join(tmpdir(), 'credmon-generation-'));
  for (const name of ['creds', 'sessions']) mkdirSync(join(directory, name), { mode: 0o700 });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const ALL = ['stores', 'connections', 'application'];

describe('a generation', () => {
  it.each([
    ['openFileStores', []],
    ['openViews', ['stores', 'connections']],
    ['openPublicKeys', ['stores', 'connections']],
    ['a route', ALL],
    ['app.ready', ALL],
  ])('leaves nothing open if step %s fails', async (step, opened) => {
    world.fails = step;
    await expect(createGeneration(settingsFor(directory), environment)).rejects.toThrow(
      `${step} failed`,
    );
    expect([world.opened, [...world.open]]).toEqual([opened, []]);
  });

  it('is open until it is closed', async () => {
    const generation = await createGeneration(settingsFor(directory), environment);
    expect([...world.open]).toEqual(ALL);
    await generation.close();
    expect([...world.open]).toEqual([]);
  });
});

describe.skipIf(isRedisMissing())('a generation with Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());

  /**
   * Returns the number of other connections to Redis. Commands that begin with `allow` or
   * `deny` change what users may do.
   */
  const connections = async (...commands: readonly string[][]): Promise<number> => {
    const client = createClient({ socket: { path: redis.path, tls: false } });
    await client.connect();
    try {
      for (const command of commands) await client.sendCommand([...command]);
      const list = await client.sendCommand<string>(['CLIENT', 'LIST']);
      return list.trim().split('\n').length - 1;
    } finally {
      client.destroy();
    }
  };
  const settings = (): Settings =>
    settingsFor(directory, { sessionStore: { kind: 'unix', path: redis.path, database: 0 } });

  it.each(['openViews', 'openPublicKeys', 'app.ready'])(
    'closes the connection if %s fails',
    async (step) => {
      world.fails = step;
      await expect(createGeneration(settings(), environment)).rejects.toThrow(`${step} failed`);
      await expect.poll(() => connections()).toBe(0);
    },
  );

  it('closes the connection if Redis does not store the cookie key', async () => {
    await connections(['ACL', 'SETUSER', 'default', '-set']);
    await expect(createGeneration(settings(), environment)).rejects.toMatchObject({
      code: 'SESSION_STORE_DOWN',
    });
    await connections(['ACL', 'SETUSER', 'default', '+set']);
    await expect.poll(() => connections()).toBe(0);
  });
});
