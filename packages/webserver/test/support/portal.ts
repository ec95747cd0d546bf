// A portal for tests: real files in a temporary directory, a manual clock, and an issuer
// as a function.
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HttpRequest, type HttpResponse, CodedError } from '@credmon/core/base';
import { DEFAULT_STYLE, type AuditEntry } from '@credmon/core/log';
import { createApp } from '../../src/app.ts';
import { openCredentialFiles } from '../../src/host/credential-files.ts';
import { NO_COUNTERS, type Ports } from '../../src/flow/ports.ts';
import {
  createFileAnswers,
  createFileFlows,
  createFileSessions,
} from '../../src/session-store/file-stores.ts';
import { openFilesOf } from '../../src/session-store/open-files.ts';
import type { ProviderSettings, Settings } from '../../src/settings/settings.ts';
import { ISSUER_KEY } from '@credmon/test-fixtures/issuer/signed-id-token';
import { createIssuers } from '../../src/flow/resolve-provider.ts';
import { GENERIC_POLICY, type IssuerPolicy } from '@credmon/core/profiles';
import { openViews } from '../../src/host/served-files.ts';
import { createBrowser, type Browser } from './browser.ts';

export const CANARY = 'canary-client-secret';
export const KEY: string = 'ab'.repeat(32);

/** The attributes of one request, with defaults. */
export type Ad = Readonly<Record<string, string>>;

export const ad = (fields: Ad = {}): string =>
  Object.entries({
    Handle: '',
    Scopes: 'read, write',
    Audience: '',
    ClientId: 'condor',
    Provider: 'mytok',
    TokenUrl: 'https://issuer.example/token',
    LocalUser: 'alice',
    ReturnUrl: 'https://ap.example/return/mytok',
    ClientSecret: CANARY,
    AuthorizationUrl: 'https://issuer.example/auth',
    ...fields,
  })
    .map(([name, value]) => `${name} = "${value.replaceAll('"', '\\"')}"\n`)
    .join('');

export interface Portal {
  readonly directory: string;
  readonly credentials: string;
  readonly log: string[];
  /** The entries of the audit log. */
  readonly audit: AuditEntry[];
  /** Requests that reached the issuer. */
  readonly sent: HttpRequest[];
  answer: (request: HttpRequest) => Promise<HttpResponse> | HttpResponse;
  /** Changes of what every issuer says about itself; `undefined`: it does not answer. */
  metadata: Readonly<Record<string, unknown>> | undefined;
  /** The key set of every issuer. */
  keys: readonly object[];
  now: number;
  browser(): Browser;
  /** Another process with the same directories, or with other ports or settings. */
  replica(replaced?: Partial<Ports>, changes?: Partial<Settings>): Promise<Browser>;
  writeKey(text: string, key?: string): void;
  tokenFiles(user?: string): Record<string, unknown>;
  close(): Promise<void>;
}

export const json = (body: unknown, status = 200): HttpResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

let serial = 0;
/** A token response like that of most issuers, with unique values. */
export const tokens = (fields: Record<string, unknown> = {}): HttpResponse => {
  serial += 1;
  return json({
    access_token: `canary-access-${serial}`,
    token_type: 'bearer',
    expires_in: 600,
    refresh_token: `canary-refresh-${serial}`,
    ...fields,
  });
};

/** What every issuer of these tests says about itself, and its key set. */
function issuerDocument(
  url: string,
  { metadata, keys }: Pick<Portal, 'metadata' | 'keys'>,
): HttpResponse {
  const { origin, pathname } = new URL(url);
  if (!metadata) throw new CodedError('ISSUER_UNREACHABLE', `cannot reach ${origin}`);
  if (pathname === '/jwks') return json({ keys });
  if (pathname !== '/.well-known/openid-configuration') return json({}, 404);
  return json({
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    jwks_uri: `${origin}/jwks`,
    ...metadata,
  });
}

const LOG: Settings['log'] = {
  path: undefined,
  stderr: false,
  debug: true,
  maxBytes: 0,
  maxSeconds: 0,
  maxSaved: 1,
  truncate: false,
  mode: 0o640,
  style: DEFAULT_STYLE,
};

export const settingsFor = (directory: string, changes: Partial<Settings> = {}): Settings => ({
  credentialDirectory: join(directory, 'creds'),
  prefix: 'https://ap.example',
  mount: '',
  secure: true,
  host: 'ap.example',
  listen: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  trustedProxies: ['127.0.0.1'],
  sessionDirectory: join(directory, 'sessions'),
  sessionCount: 1000,
  sessionIdleSeconds: 1800,
  sessionSeconds: 28_800,
  loginSeconds: 600,
  keySeconds: 43_200,
  requestsPerMinute: 1000,
  // Tests on a busy machine may stall the process.
  overloadSeconds: 0,
  log: LOG,
  endpointOrigins: [],
  allowLoopbackHttp: false,
  providers: new Map(),
  defaultTokenSeconds: 1200,
  connectSeconds: 5,
  requestSeconds: 15,
  localIssuer: { issuer: 'https://ap.example', publicKeyFile: '/none', keyId: 'local' },
  ...changes,
});

/** Starts a portal; `close` removes everything. */
export async function startPortal(
  changes: Partial<Settings> = {},
  replaced: Partial<Ports> = {},
): Promise<Portal> {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-web-'));
  const settings = settingsFor(directory, changes);
  for (const path of [settings.credentialDirectory, settings.sessionDirectory])
    mkdirSync(path, { mode: 0o700 });
  const { sessionIdleSeconds: idle, sessionSeconds: absolute, sessionCount: count } = settings;
  const limits = { idle, absolute, answer: settings.loginSeconds, count };
  const log: string[] = [];
  const audit: AuditEntry[] = [];
  const write = (message: string): void => void log.push(message);
  const apps: { close(): PromiseLike<unknown> }[] = [];
  const clock = { now: () => portal.now, steady: () => portal.now, wait: async () => undefined };
  const names = openFilesOf(settings.sessionDirectory, clock);
  const start = async (
    others: Partial<Ports> = {},
    other: Partial<Settings> = {},
  ): Promise<Browser> => {
    const app = await createApp(
      { ...settings, ...other },
      {
        clock,
        random: (bytes) => randomBytes(bytes),
        send: async (request) => {
          if (request.method === 'GET') return issuerDocument(request.url, portal);
          portal.sent.push(request);
          return portal.answer(request);
        },
        files: openCredentialFiles(settings.credentialDirectory),
        flows: createFileFlows(settings.sessionDirectory, clock, limits, names),
        sessions: createFileSessions(settings.sessionDirectory, clock, limits, names),
        answers: createFileAnswers(settings.sessionDirectory, clock, limits),
        cookieSecret: 'a secret of the tests, long enough to sign with',
        log: {
          info: write,
          warn: write,
          error: write,
          debug: write,
          record: (entry) => void audit.push(entry),
        },
        counters: NO_COUNTERS,
        whyNotReady: async () => [],
        views: openViews(),
        readPublicKey: () => '',
        readKeySets: () => [],
        readClientKey: () => '',
        issuers: createIssuers({ ...settings, ...other }),
        isTrustedProxy: (address) => address === '127.0.0.1',
        ...replaced,
        ...others,
      },
    );
    apps.push(app);
    return createBrowser(app);
  };
  const portal: Portal = {
    directory,
    credentials: settings.credentialDirectory,
    log,
    audit,
    sent: [],
    answer: () => tokens(),
    metadata: {},
    keys: [ISSUER_KEY.jwk],
    now: 1_800_000_000,
    browser: () => first.another(),
    replica: start,
    writeKey(text, key = KEY) {
      const path = join(settings.credentialDirectory, key);
      writeFileSync(path, text, { mode: 0o640 });
      utimesSync(path, portal.now, portal.now);
    },
    tokenFiles(user = 'alice') {
      const home = join(settings.credentialDirectory, user);
      return Object.fromEntries(
        readdirSync(home).map((name) => {
          const mode = (statSync(join(home, name)).mode & 0o7777).toString(8);
          return [
            name,
            { mode, content: JSON.parse(readFileSync(join(home, name), 'utf8')) as unknown },
          ];
        }),
      );
    },
    async close() {
      for (const app of apps) await app.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  const first = await start();
  return portal;
}

/** The knobs of a provider that tests set. */
interface ProviderKnobs extends Partial<IssuerPolicy> {
  readonly extraScopes?: readonly string[];
  readonly revocationUrl?: string | undefined;
  readonly userClaim?: string | undefined;
}

/** The settings of a provider with these knobs. */
export function providerWith(knobs: ProviderKnobs = {}): ProviderSettings {
  const { extraScopes = [], revocationUrl, userClaim, ...policy } = knobs;
  return {
    policy: {
      ...GENERIC_POLICY,
      scopes: { ...GENERIC_POLICY.scopes, extra: extraScopes },
      endpoints: { ...GENERIC_POLICY.endpoints, revocationUrl },
      ...policy,
    },
    userClaim,
  };
}
