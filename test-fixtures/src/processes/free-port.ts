// A free port, for servers whose address must be known before they start.
import { createServer } from 'node:net';
import { listen, stop } from '../issuer/listener.ts';

/** Returns a free port of 127.0.0.1. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await stop(server);
  return port;
}
