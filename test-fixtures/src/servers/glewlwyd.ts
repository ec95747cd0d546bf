// A real Glewlwyd (Debian package glewlwyd) as an OpenID provider on loopback, with SQLite
// in a temporary directory.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../processes/free-port.ts';
import { startProcess, type Child } from '../processes/processes.ts';
import { skipWithout } from '../processes/skipped.ts';

const PROGRAM = '/usr/bin/glewlwyd';
/** The tables, the scopes openid, g_admin and g_profile, and the user admin. */
const SCHEMA = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3';
const PAGES = '/usr/share/glewlwyd/webapp';
/** In the package, the link to it below PAGES leads to this file's directory instead. */
const PAGES_CONFIG = '/etc/glewlwyd/config-2.7.json/config.json';

/** The one user, who may have the scopes openid, read and write. */
export const GLEWLWYD_USER = { name: 'alice', password: 'password of alice' } as const;

/**
 * A client of the issuer. A client without a secret is public. `methods`: how it may
 * authenticate; the product's pages offer `client_secret_basic` for a new client.
 */
export interface GlewlwydClient {
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly redirectUris: readonly string[];
  readonly methods?: readonly ('client_secret_basic' | 'client_secret_post' | 'none')[];
}

/** A running server. */
export interface Glewlwyd {
  /** The exact issuer identifier. */
  readonly issuer: string;
  readonly process: Child;
  /** Registers a client for codes, refresh tokens and device logins. */
  addClient(client: GlewlwydClient): Promise<void>;
  /** Sets the lifetime of new access tokens in seconds. */
  setAccessTokenTtl(seconds: number): Promise<void>;
  /** The refresh tokens of the user that can still be used. */
  liveRefreshTokens(): Promise<number>;
  /** The user disables all her refresh tokens, as on the profile page. */
  disableRefreshTokens(): Promise<void>;
  /** Ends the server and removes its files. */
  remove(): Promise<void>;
}

/**
 * True if Glewlwyd is missing, for `describe.skipIf`; records the reason.
 * @throws Error in CI, so that the file counts as failed
 */
export function isGlewlwydMissing(): boolean {
  if ([PROGRAM, SCHEMA, PAGES_CONFIG].every((path) => existsSync(path))) return false;
  return skipWithout(PROGRAM, 'apt-get install glewlwyd dbconfig-sqlite3');
}

/**
 * Starts a server with its plug-in for OpenID Connect: code with a required code challenge,
 * device logins, and refresh tokens that are used once.
 */
export async function startGlewlwyd(): Promise<Glewlwyd> {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-glewlwyd-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  execFileSync('sqlite3', [join(directory, 'database')], { input: readFileSync(SCHEMA) });
  copyPages(join(directory, 'pages'));
  writeFileSync(join(directory, 'glewlwyd.conf'), configuration(directory, url));
  const child = startProcess(PROGRAM, [`--config-file=${join(directory, 'glewlwyd.conf')}`], {
    PATH: '/usr/bin:/bin',
  });
  const remove = async (): Promise<void> => {
    await child.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await child.printed(/Glewlwyd started on port/);
    return await setUp(url, child, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

async function setUp(url: string, child: Child, remove: () => Promise<void>): Promise<Glewlwyd> {
  const api = `${url}/api`;
  const issuer = `${api}/oidc`;
  const admin = await signIn(api, 'admin', 'password');
  for (const name of ['read', 'write'])
    await admin('POST', 'scope/', { name, display_name: name, password_required: true });
  await admin('POST', 'user/', {
    username: GLEWLWYD_USER.name,
    password: GLEWLWYD_USER.password,
    name: 'Alice',
    email: 'alice@pool.example',
    scope: ['openid', 'read', 'write'],
    enabled: true,
  });
  const plugin = pluginOf(issuer);
  await admin('POST', 'mod/plugin/', plugin);
  const own = await signIn(api, GLEWLWYD_USER.name, GLEWLWYD_USER.password);
  const live = async (): Promise<readonly string[]> => {
    const tokens = (await own('GET', 'oidc/token?limit=1000')) as RefreshTokenRow[];
    return tokens.filter(({ enabled }) => enabled).map(({ token_hash: hash }) => hash);
  };
  return {
    issuer,
    process: child,
    addClient: async ({ clientId, clientSecret, redirectUris, methods }) => {
      await admin('POST', 'client/', {
        client_id: clientId,
        client_name: `client ${clientId}`,
        confidential: clientSecret !== undefined,
        ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
        redirect_uri: redirectUris,
        token_endpoint_auth_method:
          methods ?? (clientSecret === undefined ? ['none'] : ['client_secret_post']),
        authorization_type: ['code', 'refresh_token', 'device_authorization'],
        enabled: true,
      });
    },
    setAccessTokenTtl: async (seconds) => {
      const parameters = { ...plugin.parameters, 'access-token-duration': seconds };
      await admin('PUT', 'mod/plugin/oidc', { ...plugin, parameters });
      await admin('PUT', 'mod/plugin/oidc/reset');
    },
    liveRefreshTokens: async () => (await live()).length,
    disableRefreshTokens: async () => {
      for (const hash of await live())
        await own('DELETE', `oidc/token/${encodeURIComponent(hash)}`);
    },
    remove,
  };
}

interface RefreshTokenRow {
  readonly token_hash: string;
  readonly enabled: boolean;
}

/** The plug-in that is the issuer. Its signing key is its own. */
function pluginOf(issuer: string): {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly [name: string]: unknown;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    module: 'oidc',
    name: 'oidc',
    display_name: 'OpenID Connect',
    enabled: true,
    parameters: {
      iss: issuer,
      'oauth-as-iss-id': true,
      'jwt-type': 'ecdsa',
      'jwt-key-size': '256',
      key: privateKey,
      cert: publicKey,
      'jwks-show': true,
      'access-token-duration': 3600,
      'refresh-token-duration': 86_400,
      'code-duration': 600,
      'refresh-token-rolling': true,
      'refresh-token-one-use': 'always',
      'allow-non-oidc': true,
      'auth-type-code-enabled': true,
      'auth-type-refresh-enabled': true,
      'auth-type-device-enabled': true,
      'device-authorization-interval': 1,
      'pkce-allowed': true,
      'pkce-required': true,
      'introspection-revocation-allowed': true,
      'introspection-revocation-allow-target-client': true,
      'allowed-scope': ['openid', 'read', 'write'],
      'subject-type': 'public',
    },
  };
}

/** One call of the API in JSON, with the session of a user. */
type Call = (method: string, path: string, body?: object) => Promise<unknown>;

/** @see the file API.md of the package */
async function signIn(api: string, username: string, password: string): Promise<Call> {
  let cookie = '';
  const call: Call = async (method, path, body) => {
    const response = await fetch(`${api}/${path}`, {
      method,
      headers: { 'content-type': 'application/json', cookie },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status !== 200)
      throw new Error(`Glewlwyd answered ${response.status} to ${method} ${path}: ${text}`);
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    return text === '' ? undefined : JSON.parse(text);
  };
  await call('POST', 'auth/', { username, password });
  return call;
}

/** The server serves no file below a link that leads out of its directory. */
function copyPages(directory: string): void {
  mkdirSync(directory);
  for (const name of ['login.html', 'login.js', 'css', 'js', 'fonts', 'img', 'locales'])
    cpSync(join(PAGES, name), join(directory, name), { recursive: true, dereference: true });
  cpSync(PAGES_CONFIG, join(directory, 'config.json'));
}

function configuration(directory: string, url: string): string {
  const types = {
    html: 'text/html',
    css: 'text/css',
    js: 'application/javascript',
    json: 'application/json',
    png: 'image/png',
    woff2: 'font/woff2',
  };
  return `port = ${new URL(url).port}
bind_address = "127.0.0.1"
external_url = "${url}/"
login_url = "login.html"
api_prefix = "api"
static_files_path = "${join(directory, 'pages')}/"
log_mode = "console"
log_level = "INFO"
cookie_secure = 0
session_key = "GLEWLWYD"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "/usr/lib/glewlwyd/user"
client_module_path = "/usr/lib/glewlwyd/client"
user_auth_scheme_module_path = "/usr/lib/glewlwyd/scheme"
plugin_module_path = "/usr/lib/glewlwyd/plugin"
hash_algorithm = "SHA512"
database = { type = "sqlite3"; path = "${join(directory, 'database')}"; };
static_files_mime_types = (
${Object.entries(types)
  .map(([name, type]) => `  { extension = ".${name}", mime_type = "${type}" }`)
  .join(',\n')}
)
`;
}
