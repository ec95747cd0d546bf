// The list of requested tokens, and the links of condor_submit that open it. GET / shows the
// tokens, their local account, and a sign-in button for each. GET /key/<64 hex> creates a
// flow for the local user and the tokens of the key file, opens a session and redirects, so
// that the key does not stay in the address bar; /switch asks when the browser opened a link
// of another account, and a POST with a CSRF token selects one.
import { nameRefusal } from '../flow/check-answer.ts';
import {
  type PortalContext,
  currentFlow,
  hasLiveLogins,
  newFlowId,
  newSecret,
} from '../flow/context.ts';
import type { Flow } from '../flow/flow-value.ts';
import { MAX_LOGINS, isComplete, loginCount, openAnswers } from '../flow/flow.ts';
import { readRequest, readTokenRequests } from '../flow/read-request.ts';
import { signInOrigins } from '../flow/resolve-provider.ts';
import {
  type PreparedPage,
  pageError,
  rememberPages,
  sendBareRedirect,
  sendPage,
  sendPrepared,
} from '../pages/send-page.ts';
import { tokenCard } from '../pages/token-card.ts';
import { bareHeaders, sendErrorBare } from '../plugins/errors.ts';
import { requireOwner } from '../plugins/host.ts';
import { allowFormsTo, headerList } from '../plugins/security.ts';
import {
  type SessionSigner,
  renewSession,
  startFirstSession,
  startSession,
} from '../plugins/session.ts';
import { CodedError, isCoded } from '@credmon/core/base';
import { type CredentialRequest, KEY_FILE_NAME } from '@credmon/core/credential';
import type {
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preHandlerHookHandler,
} from 'fastify';
import { createHash } from 'node:crypto';
import { type ZodType, z } from 'zod';

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

const params = z.object({ key: z.string() });

/** The pattern of key links. */
export const KEY_ROUTE = '/key/:key';

/** Adds `GET /key/:key`. */
export function keyRoute(app: FastifyInstance, context: PortalContext): void {
  app.get(KEY_ROUTE, { exposeHeadRoute: false }, async (request, reply) => {
    const { key } = read(params, request.params);
    const current = await currentFlow(context, request.session.flow);
    if (isAnotherAccount(context, key, current)) {
      request.session.offer = key;
      return reply.redirect(`${context.settings.mount}/switch`, 303);
    }
    const flow = await openKey(context, key, current, (localUser) =>
      requireOwner(context, request, localUser),
    );
    if (flow !== undefined) await startSession(context, request, flow);
    // A login that is still in progress needs the old session id: its answer will be
    // sealed with that id.
    else if (!hasLiveLogins(context, current)) await renewSession(context, request);
    return reply.redirect(`${context.settings.mount}/`, 303);
  });
}

/**
 * Parses a value with a schema.
 * @throws an error that is shown as the page `bad-request`
 */
export function read<T>(schema: ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw pageError('bad-request');
}

const body = z.object({ offer: z.string(), keep: z.enum(['open', 'offered']) });

/** Adds both routes. */
export function switchRoutes(app: FastifyInstance, context: PortalContext): void {
  const toList = (reply: FastifyReply): FastifyReply =>
    reply.redirect(`${context.settings.mount}/`, 303);
  app.get('/switch', { exposeHeadRoute: false }, async (request, reply) => {
    const { offer } = request.session;
    const flow = await currentFlow(context, request.session.flow);
    if (offer === undefined || !flow) return toList(reply);
    requireOwner(context, request, flow.localUser);
    const data = {
      localUser: flow.localUser,
      offered: readRequest(context, offer).localUser,
      offer: nameOf(offer),
    };
    return sendPage(context, reply, 'switch', 200, { ...data, csrf: reply.generateCsrf() });
  });
  const preHandler: preHandlerHookHandler = (request, reply, done) =>
    app.csrfProtection(request, reply, done);
  app.post('/switch', { preHandler }, async (request, reply) => {
    const { offer, keep } = read(body, request.body);
    const { offer: key } = request.session;
    // Another link may have been opened since the page was shown; the button must not
    // open that one.
    if (key === undefined || nameOf(key) !== offer) throw pageError('form-expired');
    if (keep === 'offered') {
      const flow = await openKey(context, key, undefined, (localUser) =>
        requireOwner(context, request, localUser),
      );
      if (flow !== undefined) await startSession(context, request, flow);
    }
    delete request.session.offer;
    return toList(reply);
  });
}

/**
 * True if opening the link of `key` would replace `current` by the list of another
 * account. With REMOTE_USER no question is needed.
 */
export function isAnotherAccount(
  context: PortalContext,
  key: string,
  current: Flow | undefined,
): boolean {
  if (!current || context.settings.remoteUser || !KEY_FILE_NAME.test(key)) return false;
  try {
    return readRequest(context, key).localUser !== current.localUser;
  } catch (error) {
    // Opening the link reports the problem, or that the list is complete.
    if (isCoded(error)) return false;
    throw error;
  }
}

/**
 * Returns a digest of the key for use in a form: the key itself must not appear in a
 * page.
 */
function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}

/**
 * Reads the key file and creates a flow. If `current`, the flow of this browser,
 * has the same key, it is used instead, so that its logins in progress can finish.
 * @param requireOwner throws if the requesting user is not this local user
 * @returns the id of the new flow, to be stored only in the session; `undefined` to
 * continue with `current`
 * @throws CodedError `KEY_FILE_MISSING`, `KEY_FILE_INVALID`, `CRED_FILE_IO`,
 * `SESSION_STORE_FULL`
 */
export async function openKey(
  context: PortalContext,
  key: string,
  current: Flow | undefined,
  requireOwner: (localUser: string) => void,
): Promise<string | undefined> {
  checkName(key);
  const request = readOpenRequest(context, key, current);
  const { localUser } = request ?? current ?? { localUser: '' };
  requireOwner(localUser);
  if (request === undefined || (current && canContinue(current, key, request))) return undefined;
  return createFlow(context, key, request);
}

/**
 * Reads the key file and creates a flow, for a browser without one.
 * @param requireOwner throws if the requesting user is not this local user
 * @returns the id of the new flow, to be stored only in the session
 * @throws as {@link openKey}
 */
export async function openFirstKey(
  context: PortalContext,
  key: string,
  requireOwner: (localUser: string) => void,
): Promise<string> {
  checkName(key);
  const request = readRequest(context, key);
  requireOwner(request.localUser);
  return createFlow(context, key, request);
}

function checkName(key: string): void {
  if (!KEY_FILE_NAME.test(key))
    throw new CodedError('KEY_FILE_MISSING', 'the link does not contain a key of 64 hex digits');
}

async function createFlow(
  context: PortalContext,
  key: string,
  request: CredentialRequest,
): Promise<string> {
  const { ports } = context;
  const { localUser } = request;
  const id = newFlowId(context, localUser);
  const tokens = request.requests.map(({ provider, handle }) => ({ provider, handle }));
  await ports.flows.append(id, { type: 'opened', at: ports.clock.now(), key, localUser, tokens });
  ports.log.info(
    `key file opened for ${localUser}: ${request.requests.map(({ stem }) => stem).join(', ')}`,
  );
  return id;
}

/**
 * Reads the request; `undefined` if the current flow is complete and the key file was
 * removed.
 */
function readOpenRequest(
  context: PortalContext,
  key: string,
  current: Flow | undefined,
): CredentialRequest | undefined {
  try {
    return readRequest(context, key);
  } catch (error) {
    if (isCoded(error, 'KEY_FILE_MISSING') && current?.key === key && isComplete(current))
      return undefined;
    throw error;
  }
}

/** True if a flow has the same key, user and tokens, and can start more logins. */
function canContinue(flow: Flow, key: string, { localUser, requests }: CredentialRequest): boolean {
  return (
    flow.key === key &&
    flow.localUser === localUser &&
    flow.tokens.map(({ stem }) => stem).join() === requests.map(({ stem }) => stem).join() &&
    loginCount(flow) < MAX_LOGINS
  );
}
