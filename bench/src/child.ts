// What runs in a process of its own: floors, the issuer, and the libraries. The first word
// is the work; the last line of the output is JSON.
import { mkdirSync } from 'node:fs';
import { durable, durableInTurn, look, readAll, readUse, signed } from './floors/files.ts';
import { answerSignals, serveHello } from './floors/hello.ts';
import { serveIssuer, type IssuerOptions } from './floors/issuer.ts';
import { capacity, posts, renewed } from './floors/posts.ts';
import { bytesOf } from './shared/processes.ts';
import { WARM_UP } from './shared/tokens.ts';

const [work = '', ...words] = process.argv.slice(2);
const [first = '', second = '', third = '', fourth = ''] = words;

const algorithmOf = (name: string): 'ES256' | 'RS256' => (name === 'RS256' ? name : 'ES256');

/** What runs before the work and is not measured: code that runs the first time is slower. */
const WARM_UPS: Readonly<Record<string, () => unknown>> = {
  'look-again': () => look(first),
  'signed-again': () => {
    mkdirSync(`${first}/before`);
    signed(`${first}/before`, Number(second), third, algorithmOf(fourth));
  },
  renewed: () => renewed(first, Number(second), WARM_UP, 'w'),
};

const WORKS: Readonly<Record<string, () => unknown>> = {
  look: () => look(first),
  'look-again': () => look(first),
  'read-use': () => readUse(first),
  'read-all': () => readAll(first),
  durable: () => durable(first, Number(second), Number(third)),
  'durable-in-turn': () => durableInTurn(first, Number(second)),
  signed: () => signed(first, Number(second), third, algorithmOf(fourth)),
  'signed-again': () => signed(first, Number(second), third, algorithmOf(fourth)),
  posts: () => posts(Number(first), Number(second), Number(third)),
  renewed: () => renewed(first, Number(second), Number(third)),
  capacity: () => capacity(Number(first), Number(second), Number(third)),
};
const SERVERS: Readonly<Record<string, () => unknown>> = {
  issuer: () => serveIssuer(JSON.parse(first) as IssuerOptions),
  hello: () => serveHello(first),
  idle: () => answerSignals(() => undefined),
  signals: () => {
    let count = 0;
    answerSignals(() => signed(`${first}/n${count++}`, 1, second, 'ES256'));
  },
};

const server = SERVERS[work];
const run = WORKS[work];
if (server !== undefined) await server();
else if (run === undefined) throw new Error(`unknown work: ${work}`);
else {
  await WARM_UPS[work]?.();
  const began = performance.now();
  const bytes = bytesOf(process.pid);
  const atBegin = process.cpuUsage();
  const result = await run();
  const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;
  const own = seconds(process.cpuUsage(atBegin));
  const whole = seconds(process.cpuUsage());
  const { read, written } = bytesOf(process.pid);
  process.stdout.write(
    `${JSON.stringify({
      result,
      // CPU seconds of the work, and with the start of Node.js.
      work: own,
      cpu: whole,
      read: read - bytes.read,
      written: written - bytes.written,
      wall: (performance.now() - began) / 1000,
      peak: process.resourceUsage().maxRSS / 1024,
    })}\n`,
  );
}
