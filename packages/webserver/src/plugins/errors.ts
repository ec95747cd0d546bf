// Answers each error with a page and logs it as one line; adapts our log to Fastify: only
// the texts of warnings and errors are logged, not the objects, which contain whole
// requests.
import { type PortalContext, currentFlow } from '../flow/context.ts';
import {
  type ErrorPage,
  type ErrorPageName,
  isPageError,
  pageError,
  pageFor,
  preparedError,
  sendBare,
  sendPage,
  sendPrepared,
} from '../pages/send-page.ts';
import { rightAddress } from './host.ts';
import { isCoded, messageOf, type Random } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Sets the handlers for errors, and for pages outside the mount path. */
export function registerErrors(app: FastifyInstance, context: PortalContext): void {
  app.setErrorHandler((error, request, reply) => sendError(context, request, reply, error));
  if (context.settings.mount !== '') registerNotFound(app, context);
}

/** Sets the handler for unknown pages, which link to the list if there is a session. */
export function registerNotFound(app: FastifyInstance, context: PortalContext): void {
  app.setNotFoundHandler((request, reply) =>
    sendError(context, request, reply, pageError('no-such-page')),
  );
}

/** How many references are made at once: each alone takes a twentieth of a request. */
const REFERENCES = 512;
/** Hex digits. */
const REFERENCE_LENGTH = 12;

/** Returns a function that makes references: the same one in the log and on the page. */
export function makeReferences(random: Random): () => string {
  let digits = '';
  let used = 0;
  return () => {
    if (used === digits.length) {
      digits = Buffer.from(random((REFERENCES * REFERENCE_LENGTH) / 2)).toString('hex');
      used = 0;
    }
    used += REFERENCE_LENGTH;
    return digits.slice(used - REFERENCE_LENGTH, used);
  };
}

/** Sends the page of an error. Query, headers and body of the request are not logged. */
export async function sendError(
  context: PortalContext,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): Promise<FastifyReply> {
  const { name, page, detail } = pageFor(error);
  const route = logError(context, request, page, name, error);
  const hasList =
    route.replace(/\/$/, '') !== context.settings.mount && (await hasFlow(context, request));
  if (detail === undefined && name !== 'wrong-host')
    return sendPrepared(context, reply, preparedError(name, hasList), request.id);
  return sendPage(context, reply, 'error', page.status, {
    ...page,
    name,
    hasList,
    detail,
    address: name === 'wrong-host' ? rightAddress(context, request) : undefined,
    reference: request.id,
  });
}

/** The headers that tell a client how many requests it may still send. */
const LIMITS = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'];

/**
 * Returns `headers` (names and values in turn) and the headers of the rate limit, for a
 * response without Fastify's hooks.
 */
export function bareHeaders(reply: FastifyReply, headers: readonly string[]): string[] {
  const all = [...headers];
  for (const limit of LIMITS) {
    const value = reply.getHeader(limit);
    if (value !== undefined) all.push(limit, String(value));
  }
  return all;
}

/**
 * Sends the page of an error that has no detail, to a client without a session, with the
 * least work.
 * @param headers names and values in turn
 */
export function sendErrorBare(
  context: PortalContext,
  request: FastifyRequest,
  reply: FastifyReply,
  error: Error,
  headers: readonly string[],
): FastifyReply {
  const { name, page } = pageFor(error);
  logError(context, request, page, name, error);
  const all = bareHeaders(reply, headers);
  return sendBare(context, reply, preparedError(name, false), all, request.id);
}

/** Returns the pattern of the route. */
function logError(
  { ports: { log } }: PortalContext,
  request: FastifyRequest,
  { status }: ErrorPage,
  name: ErrorPageName,
  error: unknown,
): string {
  const route = request.routeOptions?.url ?? 'an unknown page';
  const text = `${request.method} ${route}: ${status} ${name}, reference ${request.id}: ${explain(error)}`;
  if (status >= 500) log.error(text);
  else log.warn(text);
  return route;
}

/**
 * Our own error messages contain no secret. Other errors may quote input, so only their
 * name and code are logged.
 */
function explain(error: unknown): string {
  if (isCoded(error) || isPageError(error)) return messageOf(error);
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return `${typeof name === 'string' ? name : 'error'}${typeof code === 'string' ? ` ${code}` : ''}`;
}

/** True if the browser has a list that the page can link to. */
async function hasFlow(context: PortalContext, request: FastifyRequest): Promise<boolean> {
  try {
    return (await currentFlow(context, request.session?.flow)) !== undefined;
  } catch (error) {
    // The session store itself may have failed; the page then has no link to the list.
    context.ports.log.error(`cannot read the session: ${explain(error)}`);
    return false;
  }
}

/**
 * Returns a Fastify logger that writes to `log`. Levels below warning are dropped,
 * because they may contain URLs with queries.
 */
export function fastifyLogger(log: Log): FastifyBaseLogger {
  const pass =
    (write: (message: string) => void) =>
    (...args: readonly unknown[]): void => {
      const text = args.find((part) => typeof part === 'string');
      if (text !== undefined) write(text.split('?', 1)[0] ?? '');
    };
  const drop = (): void => undefined;
  const logger: FastifyBaseLogger = {
    level: 'info',
    info: drop,
    warn: pass((text) => log.warn(text)),
    error: pass((text) => log.error(text)),
    fatal: pass((text) => log.error(text)),
    debug: drop,
    trace: drop,
    silent: drop,
    child: () => logger,
  };
  return logger;
}
