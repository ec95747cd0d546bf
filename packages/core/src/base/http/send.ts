// The only HTTP client: an exchange with limits on connect time, total time and size, and
// without redirects.
import { rootCertificates } from 'node:tls';
import type { Agents, Arrived } from './agents.ts';
import { afterAwake } from '../time/clock.ts';
import { CodedError, messageOf, systemCode } from '../errors/errors.ts';
import { networkErrorText, serverOf } from './network-errors.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';
import { TlsRefusal } from './tls-refusal.ts';
import type { Trust } from './trust.ts';

/** An HTTP request. `headers` have lower-case names. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly late?: LateAnswer;
  /**
   * Bytes of a 2xx or 5xx response that are read although it is over the size limit. The
   * received part is also returned if the connection breaks or the time-out expires. See
   * {@link HttpResponse.refused}.
   */
  readonly readRefused?: number | undefined;
}

/**
 * What an exchange does after its time-out: it calls `began` once, releases its
 * connection slot, and waits `seconds` more for the response. With 0 seconds it ends at
 * the time-out, as without this option.
 */
export interface LateAnswer {
  readonly seconds: number;
  readonly began: (error: CodedError) => void;
}

/**
 * A complete HTTP response. `headers` have lower-case names. `refused` is the error of a
 * response read with {@link HttpRequest.readRefused} that is over the limit or
 * incomplete: the caller saves what must not be lost and then throws it. `isCut` is true
 * for an incomplete response: `body` is the received part.
 */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly refused?: CodedError | undefined;
  readonly isCut?: boolean;
}

/**
 * Sends one request and reads the whole response. Any status is returned; redirects are
 * never followed.
 * @throws CodedError `ISSUER_UNREACHABLE` on network errors and time-outs,
 * `ISSUER_ANSWER_INVALID` when the body is over the limit
 */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

/**
 * Limits of one exchange: seconds to connect, seconds for the whole exchange, bytes of
 * body. Certificates are verified by `trust`, default {@link systemTrust}. `ca` is PEM
 * text that is trusted in addition to Node's own list, or alone with `onlyCa`; it
 * replaces `trust`. If a host has several addresses, the next one is tried after
 * `addressSeconds`. `connections`: the most connections to one server, if more than 64.
 */
export interface SendLimits {
  readonly connectSeconds: number;
  readonly totalSeconds: number;
  readonly maxBodyBytes: number;
  readonly trust?: Trust;
  readonly ca?: string | readonly string[];
  readonly onlyCa?: boolean;
  readonly addressSeconds?: number;
  readonly connections?: number;
}

/** The limits of requirement R2: 5 s, 15 s, 1 MiB. */
export const DEFAULT_SEND_LIMITS: SendLimits = {
  connectSeconds: 5,
  totalSeconds: 15,
  maxBodyBytes: 1024 * 1024,
};

/** Maximum number of concurrent connections to one server, unless the caller needs more. */
const CONNECTIONS = 64;

/** Creates a {@link Send} over kept-alive connections, and `close`, which ends them. */
export function createSend(limits: SendLimits = DEFAULT_SEND_LIMITS): {
  send: Send;
  close: () => Promise<void>;
} {
  const { ca, onlyCa, connections = 0 } = limits;
  // Loaded with the first request: commands that send none start faster.
  let client: Promise<Agents> | undefined;
  const load = async (): Promise<Agents> => {
    const { createAgents } = await import('./agents.ts');
    return createAgents(ca === undefined ? limits : { ...limits, fixed: rootsOf(ca, onlyCa) });
  };
  const semaphore = createSemaphore(Math.max(CONNECTIONS, connections));
  const running = new Set<Promise<unknown>>();
  return {
    send: (request) => {
      const answer = sendInTurn(semaphore, (client ??= load()), limits, request);
      running.add(answer);
      const forget = (): void => void running.delete(answer);
      answer.then(forget, forget);
      return answer;
    },
    // Requests that wait for a connection are still sent: a closed agent would fail them
    // as unreachable.
    close: async () => {
      await Promise.allSettled(running);
      await (await client)?.close();
    },
  };
}

/** The time-out starts when a connection slot is free, so the wait is not counted. */
async function sendInTurn(
  semaphore: Semaphore,
  client: Promise<Agents>,
  limits: SendLimits,
  request: HttpRequest,
): Promise<HttpResponse> {
  const where = originOf(request.url);
  await semaphore.acquire(where, request.signal);
  let inside = true;
  const leave = (): void => {
    if (inside) semaphore.release(where);
    inside = false;
  };
  try {
    return await exchange(await client, limits, request, leave);
  } finally {
    leave();
  }
}

function rootsOf(ca: string | readonly string[], only = false): string[] {
  return only ? [ca].flat() : trustedRoots(ca);
}

function reasonOf(error: unknown): string {
  return systemCode(error) ?? messageOf(error);
}

function textOf(error: unknown, url: string): string {
  return error instanceof TlsRefusal
    ? error.message
    : networkErrorText(reasonOf(error), serverOf(url));
}

/**
 * Node's root certificates and the administrator's: a list passed to TLS replaces the
 * default roots.
 */
export function trustedRoots(ca: string | readonly string[]): string[] {
  return [...rootCertificates, ...(typeof ca === 'string' ? [ca] : ca)];
}

async function exchange(
  client: Agents,
  limits: SendLimits,
  request: HttpRequest,
  leave: () => void,
): Promise<HttpResponse> {
  const where = originOf(request.url);
  const arrived: Arrived = { status: 0, headers: {}, chunks: [], size: 0 };
  let abort: (reason: Error) => void = () => undefined;
  const time = limitTime(limits.totalSeconds, request.late, {
    abort: () => abort(aborted()),
    leave,
    error: (seconds) => unreachable(where, `no answer within ${seconds} s`),
  });
  const forward = (): void => abort(aborted());
  request.signal?.addEventListener('abort', forward, { once: true });
  const failureOf = (error: unknown): CodedError =>
    time.error() ??
    unreachable(where, reasonOf(error), withoutData(error), textOf(error, request.url));
  const readRefused = (): number => (mayHoldToken(arrived.status) ? (request.readRefused ?? 0) : 0);
  const answer = (): HttpResponse => ({
    status: arrived.status,
    headers: flatten(arrived.headers),
    body: Buffer.concat(arrived.chunks),
    refused: arrived.size > limits.maxBodyBytes ? tooLarge(where, limits.maxBodyBytes) : undefined,
  });
  try {
    const receiving = client.receive(request, arrived, () =>
      arrived.size > Math.max(limits.maxBodyBytes, readRefused())
        ? tooLarge(where, limits.maxBodyBytes)
        : undefined,
    );
    abort = receiving.abort;
    if (request.signal?.aborted) forward();
    await receiving.done;
    return answer();
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const failure = failureOf(error);
    // Bad framing at the end does not invalidate the bytes before it.
    if (readRefused() === 0 || arrived.chunks.length === 0) throw failure;
    return { ...answer(), refused: failure, isCut: true };
  } finally {
    time.end();
    request.signal?.removeEventListener('abort', forward);
  }
}

const aborted = (): Error => new DOMException('This operation was aborted', 'AbortError');

/**
 * A token may be in a success response, and in the response of an issuer that failed
 * after it created the token.
 */
function mayHoldToken(status: number): boolean {
  return (status >= 200 && status < 300) || status >= 500;
}

/**
 * The time-out of one exchange: `error` returns the error after it expired, `end` stops
 * it.
 */
interface ExchangeTime {
  readonly error: () => CodedError | undefined;
  readonly end: () => void;
}

function limitTime(
  seconds: number,
  late: LateAnswer | undefined,
  act: { abort: () => void; leave: () => void; error: (seconds: number) => CodedError },
): ExchangeTime {
  let error: CodedError | undefined;
  const giveUp = (after: number) => (): void => {
    error = act.error(after);
    act.abort();
  };
  let cancel: () => void;
  if (late === undefined || late.seconds <= 0) cancel = afterAwake(seconds, giveUp(seconds));
  else
    cancel = afterAwake(seconds, () => {
      cancel = afterAwake(late.seconds, giveUp(seconds + late.seconds));
      act.leave();
      late.began(act.error(seconds));
    });
  return { error: () => error, end: () => cancel() };
}

/** Local shortages that prevent a connection: the server was never asked. */
const SHORTAGES: Readonly<Record<string, string>> = {
  EMFILE: 'too many open files in this process; fix: raise its limit (ulimit -n, LimitNOFILE=)',
  ENFILE: 'too many open files on this host; fix: raise fs.file-max',
  EADDRNOTAVAIL: 'no local address or port is free',
  ENOBUFS: 'no network buffer is free on this host',
  ENOMEM: 'out of memory on this host',
};

/** `local` in the fields marks a fault of this host. */
function unreachable(
  where: string,
  reason: string,
  cause?: unknown,
  explained = reason,
): CodedError {
  const shortage = Object.hasOwn(SHORTAGES, reason) ? SHORTAGES[reason] : undefined;
  const text = shortage === undefined ? explained : `${reason} (${shortage})`;
  const fields = { where, reason, local: shortage === undefined ? undefined : true };
  return new CodedError('ISSUER_UNREACHABLE', `cannot reach ${where}: ${text}`, fields, cause);
}

function tooLarge(where: string, cap: number): CodedError {
  return new CodedError('ISSUER_ANSWER_INVALID', `${where}: response larger than ${cap} bytes`, {
    where,
  });
}

/**
 * undici attaches unparsed parts of a response to its errors: only message and code are
 * kept.
 */
function withoutData(error: unknown): Error {
  const plain = new Error(messageOf(error));
  const code = systemCode(error);
  return code === undefined ? plain : Object.assign(plain, { code });
}

function flatten(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined)
      flat[name.toLowerCase()] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

/** Of one URL in a row for thousands of tokens. */
let last = { url: '', origin: 'an invalid URL' };

/**
 * Returns the part of a URL that may be logged: the origin, without path, query or user
 * information.
 */
export function originOf(url: string): string {
  if (url !== last.url)
    last = { url, origin: URL.canParse(url) ? new URL(url).origin : 'an invalid URL' };
  return last.origin;
}
