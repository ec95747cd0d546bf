// A real HTCondor pool on loopback: condor_master with all its daemons, our daemon below
// it, the portal behind nginx, and real issuers that run in the test.
import { appendFileSync, chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '../clocks/wait-until.ts';
import type { Knobs } from '../files/workspace.ts';
import type { Child } from '../processes/processes.ts';
import { startIssuer, type Issuer, type IssuerOptions } from '../servers/issuer.ts';
import { startNamespace, POOL_HOST, type Namespace } from './namespace.ts';
import { rootDirectory, type RootDirectory } from './root-directory.ts';

export { POOL_HOST } from './namespace.ts';

/** The prefix of every page of the portal. */
export const POOL_PREFIX = `https://${POOL_HOST}`;

/** Where the files are that a pool uses as they are. */
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const CONFIG = '/etc/condor/config.d';

/** A provider of the pool and its issuer, which runs in the test's process. */
export interface PoolProvider {
  readonly name: string;
  readonly issuer: Issuer;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What a provider has beside its name. A client without a secret is public. */
export interface ProviderOptions extends IssuerOptions {
  readonly secret?: boolean;
  readonly knobs?: Knobs;
  /** The prefix of the portal's pages. With an http one, the issuer uses http, too. */
  readonly prefix?: string;
}

/** A pool in its namespaces. */
export interface Pool extends Namespace {
  /** Where CredD keeps credentials, as seen from the host. */
  readonly credentialDirectory: string;
  /** PEM text of the authority of all certificates. */
  readonly ca: string;
  /** Writes a file inside, by default for root to write and everybody to read. */
  write(path: string, text: string, mode?: number): void;
  /** Reads a file inside. */
  read(path: string): string;
  /** Sets knobs in a file that is read after all others. */
  configure(knobs: Knobs): void;
  /** Starts an issuer and configures it as a token provider. */
  addProvider(name: string, options?: ProviderOptions): Promise<PoolProvider>;
  /** Starts condor_master and waits until the pool can run jobs. */
  startMaster(): Promise<Child>;
  /** Starts the portal as user condor and nginx in front of it; returns nginx's port on the host. */
  startPortal(): Promise<number>;
  /** What a daemon has logged, by the name of its file below /var/log/condor. */
  log(name: string): string;
}

/**
 * A pool with the example configuration of configs/condor and no provider yet; nothing
 * runs. `directory` is where `prepareRoot` has made the root directory.
 */
export async function createPool(directory: string, repository = REPOSITORY): Promise<Pool> {
  const prepared = rootDirectory(directory);
  const space = await startNamespace(prepared.root);
  try {
    return poolIn(space, prepared, repository);
  } catch (error) {
    await space.remove();
    throw error;
  }
}

function poolIn(space: Namespace, { certificates }: RootDirectory, repository: string): Pool {
  const issuers: Issuer[] = [];
  const write = (path: string, text: string, mode = 0o644): void => {
    const target = space.path(path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    chmodSync(target, mode);
  };
  const read = (path: string): string => readFileSync(space.path(path), 'utf8');
  const knobsFile = `${CONFIG}/90-test.conf`;
  const configure = (knobs: Knobs): void => {
    const lines = Object.entries(knobs).map(([name, value]) => `${name} = ${value}\n`);
    appendFileSync(space.path(knobsFile), lines.join(''));
  };
  const here = (path: string): string => join(repository, path);
  cpSync(here('test-fixtures/pool/condor/50-pool.conf'), space.path(`${CONFIG}/50-pool.conf`));
  cpSync(here('configs/condor/60-credmon.conf'), space.path(`${CONFIG}/60-credmon.conf`));
  write(knobsFile, '');
  cpSync(certificates.certificateFile, space.path('/etc/ssl/certs/vm.pool.test.pem'));
  cpSync(certificates.keyFile, space.path('/etc/ssl/private/vm.pool.test.key'));

  return {
    ...space,
    credentialDirectory: space.path('/var/lib/condor/oauth_credentials'),
    ca: certificates.ca,
    write,
    read,
    configure,
    addProvider: async (
      name,
      { secret = true, knobs = {}, prefix = POOL_PREFIX, ...options } = {},
    ) => {
      const tls = {
        cert: readFileSync(certificates.certificateFile, 'utf8'),
        key: readFileSync(certificates.keyFile, 'utf8'),
      };
      const issuer = await startIssuer({
        name: `Issuer of ${name}`,
        account: 'alice',
        ...(prefix.startsWith('https:') ? { tls } : {}),
        ...options,
      });
      issuers.push(issuer);
      await space.bringIn(Number(new URL(issuer.url).port));
      const clientId = `${name}-client`;
      const clientSecret = secret ? `${name}-client-secret-of-the-pool` : '';
      const suffix = `/return/${name}`;
      await issuer.addClient({
        clientId,
        clientSecret,
        redirectUris: [prefix + suffix],
        ...(secret ? {} : { authentication: 'none' }),
      });
      const file = `/etc/condor/oauth/${name}.secret`;
      if (secret) write(file, `${clientSecret}\n`, 0o600);
      configure({
        [`${name}_CLIENT_ID`]: clientId,
        ...(secret ? { [`${name}_CLIENT_SECRET_FILE`]: file } : {}),
        [`${name}_RETURN_URL_SUFFIX`]: suffix,
        [`${name}_AUTHORIZATION_URL`]: issuer.authorizationUrl,
        [`${name}_TOKEN_URL`]: issuer.tokenUrl,
        [`CREDMON_${name}_ISSUER`]: issuer.url,
        ...Object.fromEntries(
          Object.entries(knobs).map(([suffix, value]) => [`CREDMON_${name}_${suffix}`, value]),
        ),
      });
      return { name, issuer, clientId, clientSecret };
    },
    startMaster: async () => {
      const master = space.start(['/usr/sbin/condor_master', '-f']);
      await waitUntil(
        async () => {
          if (master.exit !== undefined) throw new Error(`condor_master ended:\n${master.output}`);
          const { stdout } = await space.run(['condor_status', '-any', '-af', 'MyType']);
          const types = stdout.split('\n');
          return ['Scheduler', 'Negotiator', 'Machine', 'CredD'].every((type) =>
            types.includes(type),
          );
        },
        { what: 'the daemons of the pool', every: 0.3 },
      );
      return master;
    },
    startPortal: async () => {
      write('/etc/nginx/conf.d/condor_credmon_web.conf', nginxSite(repository));
      await space.must([
        'install',
        '-d',
        '-o',
        'condor',
        '-g',
        'www-data',
        '-m',
        '2750',
        '/run/condor_credmon_web',
      ]);
      configure({ CREDMON_WEB_LISTEN: 'unix:/run/condor_credmon_web/socket' });
      const portal = space.start(['/usr/local/bin/condor_credmon_webserver'], { user: 'condor' });
      await portal.printed(/ serves \S+ on \S+,/);
      const nginx = space.start(['/usr/sbin/nginx', '-g', 'daemon off;']);
      await waitUntil(
        async () => {
          if (nginx.exit !== undefined) throw new Error(`nginx ended:\n${nginx.output}`);
          return (
            (await space.run(['curl', '-s', '-o', '/dev/null', `${POOL_PREFIX}/healthz`])).code ===
            0
          );
        },
        { what: 'the portal behind nginx', every: 0.2 },
      );
      return space.bringOut(443);
    },
    log: (name) => read(`/var/log/condor/${name}`),
    remove: async () => {
      await space.remove();
      for (const issuer of issuers) await issuer.close();
    },
  };
}

/** configs/nginx with the values of its lines that end in `# adapt`. */
function nginxSite(repository: string): string {
  const adapted: readonly (readonly [RegExp, string])[] = [
    [/server unix:\S+;(?= # adapt)/, 'server unix:/run/condor_credmon_web/socket;'],
    [/server_name \S+;(?= # adapt)/, `server_name ${POOL_HOST};`],
    [/ssl_certificate \S+;(?= # adapt)/, 'ssl_certificate /etc/ssl/certs/vm.pool.test.pem;'],
    [
      /ssl_certificate_key \S+;(?= # adapt)/,
      'ssl_certificate_key /etc/ssl/private/vm.pool.test.key;',
    ],
  ];
  return adapted.reduce(
    (text, [pattern, value]) => {
      if (!pattern.test(text)) throw new Error(`configs/nginx has no line that fits ${pattern}`);
      return text.replace(pattern, value);
    },
    readFileSync(join(repository, 'configs/nginx/condor_credmon_web.conf'), 'utf8'),
  );
}
