// The floors of renewals: POST requests over keep-alive connections, alone and with the
// files of a renewal.
import {
  closeSync,
  constants,
  fsync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { tokensOf, type TokenFiles } from '../shared/tokens.ts';
import { load, post, type Answer } from './http-load.ts';

const syncFile = promisify(fsync);

/** Sends `count` token requests of tokens that nobody else has, over `connections`. */
export async function posts(port: number, count: number, connections: number): Promise<void> {
  const run = `floor${process.pid}`;
  const body = (index: number): string =>
    `grant_type=refresh_token&refresh_token=rt-${run}.${index}-0&client_id=bench&client_secret=client-secret`;
  const statuses = await load(port, (index) => post('/token', body(index)), { count, connections });
  if (statuses[200] !== count) throw new Error(`unexpected answers: ${JSON.stringify(statuses)}`);
}

/**
 * Everything that the renewal of a token in `credentials` cannot do without, and nothing
 * else, 32 at a time: reads `.top` and `.meta`, sends the request, parses the answer,
 * stages two files, makes them durable together, renames `.top`, makes the directory
 * durable, renames `.use`.
 */
export async function renewed(
  credentials: string,
  port: number,
  tokens: number,
  prefix = 'u',
): Promise<void> {
  const users = Math.ceil(tokens / 10);
  const population = [...tokensOf(credentials, { users, tokens, prefix })];
  const sent = new Map<string, TokenFiles>();
  const request = (index: number): string => {
    const token = population[index];
    if (token === undefined) throw new Error(`no token ${index}`);
    const [top = {}, meta = {}] = ['top', 'meta'].map(
      (ending) =>
        JSON.parse(readFileSync(`${token.stem}.${ending}`, 'utf8')) as Record<string, string>,
    );
    const refreshToken = top['refresh_token'] ?? '';
    sent.set(refreshToken.replace(/\d+$/, ''), token);
    return post(
      '/token',
      `grant_type=refresh_token&refresh_token=${refreshToken}&client_id=${meta['client_id']}&client_secret=${meta['client_secret']}`,
    );
  };
  const seen = async ({ status, body }: Answer): Promise<void> => {
    const { access_token, refresh_token, expires_in } = JSON.parse(body) as Record<string, unknown>;
    const token = sent.get(String(refresh_token).replace(/\d+$/, ''));
    if (status !== 200 || token === undefined) throw new Error(`unexpected answer: ${status}`);
    const { stem, directory } = token;
    const files = [
      stage(`${stem}.top`, { refresh_token }),
      stage(`${stem}.use`, { access_token, expires_in }),
    ];
    await Promise.all(files.map((file) => syncFile(file)));
    for (const file of files) closeSync(file);
    renameSync(`${stem}.top.tmp`, `${stem}.top`);
    const place = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    await syncFile(place);
    closeSync(place);
    renameSync(`${stem}.use.tmp`, `${stem}.use`);
  };
  const statuses = await load(port, request, { count: tokens, connections: 32, seen });
  if (statuses[200] !== tokens) throw new Error(`unexpected answers: ${JSON.stringify(statuses)}`);
}

function stage(path: string, content: object): number {
  const descriptor = openSync(`${path}.tmp`, 'wx', 0o600);
  writeSync(descriptor, JSON.stringify(content));
  return descriptor;
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
