// A server on which connections are neither accepted nor refused, like a host that drops
// packets.
import { once } from 'node:events';
import { connect } from 'node:net';
import { startProcess } from '../processes/processes.ts';

const LISTENER =
  "require('net').createServer().listen({ port: +process.argv[1], host: process.argv[2], backlog: 1 }, () => console.log('up'))";

/** Makes `host` silent on `port`; call the returned function to end it. */
export async function listenSilently(host: string, port: number): Promise<() => void> {
  const stuck = startProcess(process.execPath, ['-e', LISTENER, String(port), host], {});
  await stuck.printed(/up/);
  stuck.signal('SIGSTOP');
  // Only connections beyond the listen queue hang.
  const fillers = Array.from({ length: 8 }, () => connect(port, host).on('error', () => undefined));
  await Promise.race(fillers.map((socket) => once(socket, 'connect')));
  return () => {
    for (const socket of fillers) socket.destroy();
    stuck.signal('SIGKILL');
  };
}
