// A real XRootD on loopback and real HTTPS issuers for it, all in one temporary directory and gone after the tests.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:https';
import { createServer as createPlainServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
/** The one file in which libscitokens looks for certificate authorities. */
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

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
  readonly trusting: (command: string, ...argv: string[]) => Promise<{ code: number; output: string }>;
  /** Makes the storage forget the issuers' keys that it keeps for ten minutes. */
  readonly forgetKeys: () => void;
  readonly stop: () => Promise<void>;
}

/** Starts issuers and storage. `sections` is asked for the issuer sections once the issuers' URL is known. */
export async function startRig(audience: string, sections: (issuers: string) => Sections): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), 'xrootd-rig-'));
  chmodSync(directory, 0o755);
  await makeAuthority(directory);
  await installAuthority(directory);
  const web = await serveStatic(directory);
  const issuers = `https://localhost:${(web.address() as AddressInfo).port}`;
  const port = await freePort();
  writeConfiguration(directory, port, audience, sections(issuers));
  const storage = startStorage(directory, port);
  await waitForPort(port, storage, directory);
  return {
    directory,
    issuers,
    storage: `http://localhost:${port}`,
    trusting: (command, ...argv) => runTrusting(directory, command, argv),
    forgetKeys: () => rmSync(join(directory, 'cache/scitokens'), { recursive: true, force: true }),
    async stop() {
      storage.kill('SIGTERM');
      if (storage.exitCode === null) await new Promise((resolve) => storage.once('exit', resolve));
      web.closeAllConnections();
      await new Promise((resolve) => web.close(resolve));
      await removeAuthority(directory);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A certificate authority, a certificate for localhost, and the system's bundle with that authority added. */
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
    const path = join(root, normalize(`/${new URL(request.url ?? '/', 'https://localhost').pathname}`));
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

async function freePort(): Promise<number> {
  const probe = createPlainServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function writeConfiguration(directory: string, port: number, audience: string, sections: Sections): void {
  const issuers = Object.entries(sections).map(([name, lines]) =>
    [`[Issuer ${name}]`, ...lines, ''].join('\n'),
  );
  writeFileSync(
    join(directory, 'scitokens.cfg'),
    `[Global]\naudience = ${audience}\n\n${issuers.join('\n')}`,
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
  for (const name of [
    'state',
    'cache',
    'data',
    'data/home',
    'data/home/alice',
    'data/home/alicebob',
    'data/osg',
    'data/vo',
  ])
    mkdirSync(join(directory, name), { recursive: true });
}

function startStorage(directory: string, port: number): ChildProcess {
  const id = Number(readFileSync('/etc/passwd', 'utf8').match(/^xrootd:[^:]*:(\d+):/m)?.[1]);
  for (const name of [
    'state',
    'cache',
    'data',
    'data/home',
    'data/home/alice',
    'data/home/alicebob',
    'data/osg',
    'data/vo',
  ])
    chownSync(join(directory, name), id, -1);
  const drop = ['setpriv', '--reuid=xrootd', '--regid=xrootd', '--clear-groups'];
  const xrootd = ['xrootd', '-c', join(directory, 'xrootd.cfg')];
  const [command, ...argv] = trust(directory, [
    ...drop,
    'perl',
    join(here, 'listen.pl'),
    String(port),
    ...xrootd,
  ]);
  const child = spawn(command, argv, {
    cwd: join(directory, 'state'),
    env: { PATH: process.env['PATH'], HOME: directory, XDG_CACHE_HOME: join(directory, 'cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(join(directory, 'xrootd.log'));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  return child;
}

/** A command line that trusts our authority: in a mount namespace of its own the bundle is covered by ours. */
function trust(directory: string, command: readonly string[]): readonly [string, ...string[]] {
  if (existsSync(installed(directory))) return ['env', ...command];
  const script = 'mount --bind "$0" "$1" && shift && exec "$@"';
  const bundle = [join(directory, 'bundle.pem'), BUNDLE];
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, ...bundle, ...command];
}

const installed = (directory: string): string =>
  `/usr/local/share/ca-certificates/${basename(directory)}.crt`;

/** Where no namespaces may be made, the system has to trust our authority for as long as the tests run. */
async function installAuthority(directory: string): Promise<void> {
  try {
    await run('unshare', ['--mount', '--propagation', 'private', 'true']);
  } catch {
    cpSync(join(directory, 'ca.pem'), installed(directory));
    await run('update-ca-certificates');
  }
}

async function removeAuthority(directory: string): Promise<void> {
  if (!existsSync(installed(directory))) return;
  rmSync(installed(directory));
  await run('update-ca-certificates', ['--fresh']);
}

async function runTrusting(
  directory: string,
  command: string,
  argv: string[],
): Promise<{ code: number; output: string }> {
  const env = { PATH: process.env['PATH'], HOME: directory, XDG_CACHE_HOME: join(directory, 'client-cache') };
  try {
    const [program, ...words] = trust(directory, [command, ...argv]);
    const { stdout, stderr } = await run(program, words, { env });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

async function waitForPort(port: number, child: ChildProcess, directory: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (child.exitCode !== null) break;
    try {
      await fetch(`http://localhost:${port}/`, { signal: AbortSignal.timeout(1000) });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`xrootd does not answer:\n${readFileSync(join(directory, 'xrootd.log'), 'utf8')}`);
}
