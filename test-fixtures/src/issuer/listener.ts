// A server that can stop and listen again on the same port, to simulate an issuer that is
// down for some time.
import { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';

/** Listens on 127.0.0.1 and returns the port; 0 lets the system choose. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Stops listening and closes all HTTP connections, even with pending responses. */
export function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    server.close(() => resolve());
    if (server instanceof HttpServer || 'closeAllConnections' in server)
      (server as HttpServer).closeAllConnections();
    return undefined;
  });
}
