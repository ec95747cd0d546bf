// Ports of 127.0.0.1 on both sides of a network namespace, joined by sockets in a shared
// directory.
import { createServer, connect, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import type { Child } from '../processes/processes.ts';

/** A joined port; `port` is its number on the host. */
export interface Forwards {
  readonly port: number;
  close(): Promise<void>;
}

type Start = (command: readonly string[]) => Child;

/** Makes the host's port `port` a port of the inside with the same number. */
export async function forwardIn(start: Start, directory: string, port: number): Promise<Forwards> {
  const name = `in-${port}`;
  const close = await listenOn(join(directory, 'sockets', name), () => connect(port, '127.0.0.1'));
  const child = await socat(
    start,
    `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`,
    `UNIX-CONNECT:/run/pool/${name}`,
  );
  return { port, close: () => both(close, child) };
}

/** Makes the inside's port `port` the port `onHost` of the host; 0: the system chooses. */
export async function forwardOut(
  start: Start,
  directory: string,
  port: number,
  onHost: number,
): Promise<Forwards> {
  const name = `out-${port}`;
  const child = await socat(start, `UNIX-LISTEN:/run/pool/${name},fork`, `TCP:127.0.0.1:${port}`);
  const path = join(directory, 'sockets', name);
  let chosen = 0;
  const close = await listenOn(
    onHost,
    () => connect(path),
    (server) => {
      const address = server.address();
      chosen = typeof address === 'object' && address !== null ? address.port : 0;
    },
  );
  return { port: chosen, close: () => both(close, child) };
}

async function socat(start: Start, from: string, to: string): Promise<Child> {
  const child = start(['/usr/bin/socat', '-d', '-d', from, to]);
  await child.printed(/listening on/);
  return child;
}

async function both(close: () => Promise<void>, child: Child): Promise<void> {
  await close();
  await child.stop();
}

/** Passes each connection on to what `open` opens. Answers with the end of all. */
async function listenOn(
  where: number | string,
  open: () => Socket,
  listening: (server: Server) => void = () => undefined,
): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = open();
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    // The end of one side is that of the other; a broken connection is for the peers to notice.
    pipeline(incoming, outgoing, () => undefined);
    pipeline(outgoing, incoming, () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (typeof where === 'number') server.listen(where, '127.0.0.1', resolve);
    else server.listen(where, resolve);
  });
  listening(server);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
}
