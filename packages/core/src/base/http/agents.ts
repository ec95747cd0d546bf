// Kept-alive connections to servers, made again when the trusted authorities change.
import { createSecureContext, type SecureContext } from 'node:tls';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import type { HttpRequest } from './send.ts';
import { sharedLookup, trueLocalhost, type Lookup } from './lookup.ts';
import { explainRefusal, isUnknownAuthority } from './tls-refusal.ts';
import { systemTrust, type Trust, type TrustState } from './trust.ts';

/**
 * Options of the connections. `fixed` replaces `trust` with PEM certificates that never
 * change.
 */
export interface AgentOptions {
  readonly connectSeconds: number;
  readonly addressSeconds?: number | undefined;
  readonly trust?: Trust | undefined;
  readonly fixed?: readonly string[] | undefined;
}

/** What has arrived of a response; `size` in bytes. */
export interface Arrived {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly chunks: Uint8Array[];
  size: number;
}

/** An exchange in progress: `abort` makes `done` reject with its error. */
interface Receiving {
  readonly done: Promise<void>;
  readonly abort: (reason: Error) => void;
}

/** HTTP agents by URL scheme. */
export interface Agents {
  /**
   * Sends a request and puts the parts of the response into `arrived`. Calls `refuse` after
   * each part of the body, and ends the exchange with the error that it returns.
   */
  receive(request: HttpRequest, arrived: Arrived, refuse: () => Error | undefined): Receiving;
  /** Closes all connections after their requests have ended. */
  close(): Promise<void>;
}

/** Creates agents. They open no connection and read no certificate before first use. */
export function createAgents(options: AgentOptions): Agents {
  const { trust = systemTrust(), fixed } = options;
  const lookup = trueLocalhost(sharedLookup());
  const closing = new Set<Promise<void>>();
  let plain: Agent | undefined;
  let secure: { readonly agent: Agent; readonly state: TrustState | undefined } | undefined;
  const retire = (agent: Agent): void => {
    const closed = agent.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };
  const secureAgent = (): Agent => {
    const state = fixed === undefined ? trust.current() : undefined;
    if (secure && secure.state === state) return secure.agent;
    // A connection made with other authorities must not carry the next request.
    if (secure) retire(secure.agent);
    const context = state?.context ?? createSecureContext({ ca: [...(fixed ?? [])] });
    secure = { agent: agentOf(explaining(options, lookup, context, trust)), state };
    return secure.agent;
  };
  const agentFor = ({ protocol }: URL): Agent =>
    protocol === 'https:'
      ? secureAgent()
      : (plain ??= agentOf(buildConnector(connectOptions(options, lookup))));
  return {
    receive: (request, arrived, refuse) => receive(agentFor, request, arrived, refuse),
    close: async () => {
      for (const agent of [plain, secure?.agent]) if (agent) retire(agent);
      [plain, secure] = [undefined, undefined];
      await Promise.all(closing);
    },
  };
}

function receive(
  agentFor: (url: URL) => Agent,
  { url, method, headers, body }: HttpRequest,
  arrived: Arrived,
  refuse: () => Error | undefined,
): Receiving {
  let controller: Dispatcher.DispatchController | undefined;
  let reason: Error | undefined;
  const abort = (why: Error): void => {
    reason ??= why;
    controller?.abort(reason);
  };
  const done = new Promise<void>((resolve, reject) => {
    const to = new URL(url);
    const path = `${to.pathname}${to.search}`;
    agentFor(to).dispatch(
      { origin: to.origin, path, method, headers: { ...headers }, body: body ?? null },
      {
        onRequestStart: (its) => {
          controller = its;
          if (reason) its.abort(reason);
        },
        onResponseStart: (_, status, fields) => {
          // Not an interim response.
          if (status >= 200) Object.assign(arrived, { status, headers: fields });
        },
        onResponseData: (_, chunk) => {
          arrived.size += chunk.length;
          const refused = refuse();
          if (refused) abort(refused);
          else arrived.chunks.push(chunk);
        },
        onResponseEnd: () => resolve(),
        onResponseError: (_, error) => reject(error),
      },
    );
  });
  return { done, abort };
}

function agentOf(connect: buildConnector.connector): Agent {
  return new Agent({
    connect,
    // The exchange has its own time-out; the library's timers would fire before a pending
    // response is read.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 10_000,
  });
}

function connectOptions(
  { connectSeconds, addressSeconds }: AgentOptions,
  lookup: Lookup,
): buildConnector.BuildOptions {
  return {
    lookup,
    timeout: connectSeconds * 1000,
    ...(addressSeconds === undefined
      ? {}
      : { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: addressSeconds * 1000 }),
  };
}

/** Connects with `context` and explains rejected certificates. */
function explaining(
  options: AgentOptions,
  lookup: Lookup,
  secureContext: SecureContext,
  trust: Trust,
): buildConnector.connector {
  // Created once: parsing all authorities for each connection would cost milliseconds.
  const connect = buildConnector({ ...connectOptions(options, lookup), secureContext });
  return (to, callback) => {
    connect(to, (error, socket) => {
      if (error === null) return callback(null, socket);
      if (isUnknownAuthority(error)) trust.renew();
      const server = { hostname: to.hostname, port: Number(to.port || 443), lookup };
      explainRefusal(error, server, trust.remedy, (explained) => callback(explained, null));
    });
  };
}
