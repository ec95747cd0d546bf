// Kept-alive connections to servers, made again when the trusted authorities change.
import { createSecureContext, type SecureContext } from 'node:tls';
import { Agent, buildConnector, request } from 'undici';
import { sharedLookup, trueLocalhost, type Lookup } from './lookup.ts';
import { explainRefusal, isUnknownAuthority } from './tls-refusal.ts';
import { systemTrust, type Trust, type TrustState } from './trust.ts';

export { request };

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

/** HTTP agents by URL scheme. */
export interface Agents {
  /**
   * Returns the agent for `url`.
   * @throws CodedError as {@link Trust.current}
   */
  agentFor(url: string): Agent;
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
  return {
    agentFor: (url) =>
      url.startsWith('https:') || (URL.canParse(url) && new URL(url).protocol === 'https:')
        ? secureAgent()
        : (plain ??= agentOf(buildConnector(connectOptions(options, lookup)))),
    close: async () => {
      for (const agent of [plain, secure?.agent]) if (agent) retire(agent);
      [plain, secure] = [undefined, undefined];
      await Promise.all(closing);
    },
  };
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
