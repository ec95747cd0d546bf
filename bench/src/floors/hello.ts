// The floor of the portal: Fastify with one route and nothing else.
import { createRequire } from 'node:module';

interface Reply {
  type(value: string): Reply;
  send(value: string): Reply;
}
interface Server {
  get(path: string, handler: (request: unknown, reply: Reply) => unknown): void;
  listen(options: { port: number; host: string }): Promise<string>;
}

/** Starts the server; `manifest` is a package.json beside which fastify is installed. */
export async function serveHello(manifest: string): Promise<void> {
  const fastify = createRequire(manifest)('fastify') as (options: object) => Server;
  const server = fastify({ logger: false });
  server.get('/', (_request, reply) => reply.type('text/plain').send('hello'));
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  process.stdout.write(`${JSON.stringify({ port: Number(new URL(url).port) })}\n`);
}

/** On SIGHUP, signs and writes one file: the floor of the latency of a request. */
export function answerSignals(answer: () => void): void {
  process.on('SIGHUP', answer);
  setInterval(() => undefined, 60_000);
  process.stdout.write('{"ready":true}\n');
}
