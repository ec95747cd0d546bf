// The portal: CPU a request, in multiples of a bare Fastify.
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { keyFileText, writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { ask, get, load } from '../floors/http-load.ts';
import { localKnobs, providerKnobs, type AccessPoint, type Knobs } from '../shared/access-point.ts';
import type { Bench, Section } from '../shared/bench.ts';
import { cpuOf, end, start } from '../shared/processes.ts';
import type { Measured, Sample } from '../shared/rows.ts';
import { writeToken } from '../shared/tokens.ts';

const TOKEN_URL = 'https://issuer.example/token';
const SERVICES = ['mytok', 'second', 'third'];

/** A portal that listens. */
interface Portal {
  readonly port: number;
  readonly pid: number;
  /** CPU ms a request; fails if an answer has another status. */
  cost(request: Request): Promise<number>;
  stop(): Promise<void>;
}

/** What is asked for, how often, and the status of each answer. */
interface Request {
  readonly name: string;
  readonly count: number;
  readonly status: number;
  readonly text: string;
  /** The largest multiple of a bare hello. */
  readonly most?: number;
}

async function startPortal(
  bench: Bench,
  point: AccessPoint,
  more: Knobs,
  nodeArguments: readonly string[] = [],
): Promise<Portal> {
  const port = await freePort();
  const knobs: Knobs = {
    ...Object.assign({}, ...SERVICES.map((name) => providerKnobs(point, name, TOKEN_URL))),
    ...localKnobs(point),
    CREDMON_WEB_PREFIX: `http://127.0.0.1:${port}`,
    CREDMON_WEB_LISTEN: `127.0.0.1:${port}`,
    CREDMON_WEB_RATE_LIMIT: 1_000_000,
    CREDMON_WEB_SESSION_LIMIT: 1_000_000,
    ...more,
  };
  // A profile is of the program before it is bundled, where functions have their names.
  const program =
    nodeArguments.length === 0
      ? bench.installed('condor_credmon_webserver')
      : join(bench.repository, 'packages/webserver/dist/main.js');
  const child = start(process.execPath, [...nodeArguments, program], point.configure(knobs));
  const { pid = 0 } = child;
  await new Promise<void>((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString('utf8')).slice(-10_000);
        if (/ serves \S+ on \S+,/.test(output)) resolve();
      });
    child.once('exit', () => reject(new Error(`the portal ended:\n${output}`)));
  });
  return {
    port,
    pid,
    cost: (request) => costOf(port, pid, request),
    stop: () => end(child),
  };
}

/** CPU ms a request of the server `pid`. */
async function costOf(port: number, pid: number, request: Request): Promise<number> {
  const before = cpuOf(pid);
  const text = request.text.replace('host: 127.0.0.1', `host: 127.0.0.1:${port}`);
  const statuses = await load(port, () => text, { count: request.count });
  if (statuses[request.status] !== request.count)
    throw new Error(`${request.name}: unexpected answers ${JSON.stringify(statuses)}`);
  return ((cpuOf(pid) - before) * 1000) / request.count;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/**
 * Writes a key file of a user for three tokens, which the user has from before; returns the
 * path of its link.
 */
function keyLink(point: AccessPoint, port: number, user: string): string {
  const prefix = `http://127.0.0.1:${port}`;
  const home = join(point.credentials, user);
  mkdirSync(home, { mode: 0o700 });
  for (const name of SERVICES)
    writeToken(join(home, name), 0, { users: 1, tokens: 1, tokenUrl: TOKEN_URL });
  const ads = SERVICES.map((name) => ({
    Handle: '',
    Scopes: 'read',
    Audience: '',
    ClientId: 'bench',
    Provider: name,
    TokenUrl: TOKEN_URL,
    LocalUser: user,
    ReturnUrl: `${prefix}/return/${name}`,
    ClientSecret: join(point.root, 'secret'),
    AuthorizationUrl: 'https://issuer.example/authorize',
  }));
  return new URL(writeKeyFile(point.credentials, prefix, keyFileText(ads)).url).pathname;
}

/** The requests in turn, `open` sessions being open before. */
function requestsOf(link: string, cookie: string, count: number): readonly Request[] {
  const unknown = `/key/${'0'.repeat(64)}`;
  return [
    { name: '/', count, status: 200, text: get('/'), most: 2.5 },
    { name: '/healthz', count, status: 200, text: get('/healthz') },
    { name: 'style sheet', count, status: 200, text: get('/style.css') },
    {
      name: 'JWKS',
      count,
      status: 200,
      text: get('/.well-known/jwks-uri'),
      most: 2,
    },
    {
      name: 'discovery',
      count,
      status: 200,
      text: get('/.well-known/openid-configuration'),
      most: 2,
    },
    { name: 'unknown key', count, status: 404, text: get(unknown), most: 3 },
    { name: 'list', count, status: 200, text: get('/', [`cookie: ${cookie}`]), most: 6 },
    { name: 'open a key link', count: count / 4, status: 303, text: get(link), most: 10 },
  ];
}

/**
 * Requests of each kind that are not measured: a portal runs for weeks, and code that V8 has not
 * compiled yet takes several times as long.
 */
const WARM_UP = 10_000;

/**
 * Uses up the requests of this minute of a portal that allows as many as the warm-up has: its
 * code is compiled for other answers than rejections, too, as that of any portal is.
 */
async function useUp(port: number): Promise<void> {
  const text = get('/').replace('127.0.0.1', `127.0.0.1:${port}`);
  const { status } = await ask(port, text);
  if (status !== 429) await load(port, () => text, { count: WARM_UP });
}

async function measurePortal(bench: Bench): Promise<readonly Measured[]> {
  const { options, say } = bench;
  const count = 2000;
  const sessions = options.quick ? 2000 : 10_000;
  const point = bench.accessPoint();
  const hello = await bench.server(
    'hello',
    join(bench.repository, 'packages/webserver/package.json'),
  );
  const helloCost = async (requests: number): Promise<number> =>
    costOf(hello.ready['port'] ?? 0, hello.child.pid ?? 0, {
      name: 'hello',
      count: requests,
      status: 200,
      text: get('/'),
    });
  const portal = await startPortal(bench, point, {});
  const limited = await startPortal(bench, point, { CREDMON_WEB_RATE_LIMIT: WARM_UP });
  try {
    const link = keyLink(point, portal.port, 'alice');
    // Links of the same user would end the session of the list.
    const listed = keyLink(point, portal.port, 'bob');
    const host = `127.0.0.1:${portal.port}`;
    const opened = await ask(portal.port, get(listed).replace('127.0.0.1', host));
    const cookie = /\r\nset-cookie: ([^;\r]+)/i.exec(opened.head)?.[1];
    if (cookie === undefined) throw new Error(`no session: ${opened.status} ${opened.body}`);
    const list = await ask(portal.port, get('/', [`cookie: ${cookie}`]).replace('127.0.0.1', host));
    if (!SERVICES.every((name) => list.body.includes(name)))
      throw new Error(`not the list of a session: ${list.status} ${list.head} ${list.body}`);
    const refused: Request = { name: '429', count, status: 429, text: get('/'), most: 1.5 };
    const costs = new Map<string, Sample[]>();
    const floor: Sample[] = [];
    const requests = [
      ...requestsOf(link, cookie, count).map((one) => [portal, one] as const),
      [limited, refused] as const,
    ];
    const round = async (suffix: string): Promise<void> => {
      floor.push({ value: await helloCost(count * 4) });
      for (const [server, request] of requests) {
        if (server === limited) await useUp(limited.port);
        const name = `${request.name}${suffix}`;
        const own = costs.get(name) ?? [];
        costs.set(name, own);
        own.push({ value: await server.cost(request) });
      }
    };
    say(`portal, ${WARM_UP} requests of each kind that are not measured`);
    await helloCost(WARM_UP);
    for (const [server, request] of requests) {
      if (server === limited) await useUp(limited.port);
      await server.cost({ ...request, count: WARM_UP });
    }
    await round('');
    costs.clear();
    floor.length = 0;
    for (let n = 0; n < options.rounds; n += 1) {
      say(`portal, round ${n + 1} of ${options.rounds}`);
      await round('');
    }
    say(`portal with ${sessions} sessions`);
    // A user may have 20 sessions open.
    for (let user = 0; user < sessions / 20; user += 1) {
      const text = get(keyLink(point, portal.port, `user${user}`));
      await portal.cost({ name: 'sessions', count: 20, status: 303, text });
    }
    const suffix = `, ${sessions.toLocaleString('en-US')} sessions open`;
    const [empty, full] = [floor.length, [] as Sample[]];
    for (let n = 0; n < options.rounds; n += 1) {
      await round(suffix);
      full.push(...floor.splice(empty));
    }
    const limits = [...requestsOf(link, cookie, count), refused];
    return [...costs].map(([name, ours]) => {
      const isFull = name.endsWith(suffix);
      const { most } = limits.find((one) => one.name === name.replace(suffix, '')) ?? {};
      return {
        section: 'portal',
        name: `${name}, CPU a request`,
        unit: 'ms' as const,
        ours,
        floor: isFull ? full : floor,
        floorName: 'a bare Fastify that answers hello',
        ...(most === undefined
          ? {}
          : { targets: [{ of: 'floor' as const, most: isFull ? most * 1.5 : most }] }),
      };
    });
  } finally {
    await portal.stop();
    await limited.stop();
    await hello.stop();
    point.remove();
  }
}

export const portal: Section = {
  name: 'portal',
  title: 'Portal: CPU a request',
  measure: measurePortal,
  profile: async (bench, program) => {
    const point = bench.accessPoint();
    const nodeArguments = program.command.slice(1, -1);
    const running = await startPortal(bench, point, {}, nodeArguments);
    try {
      const link = keyLink(point, running.port, 'alice');
      const text = get(link);
      await running.cost({ name: 'open', count: 500, status: 303, text });
      await running.cost({ name: '/', count: 2000, status: 200, text: get('/') });
    } finally {
      await running.stop();
      point.remove();
    }
  },
};
