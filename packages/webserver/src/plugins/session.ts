// Browser sessions and CSRF tokens. The cookie contains a random id only; all data is on
// the server.
import fastifyCookie, { Signer } from '@fastify/cookie';
import fastifyCsrf from '@fastify/csrf-protection';
import fastifySession, { type SessionStore } from '@fastify/session';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isRecord } from '@credmon/core/base';
import { newSecret, ownerTag, type PortalContext } from '../flow/context.ts';
import { foldFlow } from '../flow/flow.ts';
import type { Settings } from '../settings/settings.ts';
import { dropAnswers, moveAnswers, type BrowserSession } from '../flow/held-answer.ts';

declare module 'fastify' {
  interface Session {
    /** The id of the flow of this browser. */
    flow?: string;
    /**
     * The key of a link of another account that this browser opened; the user is asked
     * which account to use.
     */
    offer?: string;
  }
}

/**
 * The session fields that are kept when the session id changes. `_csrf` is the secret of
 * @fastify/csrf-protection; it keeps forms in other tabs valid.
 */
const KEPT = ['flow', 'offer', '_csrf'];

/**
 * Returns the name and the attributes of the session cookie. The name is `__Host-credmon`
 * if the cookie has Secure, and `credmon` with http on loopback.
 * @see RFC 6265bis, section 4.1.3.2 (the __Host- prefix)
 */
function cookieOf({ secure }: Pick<Settings, 'secure'>) {
  return {
    name: secure ? '__Host-credmon' : 'credmon',
    attributes: { path: '/', httpOnly: true, secure, sameSite: 'lax' as const },
  };
}

/** Registers cookies, sessions and CSRF protection. */
export async function registerSessions(
  app: FastifyInstance,
  context: PortalContext,
  signer: SessionSigner,
): Promise<void> {
  const { settings, ports } = context;
  const { name, attributes } = cookieOf(settings);
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    secret: signer,
    store: ports.sessions,
    cookieName: name,
    cookie: attributes,
    saveUninitialized: false,
    rolling: false,
    idGenerator: (request) => ownerTag(request?.session?.flow) + newSecret(context),
  });
  await app.register(fastifyCsrf, {
    sessionPlugin: '@fastify/session',
    getToken: ({ body }) =>
      isRecord(body) && typeof body['_csrf'] === 'string' ? body['_csrf'] : undefined,
  });
}

/** How many session ids are remembered with their signatures. */
const MOST_SIGNED = 1000;

/**
 * Returns a signer that makes the signature of an id once: it is checked, and made again,
 * for each request otherwise. Of cookies, only valid ones are remembered.
 */
export function rememberingSigner(secret: string): SessionSigner {
  const signer = new Signer(secret);
  const signed = new Map<string, string>();
  const valid = new Map<string, SignedCookie>();
  const remember = <T>(known: Map<string, T>, key: string, value: T): T => {
    if (known.size >= MOST_SIGNED) known.clear();
    known.set(key, value);
    return value;
  };
  return {
    sign: (id) => signed.get(id) ?? remember(signed, id, signer.sign(id)),
    unsign: (cookie) => {
      const known = valid.get(cookie);
      if (known) return known;
      const found = signer.unsign(cookie);
      return found.valid ? remember(valid, cookie, found) : found;
    },
  };
}

type SignedCookie = ReturnType<Signer['unsign']>;
/** Signs session ids, and checks cookies. */
export type SessionSigner = Pick<Signer, 'sign' | 'unsign'>;

/**
 * Stores a session for the new flow of a client that sent no cookie, and returns its
 * Set-Cookie header. @fastify/session does the same, but takes more CPU time.
 * @throws the error of the session store
 */
export async function startFirstSession(
  app: FastifyInstance,
  { settings, ports }: PortalContext,
  signer: SessionSigner,
  flow: string,
): Promise<string> {
  const { name, attributes } = cookieOf(settings);
  const id = ownerTag(flow) + newSecret({ settings, ports });
  const session = { cookie: {}, flow } as Parameters<SessionStore['set']>[1];
  await new Promise<void>((resolve, reject) => {
    ports.sessions.set(id, session, (error: unknown) => (error ? reject(error) : resolve()));
  });
  return app.serializeCookie(name, signer.sign(id), attributes);
}

/** Returns the session of the browser that sent a request. */
export function browserOf({ session }: FastifyRequest): BrowserSession {
  return { flow: session.flow, id: session.sessionId };
}

/** Starts a session for a new flow, and deletes the previous flow of this browser. */
export async function startSession(
  context: PortalContext,
  request: FastifyRequest,
  flow: string,
): Promise<void> {
  const { ports } = context;
  const { flow: before } = request.session;
  request.session.flow = flow;
  // The new id begins with the owner tag of the flow, so the flow must be set first.
  await request.session.regenerate(['flow']);
  if (before === undefined) return;
  await dropAnswers(context, foldFlow(await ports.flows.read(before))?.pending ?? []);
  await ports.flows.remove(before);
}

/**
 * Gives the session a new id after a sign-in and seals its waiting answers with the new
 * id. Does nothing if another request has replaced the session or its list meanwhile: the
 * browser then has the cookie of that request, which must stay valid.
 */
export async function renewSession(context: PortalContext, request: FastifyRequest): Promise<void> {
  const before = browserOf(request);
  if (await isReplaced(context, before.id)) return;
  const flow =
    before.flow === undefined ? undefined : foldFlow(await context.ports.flows.read(before.flow));
  if (before.flow !== undefined && !flow) return;
  await request.session.regenerate(KEPT);
  if (flow) await moveAnswers(context, flow, before, browserOf(request));
}

/** True if the session has ended since the request began. */
function isReplaced({ ports }: PortalContext, id: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    ports.sessions.get(id, (error, session) => {
      if (error) reject(error);
      else resolve(!session);
    });
  });
}
