// GET /: the list of requested tokens, their local account, and a sign-in button for
// each.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { signInOrigins } from '../flow/resolve-provider.ts';
import { currentFlow, newSecret, type PortalContext } from '../flow/context.ts';
import { isComplete, openAnswers } from '../flow/flow.ts';
import { nameRefusal } from '../flow/check-answer.ts';
import { openFirstKey, KEY_ROUTE } from './key.ts';
import { readTokenRequests } from '../flow/read-request.ts';
import {
  type PreparedPage,
  rememberPages,
  sendBareRedirect,
  sendPrepared,
} from '../pages/send-page.ts';
import { tokenCard } from '../pages/token-card.ts';
import { requireOwner } from '../plugins/host.ts';
import { bareHeaders, sendErrorBare } from '../plugins/errors.ts';
import { allowFormsTo, headerList } from '../plugins/security-headers.ts';
import { type SessionSigner, startFirstSession } from '../plugins/session.ts';

/**
 * Answers requests for the start page and for key links from a client that sends no
 * cookie: it has no session and no list. Must be registered before the plugins of
 * sessions.
 */
export function answerStrangers(
  app: FastifyInstance,
  context: PortalContext,
  signer: SessionSigner,
): void {
  const { mount } = context.settings;
  const headers = headerList(context.settings);
  const open = async (
    request: FastifyRequest,
    reply: FastifyReply,
    key: string,
    fail: (error: FastifyError) => void,
  ): Promise<void> => {
    let cookie: string;
    try {
      const flow = await openFirstKey(context, key, (localUser) =>
        requireOwner(context, request, localUser),
      );
      cookie = await startFirstSession(app, context, signer, flow);
    } catch (error) {
      fail(error as FastifyError);
      return;
    }
    sendBareRedirect(reply, `${mount}/`, [...bareHeaders(reply, headers), 'set-cookie', cookie]);
  };
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
    if (error) sendErrorBare(context, request, reply, error, headers);
    else void open(request, reply, key, done);
    return undefined;
  });
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
