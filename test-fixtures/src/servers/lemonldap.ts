// A real LemonLDAP::NG portal (Debian package liblemonldap-ng-portal-perl) as an OpenID
// provider on loopback over TLS, with configuration and sessions as files in a temporary
// directory.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exchange } from '../browsers/http-browser.ts';
import { waitUntil } from '../clocks/wait-until.ts';
import { freePort } from '../processes/free-port.ts';
import { startProcess, type Child } from '../processes/processes.ts';
import { skipWithout } from '../processes/skipped.ts';
import type { Certificates } from './certificates.ts';

/** The server program, the product, and modules that the product needs for OpenID. */
const NEEDED = [
  '/usr/bin/starman',
  '/usr/share/perl5/Lemonldap/NG/Portal/Issuer/OpenIDConnect.pm',
  '/usr/share/perl5/String/Random.pm',
  '/usr/share/perl5/IO/String.pm',
] as const;
const APPLICATION = fileURLToPath(new URL('../programs/lemonldap.psgi', import.meta.url));

/** The one user. */
export const LEMONLDAP_USER = { name: 'alice', password: 'alice' } as const;

/**
 * A client of the issuer. `refreshTokens`: with a sign-in that lasts, or with the scope
 * offline_access. `addedScopes` are granted to everybody without a request.
 */
export interface LemonldapClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly refreshTokens: 'online' | 'offline';
  readonly addedScopes?: readonly string[];
  /** Seconds. */
  readonly accessTokenTtl?: number;
}

/** A running server. */
export interface Lemonldap {
  /** The exact issuer identifier. */
  readonly issuer: string;
  readonly process: Child;
  /**
   * Removes the product's sessions with this member and value, as the administrator does;
   * returns their number.
   */
  removeSessions(member: string, value: string): number;
  /** Ends the server and removes its files. */
  remove(): Promise<void>;
}

/**
 * True if LemonLDAP::NG is missing, for `describe.skipIf`; records the reason.
 * @throws Error in CI, so that the file counts as failed
 */
export function isLemonldapMissing(): boolean {
  const missing = NEEDED.find((path) => !existsSync(path));
  if (missing === undefined) return false;
  const packages = 'liblemonldap-ng-portal-perl libstring-random-perl libio-string-perl starman';
  return skipWithout(missing, `apt-get install ${packages}`);
}

/** Starts a server with these clients; their code challenge is required. */
export async function startLemonldap(
  certificates: Certificates,
  clients: readonly LemonldapClient[],
): Promise<Lemonldap> {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-lemonldap-'));
  const url = `https://127.0.0.1:${await freePort()}`;
  for (const name of ['configuration', 'cache', ...STORES, ...STORES.map(lockOf)])
    mkdirSync(join(directory, name), { mode: 0o700 });
  const settings = { ...GENERAL, ...placesOf(directory, url), ...clientsOf(clients) };
  writeFileSync(join(directory, 'configuration/lmConf-1.json'), JSON.stringify(settings));
  writeFileSync(join(directory, 'lemonldap-ng.ini'), startFile(directory));
  const child = startProcess(
    '/usr/bin/starman',
    [
      `--listen=${new URL(url).host}:ssl`,
      '--enable-ssl',
      `--ssl-cert=${certificates.certificateFile}`,
      `--ssl-key=${certificates.keyFile}`,
      // A browser's idle connection occupies a worker.
      '--workers=8',
      '--preload-app',
      '--read-timeout=1',
      APPLICATION,
    ],
    {
      PATH: '/usr/bin:/bin',
      LLNG_DEFAULTCONFFILE: join(directory, 'lemonldap-ng.ini'),
    },
  );
  const remove = async (): Promise<void> => {
    await child.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await waitUntil(() => isReady(url, certificates.ca, child), { what: 'LemonLDAP::NG' });
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    issuer: url,
    process: child,
    removeSessions: (member, value) => {
      const files = sessionFiles(join(directory, 'sessions'), member, value);
      for (const path of files) rmSync(path);
      return files.length;
    },
    remove,
  };
}

async function isReady(url: string, ca: string, child: Child): Promise<boolean> {
  if (child.exit) throw new Error(`LemonLDAP::NG ended:\n${child.output}`);
  try {
    const { response } = await exchange(
      { method: 'GET', url: `${url}/.well-known/openid-configuration` },
      {},
      ca,
    );
    if (response.statusCode === 200) return true;
  } catch {
    // It does not listen yet.
    return false;
  }
  throw new Error(`LemonLDAP::NG does not work:\n${child.output}`);
}

/** A session that is being written at this moment is not found. */
function sessionFiles(directory: string, member: string, value: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(directory, name))
    .filter((path) => readFileSync(path, 'utf8').includes(`"${member}":"${value}"`));
}

const STORES = ['sessions', 'persistent-sessions'] as const;
const lockOf = (store: string): string => `${store}-lock`;

/** The settings that are the same in every test. */
const GENERAL = {
  cfgNum: 1,
  cfgDate: 1,
  cfgVersion: '2.16.1',
  authentication: 'Demo',
  userDB: 'Same',
  passwordDB: 'Null',
  registerDB: 'Null',
  // A class that does nothing: the usual one needs Perl bindings of ImageMagick.
  captcha: 'Lemonldap::NG::Common::Module',
  locationRules: {},
  exportedHeaders: {},
  demoExportedVars: { cn: 'cn', mail: 'mail', uid: 'uid' },
  cookieName: 'lemonldap',
  securedCookie: 1,
  loginHistoryEnabled: 0,
  notification: 0,
  portalDisplayRegister: 0,
  portalDisplayResetPassword: 0,
  issuerDBOpenIDConnectActivation: 1,
  oidcServiceAllowAuthorizationCodeFlow: 1,
};

function placesOf(directory: string, url: string): Record<string, unknown> {
  const [sessions, persistent] = STORES.map((store) => ({
    Directory: join(directory, store),
    LockDirectory: join(directory, lockOf(store)),
    generateModule: 'Lemonldap::NG::Common::Apache::Session::Generate::SHA256',
  }));
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    key: randomBytes(16).toString('hex'),
    portal: `${url}/`,
    domain: new URL(url).hostname,
    globalStorage: 'Apache::Session::File',
    globalStorageOptions: sessions,
    persistentStorage: 'Apache::Session::File',
    persistentStorageOptions: persistent,
    oidcServiceMetaDataIssuer: url,
    oidcServicePrivateKeySig: privateKey,
    oidcServicePublicKeySig: publicKey,
    oidcServiceKeyIdSig: 'signing-key',
  };
}

/** The clients in the product's words: relying parties, "RP". */
function clientsOf(clients: readonly LemonldapClient[]): Record<string, unknown> {
  const each = (make: (client: LemonldapClient) => unknown): Record<string, unknown> =>
    Object.fromEntries(clients.map((client) => [client.clientId, make(client)]));
  const option = 'oidcRPMetaDataOptions';
  return {
    [option]: each((client) => ({
      [`${option}ClientID`]: client.clientId,
      [`${option}ClientSecret`]: client.clientSecret,
      [`${option}DisplayName`]: `client ${client.clientId}`,
      [`${option}RedirectUris`]: client.redirectUris.join(' '),
      [`${option}AllowOffline`]: client.refreshTokens === 'offline' ? 1 : 0,
      [`${option}RefreshToken`]: client.refreshTokens === 'online' ? 1 : 0,
      [`${option}RequirePKCE`]: 1,
      [`${option}IDTokenSignAlg`]: 'RS256',
      [`${option}UserIDAttr`]: 'uid',
      [`${option}AccessTokenJWT`]: 1,
      [`${option}AccessTokenExpiration`]: client.accessTokenTtl ?? 3600,
    })),
    oidcRPMetaDataExportedVars: each(() => ({ name: 'cn', email: 'mail' })),
    oidcRPMetaDataScopeRules: each(({ addedScopes = [] }) =>
      Object.fromEntries(addedScopes.map((scope) => [scope, '1'])),
    ),
  };
}

function startFile(directory: string): string {
  const cache = join(directory, 'cache');
  return `[all]
logLevel = warn
[configuration]
type = File
dirName = ${join(directory, 'configuration')}
localStorage = Cache::FileCache
localStorageOptions = { 'namespace' => 'configuration', 'cache_root' => '${cache}', 'cache_depth' => 1 }
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en
`;
}
