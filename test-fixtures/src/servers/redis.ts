// A real redis-server on a unix socket in a temporary directory, without persistence.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, type Child } from '../processes/processes.ts';
import { skipWithout } from '../processes/skipped.ts';

/** The path on Debian. */
const PROGRAM = '/usr/bin/redis-server';

/** A running server. */
export interface RedisServer {
  readonly path: string;
  readonly process: Child;
  /** Starts it again, empty, after `process.stop()`. */
  restart(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * True if redis-server is missing, for `describe.skipIf`; records the reason.
 * @throws Error in CI, so that the file counts as failed
 */
export function isRedisMissing(): boolean {
  if (existsSync(PROGRAM)) return false;
  return skipWithout(PROGRAM, 'apt-get install redis-server');
}

/** Starts a server; `more` are further arguments, such as a password. */
export async function startRedis(more: readonly string[] = []): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-redis-'));
  const path = join(directory, 'redis.sock');
  const start = async (): Promise<Child> => {
    const args = [
      '--port',
      '0',
      '--unixsocket',
      path,
      '--dir',
      directory,
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    const child = startProcess(PROGRAM, [...args, ...more], { PATH: '/usr/bin:/bin' });
    await child.printed(/ready to accept connections/i);
    return child;
  };
  let child = await start();
  return {
    path,
    get process() {
      return child;
    },
    restart: async () => {
      child = await start();
    },
    remove: async () => {
      await child.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
