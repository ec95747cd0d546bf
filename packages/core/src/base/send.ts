// The one way to the network: an HTTP exchange with bounds on connect, whole time and size, and no redirects.
import { createSecureContext, rootCertificates } from 'node:tls';
import { Agent, request as undiciRequest, type Dispatcher } from 'undici';
import { sharedLookup, trueLocalhost } from './lookup.ts';
import { CodedError, messageOf, systemCode } from './errors.ts';
import { createGate, type Gate } from './gate.ts';

/** An HTTP request. `headers` have lower-case names. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** An HTTP answer, read whole. `headers` have lower-case names. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Sends one request and reads the whole answer. Any status is an answer, redirects included: they are never followed.
 * @throws CodedError `ISSUER_UNREACHABLE` on network errors and time-outs, `ISSUER_ANSWER_INVALID` when the body is over the cap.
 */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

/**
 * Bounds of one exchange: seconds to connect, seconds for the whole exchange, bytes of body; `ca` is PEM text believed beside the usual
 * roots, or instead of them with `onlyCa`. Of a host with several addresses the next one is tried after `addressSeconds`.
 */
export interface SendLimits {
  readonly connectSeconds: number;
  readonly totalSeconds: number;
  readonly maxBodyBytes: number;
  readonly ca?: string | readonly string[];
  readonly onlyCa?: boolean;
  readonly addressSeconds?: number;
}

/** The bounds of requirement R2: 5 s, 15 s, 1 MiB. */
export const DEFAULT_SEND_LIMITS: SendLimits = {
  connectSeconds: 5,
  totalSeconds: 15,
  maxBodyBytes: 1024 * 1024,
};

/** So many connections at a time to one server. */
const CONNECTIONS = 64;

/** A {@link Send} over kept-alive connections, and `close`, which ends them. */
export function createSend(limits: SendLimits = DEFAULT_SEND_LIMITS): {
  send: Send;
  close: () => Promise<void>;
} {
  const agent = new Agent({
    connect: {
      lookup: trueLocalhost(sharedLookup()),
      timeout: limits.connectSeconds * 1000,
      // Made once: parsing all roots again for each connection would cost milliseconds.
      ...(limits.ca === undefined
        ? {}
        : { secureContext: createSecureContext({ ca: rootsOf(limits.ca, limits.onlyCa) }) }),
    },
    ...(limits.addressSeconds === undefined
      ? {}
      : { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: limits.addressSeconds * 1000 }),
    headersTimeout: limits.totalSeconds * 1000,
    bodyTimeout: limits.totalSeconds * 1000,
    keepAliveTimeout: 10_000,
    connections: CONNECTIONS,
  });
  const gate = createGate(CONNECTIONS);
  return { send: (request) => behindGate(gate, agent, limits, request), close: () => agent.close() };
}

/** Waiting for one of a server's connections is not the server's time: it counts only from then. */
async function behindGate(
  gate: Gate,
  agent: Dispatcher,
  limits: SendLimits,
  request: HttpRequest,
): Promise<HttpResponse> {
  const where = originOf(request.url);
  await gate.enter(where, request.signal);
  try {
    return await exchange(agent, limits, request);
  } finally {
    gate.leave(where);
  }
}

function rootsOf(ca: string | readonly string[], only = false): string[] {
  return only ? [ca].flat() : trustedRoots(ca);
}

/** The certificates to believe when the administrator names own ones: a list given to TLS replaces the usual roots, so they are in it. */
export function trustedRoots(ca: string | readonly string[]): string[] {
  return [...rootCertificates, ...(typeof ca === 'string' ? [ca] : ca)];
}

async function exchange(agent: Dispatcher, limits: SendLimits, request: HttpRequest): Promise<HttpResponse> {
  // AbortSignal.any would leave a trace in a long-lived signal at every request.
  const abort = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abort.abort();
  }, limits.totalSeconds * 1000);
  const forward = (): void => abort.abort();
  request.signal?.addEventListener('abort', forward, { once: true });
  if (request.signal?.aborted) forward();
  const where = originOf(request.url);
  try {
    const response = await undiciRequest(request.url, {
      dispatcher: agent,
      method: request.method,
      headers: { ...request.headers },
      body: request.body ?? null,
      signal: abort.signal,
    });
    const body = await readCapped(response.body, limits.maxBodyBytes, where);
    return { status: response.statusCode, headers: flatten(response.headers), body };
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const reason = late
      ? `no answer within ${limits.totalSeconds} s`
      : (systemCode(error) ?? messageOf(error));
    throw new CodedError(
      'ISSUER_UNREACHABLE',
      `cannot reach ${where}: ${reason}`,
      { where, reason },
      withoutData(error),
    );
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', forward);
  }
}

/** The network library hangs what it could not parse of an answer on its errors: only message and code go on. */
function withoutData(error: unknown): Error {
  const plain = new Error(messageOf(error));
  const code = systemCode(error);
  return code === undefined ? plain : Object.assign(plain, { code });
}

async function readCapped(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
  cap: number,
  where: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > cap) {
      body.destroy();
      throw new CodedError('ISSUER_ANSWER_INVALID', `${where}: the answer is larger than ${cap} bytes`, {
        where,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

/** The part of a URL that may be logged: its origin, without path, query or user information. */
export function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'an invalid URL';
}
