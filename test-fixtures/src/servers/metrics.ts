// Requests metrics like a monitoring system.
import { request } from 'node:http';

/** A response. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Sends a request to a unix socket or `127.0.0.1:port`. */
export function ask(
  where: string,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  const socketPath = /^unix:(.*)$/.exec(where)?.[1];
  const place =
    socketPath === undefined
      ? { host: '127.0.0.1', port: where.split(':').at(-1) }
      : { socketPath };
  return new Promise((resolve, reject) => {
    request({ ...place, path, ...options }, (response) => {
      const { statusCode: status = 0, headers } = response;
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => {
          text += chunk;
        })
        .on('end', () => resolve({ status, text, headers }));
    })
      .on('error', reject)
      .end();
  });
}

/**
 * Returns the samples of a page by name and labels:
 * `{'condor_credmon_tokens{state="due"}': 1}`.
 */
export function samplesOf(page: string, prefix = 'condor_credmon_'): Record<string, number> {
  return Object.fromEntries(
    page
      .split('\n')
      .filter((line) => line.startsWith(prefix))
      .map((line) => {
        const cut = line.lastIndexOf(' ');
        return [line.slice(0, cut), Number(line.slice(cut + 1))];
      }),
  );
}
