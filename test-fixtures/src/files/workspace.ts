// A new Access Point in a temporary directory: credential directory, configuration file
// and secrets, with the modes of CredD.
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyFileAd } from './credd.ts';
import type { Issuer } from '../servers/issuer.ts';
import { PATIENCE } from '../clocks/patience.ts';

/** Values of configuration knobs by name. */
export type Knobs = Readonly<Record<string, string | number | boolean>>;

/** A token provider in the configuration of the Access Point. */
export interface Service {
  readonly name: string;
  readonly issuer: Issuer;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The directories of an Access Point. */
export interface Workspace {
  readonly root: string;
  readonly credentialDirectory: string;
  readonly sessionDirectory: string;
  readonly logDirectory: string;
  readonly configFile: string;
  /** The environment of child processes: only CONDOR_CONFIG, PATH and HOME. */
  readonly environment: Readonly<Record<string, string>>;
  readonly webPrefix: string;
  /** Sets knobs and writes the configuration file again. */
  configure(knobs: Knobs): void;
  /** Writes a file that only its owner can read; returns its path. */
  secretFile(name: string, content: string): string;
  /** Registers a client at the issuer of the service and in the configuration. */
  addService(name: string, issuer: Issuer): Promise<Service>;
  /** The ad that CredD writes for a request of `user`, with or without a domain. */
  keyFileAd(
    service: Service,
    user: string,
    request?: { handle?: string; scopes?: string; audience?: string },
  ): KeyFileAd;
  remove(): void;
}

/**
 * Options of a workspace. `clientSecret` creates the secret of a service, so that a test
 * can search for it.
 */
export interface WorkspaceOptions {
  readonly webPrefix?: string;
  readonly knobs?: Knobs;
  readonly clientSecret?: (service: string) => string;
}

/** Replaces a file atomically, so that readers see the old text or the new one. */
function replaceFile(path: string, content: string, mode = 0o600): void {
  writeFileSync(`${path}.new`, content, { mode });
  renameSync(`${path}.new`, path);
}

/** Creates a workspace below the temporary directory of the system. */
export function createWorkspace(options: WorkspaceOptions = {}): Workspace {
  const root = mkdtempSync(join(tmpdir(), 'credmon-'));
  const directory = (name: string, mode: number): string => {
    const path = join(root, name);
    mkdirSync(path);
    chmodSync(path, mode);
    return path;
  };
  const [credentialDirectory, sessionDirectory, logDirectory, secretDirectory] = [
    directory('credentials', 0o2770),
    directory('sessions', 0o700),
    directory('log', 0o755),
    directory('secrets', 0o700),
  ];
  const webPrefix = options.webPrefix ?? 'http://127.0.0.1:8443';
  const configFile = join(root, 'condor_config');
  const knobs = new Map<string, string>();
  const configure = (more: Knobs): void => {
    for (const [name, value] of Object.entries(more)) knobs.set(name, String(value));
    replaceFile(
      configFile,
      [...knobs].map(([name, value]) => `${name} = ${value}\n`).join(''),
      0o644,
    );
  };
  const secretFile = (name: string, content: string): string => {
    const path = join(secretDirectory, name);
    replaceFile(path, content);
    return path;
  };
  configure({
    LOG: logDirectory,
    SEC_CREDENTIAL_DIRECTORY_OAUTH: credentialDirectory,
    CREDMON_OAUTH_LOG: '$(LOG)/CredMonOAuthLog',
    CREDMON_WEB_PREFIX: webPrefix,
    CREDMON_WEB_SESSION_DIR: sessionDirectory,
    CREDMON_ALLOW_LOOPBACK_HTTP: true,
    TRUST_CREDENTIAL_DIRECTORY: true,
    // Longer than the delay of a busy machine; a test of the timeouts sets its own.
    CREDMON_CONNECT_TIMEOUT: Math.min(PATIENCE, 300),
    CREDMON_REQUEST_TIMEOUT: Math.min(PATIENCE, 600),
    ...options.knobs,
  });

  return {
    root,
    credentialDirectory,
    sessionDirectory,
    logDirectory,
    configFile,
    environment: {
      CONDOR_CONFIG: configFile,
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: root,
    },
    get webPrefix() {
      return knobs.get('CREDMON_WEB_PREFIX') ?? webPrefix;
    },
    configure,
    secretFile,
    addService: async (name, issuer) => {
      const service = {
        name,
        issuer,
        clientId: `${name}-client`,
        clientSecret: options.clientSecret?.(name) ?? `${name}-secret`,
      };
      const suffix = `/return/${name}`;
      const prefix = knobs.get('CREDMON_WEB_PREFIX') ?? webPrefix;
      await issuer.addClient({ ...service, redirectUris: [prefix + suffix] });
      configure({
        [`${name}_CLIENT_ID`]: service.clientId,
        [`${name}_CLIENT_SECRET_FILE`]: secretFile(name, `${service.clientSecret}\n`),
        [`${name}_AUTHORIZATION_URL`]: issuer.authorizationUrl,
        [`${name}_TOKEN_URL`]: issuer.tokenUrl,
        [`${name}_RETURN_URL_SUFFIX`]: suffix,
        [`CREDMON_${name}_ISSUER`]: issuer.url,
      });
      return service;
    },
    keyFileAd: ({ name, issuer, clientId, clientSecret }, user, request = {}) => ({
      Handle: request.handle ?? '',
      Scopes: request.scopes ?? '',
      Audience: request.audience ?? '',
      ClientId: clientId,
      Provider: name,
      TokenUrl: issuer.tokenUrl,
      LocalUser: user,
      ReturnUrl: `${knobs.get('CREDMON_WEB_PREFIX') ?? webPrefix}/return/${name}`,
      ClientSecret: clientSecret,
      AuthorizationUrl: issuer.authorizationUrl,
    }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
