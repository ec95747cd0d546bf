// Answers each error with a page and logs it as one line.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isCoded, messageOf } from '@credmon/core/base';
import { currentFlow, type PortalContext } from '../flow/context.ts';
import { sendPage } from '../pages/send-page.ts';
import { rightAddress } from './host.ts';
import { isPageError, pageError, pageFor } from '../pages/page-error.ts';

/** Sets the handlers for errors and unknown pages. */
export function registerErrors(app: FastifyInstance, context: PortalContext): void {
  app.setErrorHandler((error, request, reply) => sendError(context, request, reply, error));
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) =>
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
  return sendPage(context, reply, 'error', page.status, {
    ...page,
    name,
    detail,
    address: name === 'wrong-host' ? rightAddress(context, request) : undefined,
    reference: request.id,
    hasList:
      route.replace(/\/$/, '') !== context.settings.mount && (await hasFlow(context, request)),
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
