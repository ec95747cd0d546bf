// What the portal serves without a session: health pages, public keys, assets, and the
// answer to the check of the proxy.
//
// An answer whose bytes are known before the request: with an ETag, and 304 for a client
// that has it.
import { PROOF_PATH, makeAnswer, readQuestion } from '../check/proxy-config.ts';
import type { PortalContext } from '../flow/context.ts';
import { pageError } from '../pages/send-page.ts';
import { read } from './key.ts';
import { CodedError } from '@credmon/core/base';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type JWK, exportJWK } from 'jose';
import { createHash, createPublicKey } from 'node:crypto';
import { z } from 'zod';

/**
 * How long an answer of /readyz is reused, in seconds: each check writes to the session
 * store, and /readyz is public.
 */
const REPEAT_SECONDS = 5;

/**
 * Adds both routes. They return 200 or 503 and a short JSON object without paths and
 * secrets.
 */
export function healthRoutes(app: FastifyInstance, { ports }: PortalContext): void {
  const options = { config: { plain: true, rateLimit: false as const } };
  app.get('/healthz', options, (_request, reply) => {
    const busy = app.isUnderPressure();
    return reply.code(busy ? 503 : 200).send({ status: busy ? 'busy' : 'ok' });
  });
  let known: { readonly at: number; readonly reasons: Promise<readonly string[]> } | undefined;
  app.get('/readyz', options, async (_request, reply) => {
    const now = ports.clock.now();
    if (!known || Math.abs(now - known.at) >= REPEAT_SECONDS)
      known = { at: now, reasons: ports.whyNotReady() };
    const reasons = await known.reasons;
    return reply
      .code(reasons.length === 0 ? 200 : 503)
      .send(reasons.length === 0 ? { ready: true } : { ready: false, reasons });
  });
}

/** Cache lifetime of assets, in seconds. */
const ASSET_SECONDS = 3600;

/** Adds /style.css and /icon.svg. */
export function assetRoutes(app: FastifyInstance, { ports }: PortalContext): void {
  const options = { config: { anyHost: true } };
  const { styleSheet, icon } = ports.views;
  const style = fixedAnswer('text/css; charset=utf-8', styleSheet, ASSET_SECONDS);
  const image = fixedAnswer('image/svg+xml', icon, ASSET_SECONDS);
  app.get('/style.css', options, (request, reply) => sendFixed(request, reply, style));
  app.get('/icon.svg', options, (request, reply) => sendFixed(request, reply, image));
}

// /.well-known/...: the public keys for verifiers of locally issued tokens.

/** Cache lifetime of the answers, in seconds. */
const CACHE_SECONDS = 300;

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Adds openid-configuration and jwks-uri. The files are looked at for each request, so that
 * a new key is published at once; the answer is made again when a text has changed.
 * @see OpenID Connect Discovery 1.0, section 4; RFC 7517
 */
export function wellKnownRoutes(app: FastifyInstance, { settings, ports }: PortalContext): void {
  const { issuer, keyId } = settings.localIssuer;
  const options = { config: { plain: true } };
  const metadata = { issuer, jwks_uri: `${settings.prefix}/.well-known/jwks-uri` };
  const discovery = fixedAnswer(JSON_TYPE, JSON.stringify(metadata), CACHE_SECONDS);
  app.get('/.well-known/openid-configuration', options, (request, reply) =>
    sendFixed(request, reply, discovery),
  );
  let known:
    { readonly of: readonly (string | undefined)[]; readonly answer: FixedAnswer } | undefined;
  app.get('/.well-known/jwks-uri', options, async (request, reply) => {
    const sets = ports.readKeySets();
    const pem = ports.readPublicKey();
    const texts = [pem, ...sets];
    const { of = [] } = known ?? {};
    if (!known || of.length !== texts.length || texts.some((text, at) => text !== of[at])) {
      const keys = await publicKeySet({ sets, pem, keyId });
      const answer = fixedAnswer(JSON_TYPE, JSON.stringify({ keys }), CACHE_SECONDS);
      known = { of: texts, answer };
    }
    return sendFixed(request, reply, known.answer);
  });
}

const Params = z.object({ token: z.string() });

/**
 * Adds the route. It returns 404 if the question was not made with the cookie key, has
 * expired, or was answered before.
 */
export function proxyCheckRoute(app: FastifyInstance, { settings, ports }: PortalContext): void {
  const { remoteUser } = settings;
  const answered = new Map<string, number>();
  const options = { config: { plain: true, anyHost: true }, exposeHeadRoute: false };
  app.get(`${PROOF_PATH}/:token`, options, (request, reply) => {
    const { token } = read(Params, request.params);
    const now = ports.clock.now();
    const question = readQuestion(ports.cookieSecret, token, now);
    if (!remoteUser || !question || answered.has(token)) throw pageError('no-such-page');
    for (const [old, expiresAt] of answered) if (expiresAt <= now) answered.delete(old);
    answered.set(token, question.expiresAt);
    const values = [request.headers[remoteUser.header] ?? ''].flat().join(',');
    return reply.send(makeAnswer(ports.cookieSecret, token, values.includes(question.forged)));
  });
}

/**
 * The members of a public JWK. Only these are copied, so that no private member is
 * published.
 */
const MEMBERS = ['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e'] as const;

/**
 * The sources of the keys: texts of key sets, and the PEM text, if any, with its key id.
 */
export interface PublicKeyTexts {
  readonly sets: readonly string[];
  readonly pem: string | undefined;
  readonly keyId: string;
}

/**
 * Returns all keys, those of the directories first. A key that occurs twice with the same
 * name is listed once; different keys with the same name are both listed.
 * @throws CodedError `CRED_FILE_IO` if a text is invalid or there is no key
 */
export async function publicKeySet({ sets, pem, keyId }: PublicKeyTexts): Promise<readonly JWK[]> {
  const keys = [
    ...sets.flatMap(keysIn),
    ...(pem === undefined ? [] : [await publicJwk(pem, keyId)]),
  ];
  if (keys.length === 0)
    throw unusable(
      'no public key found: neither in a key directory nor in LOCAL_CREDMON_PUBLIC_KEY',
    );
  return [...new Map(keys.map((key) => [identity(key), key])).values()];
}

/**
 * Converts a PEM public key to a JWK.
 * @throws CodedError `CRED_FILE_IO` if it is not a public key, or a key of a type that
 * does not sign tokens
 */
async function publicJwk(pem: string, keyId: string): Promise<JWK> {
  let jwk: JWK;
  try {
    jwk = await exportJWK(createPublicKey(pem));
  } catch (error) {
    throw unusable('LOCAL_CREDMON_PUBLIC_KEY is not a public key in PEM format', error);
  }
  const algorithm = jwk['kty'] === 'RSA' ? 'RS256' : jwk['crv'] === 'P-256' ? 'ES256' : undefined;
  if (algorithm === undefined)
    throw unusable('LOCAL_CREDMON_PUBLIC_KEY is neither an RSA nor a P-256 key');
  return { ...jwk, kid: keyId, alg: algorithm, use: 'sig' };
}

function keysIn(text: string): JWK[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch (error) {
    throw notASet(error);
  }
  const keys = isObject(set) ? set['keys'] : undefined;
  if (!Array.isArray(keys)) throw notASet();
  return keys.map((key: unknown) => {
    if (!isObject(key) || typeof key['kty'] !== 'string') throw notASet();
    const members = MEMBERS.flatMap((name) =>
      typeof key[name] === 'string' ? [[name, key[name]]] : [],
    );
    return Object.fromEntries(members) as JWK;
  });
}

/** Ignores `use`, because not all writers set it. */
function identity(key: JWK): string {
  return JSON.stringify(MEMBERS.filter((name) => name !== 'use').map((name) => key[name] ?? ''));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notASet(cause?: unknown): CodedError {
  return unusable(
    'the jwks.json of a key directory is not a key set; fix: run condor_credmon keys publish',
    cause,
  );
}

function unusable(what: string, cause?: unknown): CodedError {
  return new CodedError('CRED_FILE_IO', what, {}, cause);
}

/** The text of an answer, its type, its entity tag, and how long caches may keep it. */
export interface FixedAnswer {
  readonly text: string;
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
}

/** Prepares an answer that public caches may keep for `seconds`. */
export function fixedAnswer(type: string, text: string, seconds: number): FixedAnswer {
  const digest = createHash('sha256').update(text).digest('base64url');
  return { text, type, etag: `"${digest}"`, cacheControl: `public, max-age=${seconds}` };
}

/**
 * Sends the answer, or 304 without a body if the client has it.
 * @see RFC 9110, sections 13.1.2 (If-None-Match) and 15.4.5 (304)
 */
export function sendFixed(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  { text, type, etag, cacheControl }: FixedAnswer,
): FastifyReply {
  reply.header('etag', etag).header('cache-control', cacheControl);
  const known = headers['if-none-match'];
  if (known !== undefined && hasTag(known, etag)) return reply.code(304).send();
  return reply.header('content-type', type).send(text);
}

/** The comparison is the weak one, as the RFC demands for If-None-Match. */
function hasTag(header: string, etag: string): boolean {
  if (header === etag || header.trim() === '*') return true;
  return header.split(',').some((part) => part.trim().replace(/^W\//, '') === etag);
}
