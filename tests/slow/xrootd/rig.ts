// A real XRootD on loopback and real HTTPS issuers for it, all in one temporary directory
// and gone after the tests.
import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@credmon/test-fixtures/processes/free-port';
import { startProcess, type Child } from '@credmon/test-fixtures/processes/processes';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { BUNDLE, USER, xrootdUser } from './needs.ts';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));

/** The storage's own directories. */
const OWNED = [
  'state',
  'cache',
  'data',
  'data/home',
  'data/home/alice',
  'data/home/alicebob',
  'data/osg',
  'data/vo',
];

/** Issuers that the storage knows, by section name, with the lines of their section. */
export type Sections = Readonly<Record<string, readonly string[]>>;

/** What the tests use of the rig. */
export interface Rig {
  readonly directory: string;
  /** `https://localhost:PORT`: below it, every directory under `web/` is served. */
  readonly issuers: string;
  /** `http://localhost:PORT` of the storage. */
  readonly storage: string;
  /** Runs a command that trusts the rig's certificate authority. */
  readonly trusting: (
    command: string,
    ...argv: string[]
  ) => Promise<{ code: number; output: string }>;
  /** What the storage has logged, with all decisions of its SciTokens plugin. */
  readonly log: () => string;
  /** Makes the storage forget the issuers' keys that it keeps for ten minutes. */
  readonly forgetKeys: () => void;
  readonly stop: () => Promise<void>;
}

/**
 * Starts issuers and storage. `audience` is the storage's, or all lines of the section
 * `[Global]`. `sections` is asked for the issuer sections once the issuers' URL is known;
 * files that they name may be written into the directory.
 */
export async function startRig(
  audience: string | readonly string[],
  sections: (issuers: string, directory: string) => Sections,
): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), 'xrootd-rig-'));
  chmodSync(directory, 0o755);
  await makeAuthority(directory);
  const web = await serveStatic(directory);
  const issuers = `https://localhost:${(web.address() as AddressInfo).port}`;
  const port = await freePort();
  writeConfiguration(directory, port, audience, sections(issuers, directory));
  const storage = startStorage(directory, port);
  await waitUntil(() => answers(port, storage), { what: 'XRootD answering' });
  return {
    directory,
    issuers,
    storage: `http://localhost:${port}`,
    log: () => storage.output,
    trusting: (command, ...argv) => runTrusting(directory, command, argv),
    forgetKeys: () => rmSync(join(directory, 'cache/scitokens'), { recursive: true, force: true }),
    async stop() {
      await storage.stop();
      web.closeAllConnections();
      await new Promise((resolve) => web.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/**
 * A certificate authority, a certificate for localhost, and the system's bundle with that
 * authority added.
 */
async function makeAuthority(directory: string): Promise<void> {
  const openssl = (...argv: string[]): Promise<unknown> => run('openssl', argv, { cwd: directory });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...curve,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=rig CA',
  );
  await openssl('req', ...curve, '-keyout', 'tls.key', '-out', 'tls.csr', '-subj', '/CN=localhost');
  writeFileSync(join(directory, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const ca = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  await openssl(
    'x509',
    '-req',
    '-in',
    'tls.csr',
    ...ca,
    '-days',
    '2',
    '-extfile',
    'names',
    '-out',
    'tls.pem',
  );
  const bundle = readFileSync(BUNDLE, 'utf8') + readFileSync(join(directory, 'ca.pem'), 'utf8');
  writeFileSync(join(directory, 'bundle.pem'), bundle);
}

/** Any web server would do: the published files are static. */
async function serveStatic(directory: string): Promise<Server> {
  const root = join(directory, 'web');
  mkdirSync(root);
  const tls = {
    cert: readFileSync(join(directory, 'tls.pem')),
    key: readFileSync(join(directory, 'tls.key')),
  };
  const server = createServer(tls, (request, response) => {
    const path = join(
      root,
      normalize(`/${new URL(request.url ?? '/', 'https://localhost').pathname}`),
    );
    try {
      const body = readFileSync(path);
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function writeConfiguration(
  directory: string,
  port: number,
  audience: string | readonly string[],
  sections: Sections,
): void {
  const global = typeof audience === 'string' ? [`audience = ${audience}`] : audience;
  const issuers = Object.entries(sections).map(([name, lines]) =>
    [`[Issuer ${name}]`, ...lines, ''].join('\n'),
  );
  writeFileSync(
    join(directory, 'scitokens.cfg'),
    `[Global]\n${global.join('\n')}\n\n${issuers.join('\n')}`,
  );
  writeFileSync(
    join(directory, 'xrootd.cfg'),
    [
      'all.role server',
      `all.adminpath ${directory}/state`,
      `all.pidpath ${directory}/state`,
      'all.export /',
      `oss.localroot ${directory}/data`,
      `xrd.port ${port}`,
      `xrd.protocol XrdHttp:${port} libXrdHttp.so`,
      'http.header2cgi Authorization authz',
      'ofs.authorize 1',
      `ofs.authlib libXrdAccSciTokens.so config=${directory}/scitokens.cfg`,
      'scitokens.trace all',
      '',
    ].join('\n'),
  );
  for (const name of OWNED) mkdirSync(join(directory, name), { recursive: true });
}

function startStorage(directory: string, port: number): Child {
  const user = xrootdUser();
  if (user === undefined) throw new Error(`there is no user ${USER}`);
  for (const name of OWNED) chownSync(join(directory, name), user, -1);
  // The change of user would clear the tie to this process, so that it is made once more.
  const drop = [
    'setpriv',
    `--reuid=${USER}`,
    `--regid=${USER}`,
    '--clear-groups',
    '--pdeathsig',
    'KILL',
  ];
  const [command, ...argv] = trust(directory, [
    ...drop,
    'perl',
    join(here, 'listen.pl'),
    String(port),
    'xrootd',
    '-c',
    join(directory, 'xrootd.cfg'),
  ]);
  return startProcess(command, argv, environment(directory, 'cache'), {
    directory: join(directory, 'state'),
  });
}

const environment = (directory: string, cache: string): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: directory,
  XDG_CACHE_HOME: join(directory, cache),
});

/**
 * A command line that trusts our authority: in a mount namespace of its own the bundle is
 * covered by ours.
 */
function trust(directory: string, command: readonly string[]): readonly [string, ...string[]] {
  const script = 'mount --bind "$0" "$1" && shift && exec "$@"';
  const bundle = [join(directory, 'bundle.pem'), BUNDLE];
  return [
    'unshare',
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-c',
    script,
    ...bundle,
    ...command,
  ];
}

async function runTrusting(
  directory: string,
  command: string,
  argv: string[],
): Promise<{ code: number; output: string }> {
  const env = environment(directory, 'client-cache');
  try {
    const [program, ...words] = trust(directory, [command, ...argv]);
    const { stdout, stderr } = await run(program, words, { env });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

/** True when the storage answers HTTP. @throws Error with its output when it has ended */
async function answers(port: number, storage: Child): Promise<boolean> {
  if (storage.exit !== undefined) throw new Error(`xrootd ended:\n${storage.output}`);
  try {
    await fetch(`http://localhost:${port}/`, { signal: AbortSignal.timeout(5000) });
    return true;
  } catch {
    // Not listening yet.
    return false;
  }
}
