// An Access Point in this process: the portal's and the daemon's own code, one credential
// directory, and issuers under their real names on loopback.
import { readdirSync } from 'node:fs';
import { createSend, systemRandom, type HttpRequest, type Send } from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { openCredentialDirectory } from '@credmon/core/store';
import { PATIENT_LIMITS } from '@credmon/test-fixtures/clocks/patience';
import type { IssuerAnswers } from '@credmon/test-fixtures/profile-issuers/answers';
import {
  ORIGIN_HEADER,
  startProfileIssuer,
  type ProfileIssuer,
} from '@credmon/test-fixtures/profile-issuers/profile-issuer';
import {
  startCaptureServer,
  type CaptureServer,
} from '@credmon/test-fixtures/servers/capture-server';
import {
  accessPoint,
  settingsWith,
  type AccessPoint,
} from '../../../packages/credmon/test/support/access-point.ts';
import { revocationFiles } from '../../../packages/credmon/src/commands/revoke.ts';
import { readSecretFile } from '../../../packages/credmon/src/host/secret-file.ts';
import { createRevoker } from '../../../packages/credmon/src/revocation/revoker.ts';
import { revokeOne } from '../../../packages/credmon/src/revocation/revoke-token.ts';
import type { Settings } from '../../../packages/credmon/src/settings/read.ts';
import { readSettings } from '../../../packages/webserver/src/settings/read.ts';
import type { Browser, Page } from '../../../packages/webserver/test/support/browser.ts';
import { ad, startPortal, type Portal } from '../../../packages/webserver/test/support/portal.ts';

export const CLIENT_ID = 'condor';
export const CLIENT_SECRET = 'canary-client-secret';
export const PREFIX = 'https://ap.example';

/** What a user asks for in the submit file; scopes and audience as CredD writes them. */
export interface Wish {
  readonly scopes?: string;
  readonly audience?: string;
  /** True: the list also has a token that is not stored, so that it is not complete. */
  readonly beside?: boolean;
}

/** One sign-in: the authorization request, the callback, and the pages. */
export interface SignIn {
  readonly asked: Readonly<Record<string, string>>;
  /** The answer of the portal to the callback, or to a login that does not begin. */
  readonly back: Page;
  /** The question about the account, if it is asked. */
  readonly question: Page | undefined;
  /** The list after the decision. */
  readonly done: Page | undefined;
}

/** A site with one login provider. */
export interface Site {
  readonly provider: string;
  readonly issuer: ProfileIssuer;
  /** All other hosts. */
  readonly others: CaptureServer;
  readonly portal: Portal;
  readonly point: AccessPoint;
  /** Signs alice in, with a link and a browser of their own. */
  signIn(wish?: Wish): Promise<SignIn>;
  /** The three files of the token: whole values, and the modes. */
  files(): Record<string, unknown>;
  file(kind: 'top' | 'use' | 'meta'): Record<string, unknown>;
  /** Revokes alice's token as `condor_credmon revoke` does, and returns what it says. */
  revoke(): Promise<string>;
  /** Moves the clock on and lets the daemon renew what is due. */
  renew(seconds: number): Promise<void>;
  /** The form of the last token request, without the client's secret. */
  lastForm(): Record<string, string>;
  /**
   * Ends everything.
   * @throws Error if a request reached another host: no secret of one provider may
   */
  close(): Promise<void>;
}

/** The knobs of a login provider with a profile, as docs/providers says. */
export function knobsOf(answers: IssuerAnswers, provider: string): Record<string, string> {
  const { profile, issuer } = answers;
  return {
    [`${provider}_CLIENT_ID`]: CLIENT_ID,
    [`${provider}_RETURN_URL_SUFFIX`]: `/return/${provider}`,
    [`CREDMON_${provider}_PROFILE`]: profile,
    // The profiles of single issuers have theirs.
    ...(issuer === undefined ? {} : { [`CREDMON_${provider}_ISSUER`]: issuer }),
  };
}

/**
 * Starts a site. `knobs` are added to those of the provider; `undefined` removes one.
 */
export async function startSite(
  answers: IssuerAnswers,
  options: {
    readonly provider?: string;
    readonly knobs?: Readonly<Record<string, string | undefined>>;
  } = {},
): Promise<Site> {
  const { provider = 'mytok' } = options;
  const others = await startCaptureServer();
  let clock = (): number => Date.now() / 1000;
  const issuer = await startProfileIssuer(answers, {
    client: {
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      redirectUris: [`${PREFIX}/return/${provider}`],
    },
    names: 'real',
    now: () => clock(),
  });
  const route = (request: HttpRequest): HttpRequest => {
    const { origin, pathname, search } = new URL(request.url);
    const to = issuer.serves(request.url) ? issuer.url : others.url;
    const headers = { ...request.headers, [ORIGIN_HEADER]: origin };
    return { ...request, url: `${to}${pathname}${search}`, headers };
  };
  const { send, close: closeSend } = createSend({ ...PATIENT_LIMITS, maxBodyBytes: 1024 * 1024 });
  const routed: Send = (request) => send(route(request));
  const knobs = definedIn({
    ...knobsOf(answers, provider),
    // Another provider of the same site: nothing may reach it.
    [`CREDMON_other_ISSUER`]: 'https://other.example',
    [`other_CLIENT_ID`]: 'other',
    [`other_TOKEN_URL`]: 'https://other.example/token',
    ...options.knobs,
  });
  const portal = await startPortal(portalSettings(knobs), { send: routed });
  const point = accessPoint({}, { directory: portal.credentials, route });
  clock = () => point.clock.now();
  const secretFile = point.secret(provider, `${CLIENT_SECRET}\n`);
  const whole = { ...knobs, [`${provider}_CLIENT_SECRET_FILE`]: secretFile };
  point.configure(whole);
  let keys = 0;

  return {
    provider,
    issuer,
    others,
    portal,
    point,
    signIn: async (wish = {}) => {
      portal.now = point.clock.now();
      keys += 1;
      const key = keys.toString(16).padStart(64, 'a');
      portal.writeKey(adOf(knobs, provider, wish), key);
      return signIn(portal.browser(), routed, `/key/${key}`, provider);
    },
    files: () => portal.tokenFiles(),
    file: (kind) => point.read(`alice/${provider}.${kind}`),
    revoke: () => revokeFirst(settingsWith(whole, point.directory), point, routed),
    renew: async (seconds) => {
      point.clock.advance(seconds);
      await point.pass();
    },
    lastForm: () => {
      const { token } = issuer.endpoints;
      const { client_secret: _, ...form } =
        issuer.requests.findLast(({ url }) => url === token)?.parameters ?? {};
      return form;
    },
    close: async () => {
      await Promise.all([portal.close(), point.close(), issuer.close(), others.close()]);
      await closeSend();
      if (others.requests.length > 0)
        throw new Error(`requests to other hosts: ${JSON.stringify(others.requests)}`);
    },
  };
}

const definedIn = (knobs: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(knobs).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** What the portal reads from these knobs. */
function portalSettings(knobs: Readonly<Record<string, string>>) {
  const env = Object.entries({
    SEC_CREDENTIAL_DIRECTORY_OAUTH: '/creds',
    CREDMON_WEB_PREFIX: PREFIX,
    CREDMON_WEB_SESSION_DIR: '/sessions',
    ...knobs,
  }).map(([name, value]) => [`_CONDOR_${name}`, value]);
  const config = loadConfig({
    subsystem: 'CREDMON_WEB',
    env: { CONDOR_CONFIG: 'ONLY_ENV', ...Object.fromEntries(env) },
    facts: { fullHostname: () => 'ap.example' },
  });
  const { providers, endpointOrigins, names, defaultTokenSeconds } = readSettings(config);
  return { providers, endpointOrigins, names, defaultTokenSeconds };
}

/** The request that CredD writes: an empty text for a URL that is not configured. */
function adOf(
  knobs: Readonly<Record<string, string>>,
  provider: string,
  { scopes = '', audience = '', beside = false }: Wish,
): string {
  const other = { Provider: 'other', TokenUrl: 'https://other.example/token' };
  const wanted = ad({
    Provider: provider,
    Scopes: scopes,
    Audience: audience,
    ClientId: CLIENT_ID,
    ClientSecret: CLIENT_SECRET,
    ReturnUrl: `${PREFIX}/return/${provider}`,
    AuthorizationUrl: knobs[`${provider}_AUTHORIZATION_URL`] ?? '',
    TokenUrl: knobs[`${provider}_TOKEN_URL`] ?? '',
  });
  return beside ? `${wanted}\n${ad(other)}` : wanted;
}

async function signIn(
  browser: Browser,
  send: Send,
  link: string,
  provider: string,
): Promise<SignIn> {
  await browser.open(link);
  const login = await browser.login(provider);
  if (login.status !== 303) return { asked: {}, back: login, question: undefined, done: undefined };
  const asked = Object.fromEntries(new URL(login.location).searchParams);
  const { headers } = await send({ method: 'GET', url: login.location });
  const callback = new URL(headers['location'] ?? '');
  const back = await browser.get(`${callback.pathname}${callback.search}`);
  if (back.status !== 303) return { asked, back, question: undefined, done: undefined };
  if (!back.location.includes('/confirm/'))
    return { asked, back, question: undefined, done: await browser.get('/') };
  const question = await browser.get(back.location);
  await browser.decide(back.location, 'store');
  return { asked, back, question, done: await browser.get('/') };
}

/** Revokes the first token of the directory. */
async function revokeFirst(
  settings: Settings,
  { directory, clock }: AccessPoint,
  send: Send,
): Promise<string> {
  const store = openCredentialDirectory(directory, { defaultLifetime: 1200 });
  const [token] = (await store.scan({ wall: clock.now(), steady: 0 })).tokens;
  if (!token) throw new Error('nothing is stored');
  const prepare = createRevoker(settings, {
    clock,
    send,
    vaultSend: send,
    pelicanSend: send,
    secretVersion: () => '',
    random: systemRandom,
    readSecret: readSecretFile,
  });
  const files = revocationFiles(directory, store);
  return JSON.stringify(await revokeOne('oauth2', token, { prepare, clock, files }));
}

/** The words of a page. */
export const words = ({ text }: Page): string =>
  text
    .replace(/<head>[^]*<\/head>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

/** The words of the question about the account, or else of the answer to the callback. */
export const textOf = ({ question, back }: SignIn): string => words(question ?? back);

/** The names of the users who have stored tokens; key files have longer names. */
export const usersIn = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.length < 64);
