// The floor of renewals on the network: POST requests over keep-alive connections.
import { connect } from 'node:net';
import { load, post } from './http-load.ts';

/** Sends `count` token requests of tokens that nobody else has, over `connections`. */
export async function posts(port: number, count: number, connections: number): Promise<void> {
  const run = `floor${process.pid}`;
  const body = (index: number): string =>
    `grant_type=refresh_token&refresh_token=rt-${run}.${index}-0&client_id=bench&client_secret=client-secret`;
  const statuses = await load(port, (index) => post('/token', body(index)), { count, connections });
  if (statuses[200] !== count) throw new Error(`unexpected answers: ${JSON.stringify(statuses)}`);
}

/**
 * How many answers a second the issuer gives: `connections` connections with 32 requests
 * each on the way, so that the client is not the limit.
 */
export async function capacity(port: number, count: number, connections: number): Promise<number> {
  const request = Buffer.from(post('/token', 'grant_type=client_credentials&client_id=bench'));
  const [DEPTH, each] = [32, Math.ceil(count / connections)];
  const started = performance.now();
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let [sent, received] = [0, 0];
      const mark = Buffer.from('HTTP/1.1 200 ');
      const send = (wanted: number): void => {
        const more = Math.min(wanted, each - sent);
        sent += more;
        if (more > 0) socket.write(Buffer.concat(Array.from({ length: more }, () => request)));
      };
      socket.on('connect', () => send(DEPTH));
      socket.on('error', reject);
      socket.on('close', () => resolve());
      let rest: Buffer = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        const all = Buffer.concat([rest, chunk]);
        let [found, at] = [0, 0];
        for (let place = all.indexOf(mark); place >= 0; place = all.indexOf(mark, at)) {
          found += 1;
          at = place + mark.length;
        }
        // A mark may be cut by the end of a chunk.
        rest = all.subarray(Math.max(at, all.length - mark.length + 1));
        received += found;
        if (received >= each) socket.destroy();
        else send(found);
      });
    });
  await Promise.all(Array.from({ length: connections }, one));
  return (each * connections * 1000) / (performance.now() - started);
}
