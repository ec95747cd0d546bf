// A credential directory with its configuration: what every program that is measured gets.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Knobs = Readonly<Record<string, string | number | boolean>>;

/** A directory on this machine; another root directory may be in front of it. */
export interface AccessPoint {
  readonly root: string;
  readonly credentials: string;
  readonly log: string;
  /**
   * Sets knobs and returns the environment of a program that sees `hidden` as its root
   * directory; empty: the one of this machine.
   */
  configure(knobs: Knobs, hidden?: string): Readonly<Record<string, string>>;
  /** A file with the key of the local issuer, for ES256 or RS256. */
  key(algorithm: 'ES256' | 'RS256'): string;
  remove(): void;
}

/** Makes an access point below `parent`. */
export function createAccessPoint(parent: string): AccessPoint {
  const root = mkdtempSync(join(parent, 'ap-'));
  const [credentials, log, sessions] = ['credentials', 'log', 'sessions'].map((name) =>
    join(root, name),
  ) as [string, string, string];
  mkdirSync(credentials);
  chmodSync(credentials, 0o2770);
  mkdirSync(log, { mode: 0o755 });
  mkdirSync(sessions, { mode: 0o700 });
  writeFileSync(join(root, 'secret'), 'client-secret\n', { mode: 0o600 });
  let files = 0;
  const key: AccessPoint['key'] = (algorithm) => {
    const path = join(root, `private-${algorithm}.pem`);
    if (existsSync(path)) return path;
    const { privateKey, publicKey } =
      algorithm === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
    // The Python program accepts only a file that begins with EC PRIVATE KEY.
    const pem = privateKey.export({
      type: algorithm === 'ES256' ? 'sec1' : 'pkcs1',
      format: 'pem',
    });
    writeFileSync(path, pem, { mode: 0o600 });
    writeFileSync(
      path.replace('private', 'public'),
      publicKey.export({ type: 'spki', format: 'pem' }),
    );
    return path;
  };
  return {
    root,
    credentials,
    log,
    key,
    configure: (knobs, hidden = '') => {
      const all: Knobs = {
        LOG: log,
        SEC_CREDENTIAL_DIRECTORY_OAUTH: credentials,
        CREDMON_OAUTH_LOG: '$(LOG)/CredMonOAuthLog',
        CREDMON_ALLOW_LOOPBACK_HTTP: true,
        TRUST_CREDENTIAL_DIRECTORY: true,
        // Where the Python program has its modules.
        LIBEXEC: '/usr/libexec/condor',
        FULL_HOSTNAME: 'ap.example.test',
        CREDMON_WEB_SESSION_DIR: sessions,
        ...knobs,
      };
      const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`);
      const path = join(root, `condor_config.${(files += 1)}`);
      writeFileSync(path, lines.join('').replaceAll(`${hidden}/`, '/'));
      return {
        CONDOR_CONFIG: path.slice(hidden.length),
        PATH: process.env['PATH'] ?? '/usr/bin:/bin',
        HOME: root.slice(hidden.length),
        // The Python program refuses an http issuer without this.
        OAUTHLIB_INSECURE_TRANSPORT: '1',
      };
    },
    remove: () => removeTree(root),
  };
}

/** Removes a large directory without the event loop's help: `rm` is the fastest. */
export function removeTree(path: string): void {
  if (existsSync(path)) execFileSync('rm', ['-rf', '--one-file-system', path]);
  rmSync(path, { recursive: true, force: true });
}

/** Knobs of an OAuth provider at the issuer of the benchmarks. */
export function providerKnobs({ root }: AccessPoint, name: string, tokenUrl: string): Knobs {
  return {
    [`${name}_CLIENT_ID`]: 'bench',
    [`${name}_CLIENT_SECRET_FILE`]: join(root, 'secret'),
    [`${name}_TOKEN_URL`]: tokenUrl,
    [`${name}_AUTHORIZATION_URL`]: new URL('/authorize', tokenUrl).href,
    [`${name}_RETURN_URL_SUFFIX`]: `/return/${name}`,
  };
}

/** Knobs of the local issuer. */
export function localKnobs(point: AccessPoint, algorithm: 'ES256' | 'RS256' = 'ES256'): Knobs {
  const key = point.key(algorithm);
  return {
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
    LOCAL_CREDMON_PRIVATE_KEY: key,
    LOCAL_CREDMON_PUBLIC_KEY: key.replace('private', 'public'),
    LOCAL_CREDMON_PRIVATE_KEY_ALGORITHM: algorithm,
    LOCAL_CREDMON_ISSUER: 'https://ap.example.test',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'ANY',
    LOCAL_CREDMON_TOKEN_LIFETIME: 86_400,
  };
}
