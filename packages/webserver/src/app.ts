// The application of one configuration: everything that it needs, its plugins and its
// routes, opened together and closed together. server.ts serves it.
import Fastify, { LogController, type FastifyInstance } from 'fastify';
import { checkCredentialDirectory } from '@credmon/core/store';
import {
  createSend,
  createTrust,
  DEFAULT_SEND_LIMITS,
  messageOf,
  systemClock,
  systemRandom,
  type Trust,
} from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import type { PortalContext } from './flow/context.ts';
import type { Counters, Ports } from './flow/ports.ts';
import { createIssuers } from './flow/resolve-provider.ts';
import { openCredentialFiles } from './host/credential-files.ts';
import { trustFunction } from './host/listen.ts';
import { whyNotReady } from './host/readiness.ts';
import { openPublicKeys, readClientKeyFile, openViews } from './host/served-files.ts';
import {
  fastifyLogger,
  makeReferences,
  registerErrors,
  registerNotFound,
  sendError,
} from './plugins/errors.ts';
import { registerHostCheck } from './plugins/host.ts';
import { BARE_HEADERS, registerSecurity } from './plugins/security.ts';
import { registerSessions, rememberingSigner } from './plugins/session.ts';
import { assetRoutes, wellKnownRoutes, healthRoutes, proxyCheckRoute } from './routes/public.ts';
import { confirmRoutes, loginRoutes, returnRoutes } from './routes/login.ts';
import { answerStrangers, homeRoute, keyRoute, switchRoutes } from './routes/key.ts';
import { openFileStores, type Stores } from './session-store/file-stores.ts';
import type { ListenAddress, Settings } from './settings/settings.ts';

/** Interval of the removal of old sessions, in seconds. */
const PRUNE_SECONDS = 600;

/**
 * What is shared by all generations (listen address, log, counters), and the files of
 * this configuration.
 */
export interface Environment {
  readonly listen: ListenAddress;
  readonly log: Log;
  readonly counters: Counters;
  /** The configuration files. */
  readonly sources: readonly string[];
}

/** A running generation. */
export interface Generation {
  readonly settings: Settings;
  readonly app: FastifyInstance;
  readonly stores: Stores;
  /** Call it when no request is in progress. */
  close(): Promise<void>;
}

/**
 * Creates a generation. On failure, everything that was opened is closed again.
 * @throws CodedError `CONFIG_INVALID`, `CRED_DIR_INVALID`, `SESSION_STORE_FULL`,
 * `SESSION_STORE_DOWN`, `SECRET_UNREADABLE`
 */
export async function createGeneration(
  settings: Settings,
  environment: Environment,
): Promise<Generation> {
  const closers: Closer[] = [];
  try {
    return await assemble(settings, environment, closers);
  } catch (error) {
    // The caller needs the first error; an error while closing is only logged.
    await closeAll(closers).catch((other: unknown) => environment.log.error(messageOf(other)));
    throw error;
  }
}

/** Closes one resource. */
type Closer = () => PromiseLike<unknown>;

/**
 * Closes everything in reverse order, even if one fails.
 * @throws the first error
 */
async function closeAll(closers: readonly Closer[]): Promise<void> {
  const failures: unknown[] = [];
  for (const end of closers.toReversed()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/**
 * Opens the resources in order. Each adds its closer to `closers` as soon as it is open.
 */
async function assemble(
  settings: Settings,
  { listen, log, counters, sources }: Environment,
  closers: Closer[],
): Promise<Generation> {
  const isTrustedProxy = trustFunction(settings.trustedProxies, listen);
  const credentialDirectory = checkCredentialDirectory(settings.credentialDirectory, {
    create: false,
    condor: settings.condorIds,
  });
  const { connectSeconds, requestSeconds: totalSeconds, namedTrust } = settings;
  const trust = createTrust({ named: () => namedTrust, trouble: (text) => log.warn(text) });
  const stores = await openStores(settings, (text) => log.warn(text), trust);
  closers.push(() => stores.close());
  const { send, close: closeConnections } = createSend({
    ...DEFAULT_SEND_LIMITS,
    connectSeconds,
    totalSeconds,
    trust,
  });
  closers.push(closeConnections);
  const ports: Ports = {
    clock: systemClock,
    random: systemRandom,
    send,
    files: openCredentialFiles(credentialDirectory),
    flows: stores.flows,
    sessions: stores.sessions,
    answers: stores.answers,
    cookieSecret: stores.cookieSecret,
    log,
    counters,
    views: openViews(),
    ...openPublicKeys(settings.localIssuer),
    readClientKey: readClientKeyFile,
    issuers: createIssuers(settings),
    isTrustedProxy,
    whyNotReady: () => whyNotReady(settings, stores, sources),
  };
  const app = await createApp(settings, ports);
  closers.push(() => app.close());
  await app.ready();
  const stop = new AbortController();
  const pruning = pruneUntil(stop.signal, stores, log);
  closers.push(() => {
    stop.abort();
    return pruning;
  });
  return { settings, app, stores, close: () => closeAll(closers) };
}

/**
 * Opens the session store that the settings name. The Redis client is loaded only when
 * needed, because loading it takes time.
 */
async function openStores(
  settings: Settings,
  onProblem: (text: string) => void,
  trust: Trust,
): Promise<Stores> {
  const {
    sessionDirectory,
    sessionIdleSeconds: idle,
    sessionSeconds: absolute,
    sessionCount: count,
    loginSeconds: answer,
  } = settings;
  const limits = { idle, absolute, answer, count };
  if (!settings.sessionStore) return openFileStores(sessionDirectory, systemClock, limits);
  const { openRedisStores } = await import('./session-store/redis-stores.ts');
  return openRedisStores(settings.sessionStore, systemClock, limits, onProblem, trust);
}

async function pruneUntil(stop: AbortSignal, stores: Stores, log: Log): Promise<void> {
  while (!stop.aborted) {
    try {
      await stores.prune();
    } catch (error) {
      log.error(`cannot remove old sessions: ${messageOf(error)}`);
    }
    await systemClock.wait(PRUNE_SECONDS, stop);
  }
}

/** The longest a client may take to send a request, in milliseconds. */
const REQUEST_TIMEOUT = 30_000;

/**
 * Creates the application with the given ports. The caller lets it listen or injects
 * requests, and closes it. On failure, it is closed again.
 */
export async function createApp(settings: Settings, ports: Ports): Promise<FastifyInstance> {
  const context: PortalContext = { settings, ports };
  const app: FastifyInstance = Fastify({
    loggerInstance: fastifyLogger(ports.log),
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: (address) => ports.isTrustedProxy(address),
    requestTimeout: REQUEST_TIMEOUT,
    bodyLimit: 16_384,
    routerOptions: { ignoreDuplicateSlashes: true, maxParamLength: 512 },
    genReqId: makeReferences(ports.random),
    frameworkErrors: (error, request, reply) =>
      void sendError(context, request, reply.headers(BARE_HEADERS), error),
  });
  try {
    await registerAll(app, context);
  } catch (error) {
    // A plugin that is already registered may have a timer.
    await app.close();
    throw error;
  }
  return app;
}

async function registerAll(app: FastifyInstance, context: PortalContext): Promise<void> {
  const { settings, ports } = context;
  await registerSecurity(app, context);
  registerHostCheck(app, context);
  registerErrors(app, context);
  app.addHook('onResponse', (request, reply, done) => {
    const pattern = request.routeOptions.url;
    const seconds = reply.elapsedTime / 1000;
    ports.counters.request(patternOf(pattern, settings.mount), reply.statusCode, seconds);
    const route = pattern ?? 'an unknown page';
    ports.log.debug(
      `${request.method} ${route}: ${reply.statusCode} in ${Math.round(seconds * 1000)} ms`,
    );
    done();
  });
  await app.register(
    async (mounted) => {
      wellKnownRoutes(mounted, context);
      assetRoutes(mounted, context);
      healthRoutes(mounted, context);
      proxyCheckRoute(mounted, context);
    },
    { prefix: settings.mount },
  );
  await app.register((mounted) => registerPages(mounted, context), { prefix: settings.mount });
}

/** Adds the pages of a browser session. Everything else works without the plugins of it. */
async function registerPages(app: FastifyInstance, context: PortalContext): Promise<void> {
  const signer = rememberingSigner(context.ports.cookieSecret);
  answerStrangers(app, context, signer);
  await registerSessions(app, context, signer);
  registerNotFound(app, context);
  homeRoute(app, context);
  keyRoute(app, context);
  loginRoutes(app, context);
  returnRoutes(app, context);
  confirmRoutes(app, context);
  switchRoutes(app, context);
}

/**
 * Returns a route's pattern without the mount path, so that dashboards work for every
 * prefix.
 */
function patternOf(url: string | undefined, mount: string): string {
  return url === undefined ? 'unknown' : url.slice(mount.length) || '/';
}
