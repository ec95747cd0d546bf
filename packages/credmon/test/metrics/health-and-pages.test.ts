// The listener: who is answered what, on a socket that a dead process may have left, and
// when an address cannot be had; and how it follows the configuration.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createServing,
  openListener,
  whyUnreadable,
  type Listener,
  type Pages,
} from '../../src/metrics/health-and-pages.ts';
import type { MetricsAddress } from '../../src/settings/metrics-address.ts';
import { ask } from '@credmon/test-fixtures/servers/metrics';

const pages: Pages = {
  '/metrics': async () => ({ status: 200, type: 'text/plain', text: 'a 1\n' }),
  '/broken': async () => {
    throw new Error('spoiled');
  },
};
let directory: string;
let open: Listener[];
const troubles: string[] = [];
const listen = async (...address: Parameters<typeof openListener>[0][]): Promise<string> => {
  const listener = await openListener(address[0] ?? tcp, pages, (text) => troubles.push(text));
  open.push(listener);
  return listener.where;
};
const tcp = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
const unix = (name = 'metrics.sock') => ({ kind: 'unix', path: join(directory, name) }) as const;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-metrics-'));
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((listener) => listener.close()));
  rmSync(directory, { recursive: true });
});

describe('a request', () => {
  it.each([
    ['GET', '/metrics', 200, 'a 1\n'],
    ['GET', '/metrics?x=1', 200, 'a 1\n'],
    ['GET', '/', 404, '/metrics /broken\n'],
    ['GET', '/constructor', 404, '/metrics /broken\n'],
    ['POST', '/metrics', 405, 'only GET\n'],
    ['DELETE', '/metrics', 405, 'only GET\n'],
  ])('%s %s: %i', async (method, path, status, text) => {
    const answer = await ask(await listen(tcp), path, { method });
    expect([answer.status, answer.text]).toEqual([status, text]);
    expect(answer.headers).toMatchObject({ connection: 'close', 'cache-control': 'no-store' });
  });

  it('with 16 KB of headers is rejected', async () => {
    const answer = await ask(await listen(tcp), '/metrics', { headers: { x: 'y'.repeat(16_384) } });
    expect(answer.status).toBe(431);
  });

  it('whose page fails is closed and logged', async () => {
    await expect(ask(await listen(unix()), '/broken')).rejects.toThrow('socket hang up');
    expect(troubles.at(-1)).toBe('request for the metrics failed: spoiled');
  });

  it('that never ends does not prevent the listener from closing', async () => {
    const { path } = unix();
    await listen(unix());
    const silent = connect(path, () => silent.write('GET /metrics HTTP/1.1\r\n'));
    await new Promise((resolve) => silent.once('connect', resolve));
    const cut = new Promise((resolve) => silent.once('close', () => resolve('cut')));
    silent.on('error', () => undefined);
    await open[0]?.close();
    expect(await cut).toBe('cut');
  });
});

describe('a unix socket', () => {
  it('is for owner and group, and replaces one that a killed process left', async () => {
    const { path } = unix();
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    expect(statSync(path).isSocket()).toBe(true);
    expect(await listen(unix())).toBe(`unix:${path}`);
    expect([
      (statSync(path).mode & 0o777).toString(8),
      (await ask(`unix:${path}`, '/metrics')).status,
    ]).toEqual(['660', 200]);
  });

  it('is never open to others, not even for a moment, with any umask', async () => {
    const before = process.umask(0);
    const umask = vi.spyOn(process, 'umask');
    try {
      await listen(unix());
      expect((statSync(unix().path).mode & 0o777).toString(8)).toBe('660');
      // It is made under this umask, and another process's files are not.
      expect(umask.mock.calls).toEqual([[0o117], [0]]);
    } finally {
      umask.mockRestore();
      process.umask(before);
    }
  });

  it('in use, or another file in its place, is not replaced', async () => {
    await listen(unix());
    await expect(listen(unix())).rejects.toThrow(
      /cannot serve the metrics at unix:.*EADDRINUSE.*retried at SIGHUP/,
    );
    expect((await ask(`unix:${unix().path}`, '/metrics')).status).toBe(200);
    writeFileSync(unix('file').path, 'keep');
    await expect(listen(unix('file'))).rejects.toThrow('EADDRINUSE');
    expect(readFileSync(unix('file').path, 'utf8')).toBe('keep');
  });

  it('in a missing directory is an error', async () => {
    await expect(listen(unix('none/metrics.sock'))).rejects.toThrow(
      /cannot serve the metrics at unix:/,
    );
  });
});

it('a port in use is an error, and so is an invalid descriptor', async () => {
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
  });
  await expect(listen({ ...tcp, port })).rejects.toThrow(
    `cannot serve the metrics at 127.0.0.1:${port} (EADDRINUSE)`,
  );
  await expect(listen({ kind: 'fd', descriptor: 9999 })).rejects.toThrow(
    'cannot serve the metrics at fd:9999',
  );
  other.close();
});

it('says why a directory cannot be read', () => {
  expect([whyUnreadable(directory), whyUnreadable(join(directory, 'none'))]).toEqual([
    undefined,
    'ENOENT',
  ]);
});

function serving() {
  const done: string[] = [];
  const state: { address: MetricsAddress | undefined; refuse: string | undefined } = {
    address: undefined,
    refuse: undefined,
  };
  const say =
    (level: string) =>
    (text: string): void =>
      void done.push(`${level} ${text}`);
  const self = createServing({
    log: { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') },
    pages: {},
    address: () => state.address,
    ready: async () => void done.push('ready'),
    open: async (address) => {
      const name = address.kind === 'unix' ? address.path : '';
      if (state.refuse !== undefined) throw new Error(state.refuse);
      done.push(`open ${name}`);
      return { where: name, close: async () => void done.push(`close ${name}`) };
    },
  });
  const at = (path: string): void => {
    state.address = { kind: 'unix', path };
  };
  return { ...self, done, state, at };
}

it('nothing is loaded without an address', async () => {
  const on = serving();
  await on.follow();
  expect(on.done).toEqual([]);
});

it('a listener is kept with its address, moves with it, and closes without one', async () => {
  const on = serving();
  on.at('/a');
  await Promise.all([on.follow(), on.follow(), on.follow()]);
  on.at('/b');
  await on.follow();
  on.state.address = undefined;
  await on.follow();
  await on.close();
  expect(on.done).toEqual([
    'ready',
    'open /a',
    'info Metrics are on /a',
    'close /a',
    'ready',
    'open /b',
    'info Metrics are on /b',
    'close /b',
  ]);
});

it('R44 an unusable address is logged once and retried each time', async () => {
  const on = serving();
  on.at('/a');
  on.state.refuse = 'EADDRINUSE';
  await on.follow();
  await on.follow();
  on.state.refuse = undefined;
  await on.follow();
  expect(on.done).toEqual([
    'ready',
    'error EADDRINUSE',
    'ready',
    'ready',
    'open /a',
    'info Metrics are on /a',
  ]);
});
