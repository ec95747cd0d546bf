// The one way to the network: an HTTP exchange with bounds on connect, whole time and size, and no redirects.
import { Agent, request as undiciRequest, type Dispatcher } from 'undici';
import { CodedError, messageOf, systemCode } from './errors.ts';

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

/** Bounds of one exchange: seconds to connect, seconds for the whole exchange, bytes of body; `ca` is PEM text added to the system's roots. */
export interface SendLimits {
  readonly connectSeconds: number;
  readonly totalSeconds: number;
  readonly maxBodyBytes: number;
  readonly ca?: string | readonly string[];
}

/** The bounds of requirement R2: 5 s, 15 s, 1 MiB. */
export const DEFAULT_SEND_LIMITS: SendLimits = {
  connectSeconds: 5,
  totalSeconds: 15,
  maxBodyBytes: 1024 * 1024,
};

/** A {@link Send} over kept-alive connections, and `close`, which ends them. */
export function createSend(limits: SendLimits = DEFAULT_SEND_LIMITS): {
  send: Send;
  close: () => Promise<void>;
} {
  const agent = new Agent({
    connect: {
      timeout: limits.connectSeconds * 1000,
      ...(limits.ca === undefined ? {} : { ca: typeof limits.ca === 'string' ? limits.ca : [...limits.ca] }),
    },
    headersTimeout: limits.totalSeconds * 1000,
    bodyTimeout: limits.totalSeconds * 1000,
    keepAliveTimeout: 10_000,
    connections: 64,
  });
  return { send: (request) => exchange(agent, limits, request), close: () => agent.close() };
}

async function exchange(agent: Dispatcher, limits: SendLimits, request: HttpRequest): Promise<HttpResponse> {
  const timeout = AbortSignal.timeout(limits.totalSeconds * 1000);
  const signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout;
  const where = originOf(request.url);
  try {
    const response = await undiciRequest(request.url, {
      dispatcher: agent,
      method: request.method,
      headers: { ...request.headers },
      body: request.body ?? null,
      signal,
    });
    const body = await readCapped(response.body, limits.maxBodyBytes, where);
    return { status: response.statusCode, headers: flatten(response.headers), body };
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const reason = timeout.aborted
      ? `no answer within ${limits.totalSeconds} s`
      : (systemCode(error) ?? messageOf(error));
    throw new CodedError('ISSUER_UNREACHABLE', `${where}: ${reason}`, { where, reason }, error);
  }
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
