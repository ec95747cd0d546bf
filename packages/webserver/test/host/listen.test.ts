// Listening, and trusted proxies, on loopback and in a temporary directory.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listen, trustFunction } from '../../src/host/listen.ts';

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
  ])('R40 %s on %j is trusted: %s', (address, where, believed) => {
    expect(trustFunction(list, where)(address)).toBe(believed);
  });

  it.each(['localhost', '10.0.0.0/33', '10.0.0.0/x', '::/129', ''])(
    'rejects the proxy "%s"',
    (text) => {
      expect(() => trustFunction([text], tcp)).toThrow('CREDMON_WEB_TRUSTED_PROXIES');
    },
  );
});

let directory: string;
const opened: Server[] = [];
const server = (): Server => {
  const made = createServer((_request, response) => response.end('here'));
  opened.push(made);
  return made;
};
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-listen-'));
});
afterEach(async () => {
  for (const one of opened.splice(0)) await new Promise((resolve) => one.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

describe('a unix socket', () => {
  const ask = (path: string) =>
    new Promise<string>((resolve, reject) => {
      request({ socketPath: path, path: '/' }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      })
        .on('error', reject)
        .end();
    });

  it('has mode 0660, and replaces the socket of a server that was killed', async () => {
    const path = join(directory, 'web.sock');
    const address = { kind: 'unix', path } as const;
    const killed = createServer();
    await new Promise<void>((resolve) => killed.listen(path, resolve));
    await expect(listen(server(), address, false)).rejects.toThrow('EADDRINUSE');
    // Closing removes the socket, but a kill does not, so a dead socket is created here.
    await new Promise((resolve) => killed.close(resolve));
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    expect(await listen(server(), address, false)).toBe(`unix:${path}`);
    expect([(statSync(path).mode & 0o777).toString(8), await ask(path)]).toEqual(['660', 'here']);
  });

  it('R33 R40 is never open to others, with any umask, and the umask is unchanged', async () => {
    const path = join(directory, 'web.sock');
    const before = process.umask(0);
    try {
      expect(await listen(server(), { kind: 'unix', path }, true)).toBe(`unix:${path}`);
      expect([(statSync(path).mode & 0o777).toString(8), process.umask()]).toEqual(['660', 0]);
    } finally {
      process.umask(before);
    }
  });

  it('names a missing directory, for which Node.js says EACCES', async () => {
    const path = join(directory, 'none', 'web.sock');
    await expect(listen(server(), { kind: 'unix', path }, false)).rejects.toThrow(
      `cannot listen: directory ${join(directory, 'none')} is missing`,
    );
  });

  it('does not replace a file', async () => {
    const path = join(directory, 'file');
    writeFileSync(path, 'keep');
    await expect(listen(server(), { kind: 'unix', path }, false)).rejects.toThrow('cannot listen');
  });
});

describe('a TCP port', () => {
  it.each(['127.0.0.1', '0.0.0.0'])('%s is reported with the bound address', async (host) => {
    expect(await listen(server(), { kind: 'tcp', host, port: 0 }, false)).toMatch(
      new RegExp(`^http://${host.replaceAll('.', '\\.')}:\\d+$`),
    );
  });

  it('R33 R40 is rejected if every peer is trusted', async () => {
    const refused = server();
    await expect(
      listen(refused, { kind: 'tcp', host: '127.0.0.1', port: 0 }, true),
    ).rejects.toThrow(/CREDMON_WEB_REMOTE_USER_HEADER.*SocketMode=0660/);
    expect(refused.listening).toBe(false);
  });
});

describe('an inherited socket', () => {
  /**
   * Listens in a child on a descriptor of this process, like systemd; returns the output
   * of the child.
   */
  const inherited = async (
    where: string | number,
    prepare: (path: string) => void = () => undefined,
  ): Promise<string> => {
    const socket = createNetServer();
    await new Promise<void>((resolve) => socket.listen(where, resolve));
    if (typeof where === 'string') prepare(where);
    const script = `
      import { createServer } from 'node:http';
      import { listen } from ${JSON.stringify(bundle)};
      const message = await listen(createServer(), { kind: 'fd', descriptor: 3 }, true).catch((error) => error.message);
      console.log(message);
      process.exit();`;
    const handle = (socket as unknown as { _handle: { fd: number } })._handle;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'pipe', handle.fd],
      encoding: 'utf8',
    });
    await new Promise((resolve) => socket.close(resolve));
    return `${child.stdout}${child.stderr}`.trim();
  };
  let bundle: string;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'credmon-listen-bundle-'));
    bundle = join(folder, 'listen.mjs');
    await build({
      entryPoints: [fileURLToPath(new URL('../../src/host/listen.ts', import.meta.url))],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['@credmon/source'],
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
    });
  });
  afterAll(() => rmSync(dirname(bundle), { recursive: true }));

  it('R33 R40 of systemd must not be open to other users', async () => {
    const path = join(directory, 'systemd.sock');
    expect(await inherited(path, (at) => chmodSync(at, 0o660))).toBe('fd:3');
    rmSync(path, { force: true });
    expect(await inherited(path, (at) => chmodSync(at, 0o666))).toContain(
      'other users of this machine can open fd:3',
    );
  });

  it('R33 R40 must not be a TCP port', async () => {
    expect(await inherited(0)).toContain('other users of this machine can open fd:3 (http://');
  });

  it('R33 R40 with an abstract name, which has no mode, is rejected, and the message names the alternatives', async () => {
    const name = `credmon-listen-${process.pid}`;
    const message = await inherited(`\0${name}`);
    expect(message).toContain(
      `other users of this machine can open fd:3 (abstract socket @${name})`,
    );
    expect(message).toMatch(
      /CREDMON_WEB_REMOTE_USER_HEADER.*CREDMON_WEB_LISTEN = unix:\/path.*SocketMode=0660/,
    );
  });

  it.each([
    ['does not exist', (path: string) => rmSync(path)],
    [
      'is another file',
      (path: string) => {
        rmSync(path);
        writeFileSync(path, '', { mode: 0o600 });
      },
    ],
  ])('R33 R40 whose path %s is rejected: its permissions are unknown', async (_title, prepare) => {
    const message = await inherited(join(directory, 'moved.sock'), prepare);
    expect(message).toMatch(/fd:3.*path not found.*CREDMON_WEB_REMOTE_USER_HEADER.*unix:\/path/);
  });
});
