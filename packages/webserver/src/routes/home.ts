// GET /: the list of requested tokens, their local account, and a sign-in button for
// each.
import type { FastifyInstance } from 'fastify';
import { isCoded } from '@credmon/core/base';
import { signInOrigins } from '../flow/resolve-provider.ts';
import { currentFlow, newSecret, type PortalContext, tagOf } from '../flow/context.ts';
import { isComplete, openAnswers } from '../flow/flow.ts';
import { nameRefusal } from '../flow/check-answer.ts';
import { readRequest, readTokenRequests } from '../flow/read-request.ts';
import { type PreparedPage, rememberPages, sendPrepared } from '../pages/send-page.ts';
import { tokenCard } from '../pages/token-card.ts';
import { requireOwner } from '../plugins/host.ts';
import { sendErrorBare } from '../plugins/errors.ts';
import { allowFormsTo, headerList } from '../plugins/headers.ts';
import { KEY_ROUTE } from './key.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The tag of the user whose link a client without a cookie opens. */
    owner: string | undefined;
  }
}

/**
 * Answers what needs no session to a client that sends no cookie, and so has no list: the
 * start page, and a key link whose file is missing. Comes before the plugins of sessions.
 */
export function answerStrangers(app: FastifyInstance, context: PortalContext): void {
  const { mount } = context.settings;
  const headers = headerList(context.settings);
  app.decorateRequest('owner', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.cookie !== undefined) return done();
    if (request.method !== 'GET' && request.method !== 'HEAD') return done();
    // No route has an empty pattern: that of an unknown page is undefined.
    const { url = '' } = request.routeOptions;
    if (url === `${mount}/` || (url !== '' && url === mount)) {
      sendPrepared(context, reply, NO_LIST);
      return undefined;
    }
    if (url !== `${mount}${KEY_ROUTE}`) return done();
    const { key } = request.params as { readonly key: string };
    const error = context.ports.files.whyMissing(key);
    if (!error) {
      request.owner = ownerOf(context, key);
      return done();
    }
    sendErrorBare(context, request, reply, error, headers);
    return undefined;
  });
}

/** Returns the tag of the user of a key link; `undefined` if opening it gives an error. */
function ownerOf(context: PortalContext, key: string): string | undefined {
  try {
    return tagOf(readRequest(context, key).localUser);
  } catch (error) {
    if (isCoded(error)) return undefined;
    throw error;
  }
}

const NO_LIST: PreparedPage = { page: 'home', status: 200, key: 'home', data: { tokens: [] } };

/** Adds `GET /`. */
export function homeRoute(app: FastifyInstance, context: PortalContext): void {
  const sendList = rememberPages(context, 'home', newSecret(context));
  app.get('/', async (request, reply) => {
    const flow = await currentFlow(context, request.session.flow);
    if (!flow) return sendPrepared(context, reply, NO_LIST);
    requireOwner(context, request, flow.localUser);
    const requests = readTokenRequests(context, flow);
    allowFormsTo(
      reply,
      [...requests.values()].flatMap((asked) => signInOrigins(context.settings, asked)),
    );
    const open = openAnswers(flow, context.ports.clock.now(), context.settings.loginSeconds);
    const data = {
      localUser: flow.localUser,
      tokens: flow.tokens.map((token) =>
        tokenCard(
          context.settings,
          token,
          requests.get(token.stem),
          nameRefusal(context.settings, token),
          open,
        ),
      ),
      complete: isComplete(flow),
    };
    return sendList(reply, data, reply.generateCsrf());
  });
}
