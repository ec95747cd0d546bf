// Listening and trust, on loopback and in a temporary directory.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listen, trustFunction } from '../src/listen.ts';

describe('trust', () => {
  const tcp = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const unix = { kind: 'unix', path: '/x' } as const;
  const list = ['127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8'];
  it.each([
    ['127.0.0.1', tcp, true],
    ['127.0.0.2', tcp, false],
    ['10.200.0.1', tcp, true],
    ['::ffff:10.200.0.1', tcp, true],
    ['11.0.0.1', tcp, false],
    ['::1', tcp, true],
    ['fd12::1', tcp, true],
    ['fe80::1', tcp, false],
    ['nonsense', tcp, false],
    [undefined, tcp, false],
    [undefined, unix, true],
    ['', unix, true],
    ['192.0.2.1', unix, false],
  ])('R40 %s over %j is believed: %s', (address, where, believed) => {
    expect(trustFunction(list, where)(address)).toBe(believed);
  });

  it.each(['localhost', '10.0.0.0/33', '10.0.0.0/x', '::/129', ''])('refuses the proxy "%s"', (text) => {
    expect(() => trustFunction([text], tcp)).toThrow('CREDMON_WEB_TRUSTED_PROXIES');
  });
});

describe('a unix socket', () => {
  let directory: string;
  const app = () => Fastify().get('/', (_request, reply) => reply.send('here'));
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'credmon-listen-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const ask = (path: string) =>
    new Promise<string>((resolve, reject) => {
      request({ socketPath: path, path: '/' }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      })
        .on('error', reject)
        .end();
    });

  it('is for owner and group, and is taken over from a server that was killed', async () => {
    const path = join(directory, 'web.sock');
    const address = { kind: 'unix', path } as const;
    const killed = createServer();
    await new Promise<void>((resolve) => killed.listen(path, resolve));
    const survivor = app();
    await expect(listen(survivor, address)).rejects.toThrow('EADDRINUSE');
    await survivor.close();
    // Closing removes the socket, as a kill would not: it is put back as a dead one.
    await new Promise((resolve) => killed.close(resolve));
    const { spawnSync } = await import('node:child_process');
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    const server = app();
    expect(await listen(server, address)).toBe(`unix:${path}`);
    expect([(statSync(path).mode & 0o777).toString(8), await ask(path)]).toEqual(['660', 'here']);
    await server.close();
  });

  it('is not made over a file', async () => {
    const path = join(directory, 'file');
    writeFileSync(path, 'keep');
    const server = app();
    await expect(listen(server, { kind: 'unix', path })).rejects.toThrow('cannot listen');
    await server.close();
  });
});
