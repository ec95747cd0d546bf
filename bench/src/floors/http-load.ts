// An HTTP client on bare sockets: keep-alive, a given number of connections, one request
// on each at a time.
import { connect } from 'node:net';

/** An answer; the body is decoded as Latin-1. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** What to send: the text of the request with the number `index`. */
export type RequestText = (index: number) => string;

/** A GET request for `path`. */
export function get(path: string, headers: readonly string[] = []): string {
  return `${['GET ' + path + ' HTTP/1.1', 'host: 127.0.0.1', ...headers].join('\r\n')}\r\n\r\n`;
}

/** A POST request with a form. */
export function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/**
 * Sends `count` requests over `connections` connections; returns how many answers had each
 * status.
 * @throws Error if a connection fails
 */
export async function load(
  port: number,
  text: RequestText,
  { count, connections = 8, seen }: LoadOptions,
): Promise<Readonly<Record<number, number>>> {
  const statuses: Record<number, number> = {};
  let next = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let buffered = '';
      socket.setEncoding('latin1');
      const send = (): void => {
        if (next >= count) socket.end();
        else socket.write(text(next++));
      };
      socket.on('connect', send);
      socket.on('error', reject);
      // A server that closes the connection has answered what was sent before.
      socket.on('close', () => resolve());
      socket.on('data', (chunk: string) => {
        buffered += chunk;
        const answer = whole(buffered);
        if (answer === undefined) return;
        buffered = '';
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        const go = (): void => {
          if (/\r\nconnection: close/i.test(answer.head)) {
            socket.destroy();
            void one().then(resolve, reject);
          } else send();
        };
        const work = seen?.(answer);
        if (work === undefined) go();
        else work.then(go, reject);
      });
    });
  await Promise.all(Array.from({ length: Math.min(connections, count) }, one));
  return statuses;
}

/**
 * How many requests; `seen` gets each answer. The next request of a connection waits for
 * the promise that it returns, if any.
 */
export interface LoadOptions {
  readonly count: number;
  readonly connections?: number;
  readonly seen?: (answer: Answer) => Promise<void> | undefined;
}

/** Sends one request. */
export async function ask(port: number, text: string): Promise<Answer> {
  let answer: Answer | undefined;
  await load(port, () => text, { count: 1, connections: 1, seen: (one) => void (answer = one) });
  if (answer === undefined) throw new Error(`no answer from port ${port}`);
  return answer;
}

/** The answer in `text`, when all of it has arrived. */
function whole(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const status = Number(head.slice(9, 12));
  const rest = text.slice(end + 4);
  if (status === 204 || status === 304) return { status, head, body: '' };
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined)
    return rest.length >= Number(length) ? { status, head, body: rest } : undefined;
  return rest.endsWith('0\r\n\r\n') ? { status, head, body: rest } : undefined;
}
