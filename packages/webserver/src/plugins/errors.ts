// Answers each error with a page and logs it as one line; adapts our log to Fastify: only
// the texts of warnings and errors are logged, not the objects, which contain whole
// requests.
import { type PortalContext, currentFlow } from '../flow/context.ts';
import { isPageError, pageError, pageFor } from '../pages/page-error.ts';
import { sendPage, sendPrepared } from '../pages/send-page.ts';
import { rightAddress } from './host.ts';
import { isCoded, messageOf } from '@credmon/core/base';
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

/** Sends the page of an error. Query, headers and body of the request are not logged. */
export async function sendError(
  context: PortalContext,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): Promise<FastifyReply> {
  const { name, page, detail } = pageFor(error);
  const route = request.routeOptions?.url ?? 'an unknown page';
  const text = `${request.method} ${route}: ${page.status} ${name}, reference ${request.id}: ${explain(error)}`;
  if (page.status >= 500) context.ports.log.error(text);
  else context.ports.log.warn(text);
  const hasList =
    route.replace(/\/$/, '') !== context.settings.mount && (await hasFlow(context, request));
  const data = { ...page, name, hasList };
  if (detail === undefined && name !== 'wrong-host')
    return sendPrepared(context, reply, 'error', page.status, data, request.id);
  return sendPage(context, reply, 'error', page.status, {
    ...data,
    detail,
    address: name === 'wrong-host' ? rightAddress(context, request) : undefined,
    reference: request.id,
  });
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
