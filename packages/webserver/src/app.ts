// The portal as a Fastify application: its plugins and routes. It does not depend on the
// process that runs it.
import Fastify, { LogController, type FastifyInstance } from 'fastify';
import type { PortalContext } from './flow/context.ts';
import { fastifyLogger, registerErrors, registerNotFound, sendError } from './plugins/errors.ts';
import { registerHostCheck } from './plugins/host.ts';
import { BARE_HEADERS } from './plugins/security-headers.ts';
import { registerSecurity } from './plugins/request-limits.ts';
import { registerSessions, rememberingSigner } from './plugins/session.ts';
import type { Ports } from './flow/ports.ts';
import { assetRoutes, wellKnownRoutes, healthRoutes, proxyCheckRoute } from './routes/public.ts';
import { confirmRoutes, loginRoutes, returnRoutes } from './routes/login.ts';
import { answerStrangers, homeRoute } from './routes/home.ts';
import { keyRoute, switchRoutes } from './routes/key.ts';
import type { Settings } from './settings/settings.ts';

/** The longest a client may take to send a request, in milliseconds. */
const REQUEST_TIMEOUT = 30_000;

/**
 * Creates the application. The caller lets it listen or injects requests, and closes it.
 * On failure, it is closed again.
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
    genReqId: () => Buffer.from(ports.random(6)).toString('hex'),
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
