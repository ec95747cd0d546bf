// A server that can go away and come back at the same port, as an issuer does that is
// down for a while.
import { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';

/** Listens on 127.0.0.1 and answers with the port; 0 lets the system choose. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/**
 * Stops listening and drops every HTTP connection, also those that wait for an answer.
 */
export function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    server.close(() => resolve());
    if (server instanceof HttpServer || 'closeAllConnections' in server)
      (server as HttpServer).closeAllConnections();
    return undefined;
  });
}
