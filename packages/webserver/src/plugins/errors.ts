// Turns every failure into an explained page and one line in the log.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isCoded, messageOf } from '@credmon/core/base';
import { currentFlow, type PortalContext } from '../flow/context.ts';
import { sendPage } from '../pages/send-page.ts';
import { rightAddress } from './host.ts';
import { pageError, pageFor } from '../pages/page-error.ts';

/** Sets the handlers for errors and unknown pages. */
export function registerErrors(app: FastifyInstance, context: PortalContext): void {
  app.setErrorHandler((error, request, reply) => sendError(context, request, reply, error));
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) =>
    sendError(context, request, reply, pageError('no-such-page')),
  );
}

/**
 * Answers with the page of an error; nothing of the request's query, headers or body is
 * logged.
 */
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
    ...(detail === undefined ? {} : { detail }),
    ...(name === 'wrong-host' ? { address: rightAddress(context, request) } : {}),
    reference: request.id,
    hasList:
      route.replace(/\/$/, '') !== context.settings.mount && (await hasFlow(context, request)),
  });
}

/**
 * Messages of our own errors are free of secrets; of others only the kind is told,
 * because they may quote input.
 */
function explain(error: unknown): string {
  if (isCoded(error)) return messageOf(error);
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return `${typeof name === 'string' ? name : 'error'}${typeof code === 'string' ? ` ${code}` : ''}`;
}

/** False for the list's own page, which would only lead back to what failed. */
async function hasFlow(context: PortalContext, request: FastifyRequest): Promise<boolean> {
  try {
    return (await currentFlow(context, request.session?.flow)) !== undefined;
  } catch (error) {
    // The store of sessions itself may be what failed; the page then offers no way back
    // to the list.
    context.ports.log.error(`cannot read the session: ${explain(error)}`);
    return false;
  }
}
