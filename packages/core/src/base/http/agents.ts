// Connections to servers: kept alive, and made again when the trusted authorities have
// changed.
import { createSecureContext, type SecureContext } from 'node:tls';
import { Agent, buildConnector } from 'undici';
import { sharedLookup, trueLocalhost, type Lookup } from './lookup.ts';
import { explainRefusal, isUnknownAuthority } from './tls-refusal.ts';
import { systemTrust, type Trust, type TrustState } from './trust.ts';

/**
 * What connections need. `fixed` is a context that never changes, in place of `trust`.
 */
export interface AgentOptions {
  readonly connectSeconds: number;
  readonly addressSeconds?: number | undefined;
  readonly trust?: Trust | undefined;
  readonly fixed?: readonly string[] | undefined;
}

/** Agents by kind of URL. */
export interface Agents {
  /** The agent for `url`. @throws CodedError as {@link Trust.current} */
  agentFor(url: string): Agent;
  /** Ends all connections when what is in flight on them has ended. */
  close(): Promise<void>;
}

/** Agents that open nothing, and read no certificate, before they are used. */
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
    // A connection that was made under other authorities must not carry the next request.
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
    // The exchange has its own time-out; the library's timers would judge before the
    // pending answer is read.
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

/** Connects with `context`; a refused certificate is explained. */
function explaining(
  options: AgentOptions,
  lookup: Lookup,
  secureContext: SecureContext,
  trust: Trust,
): buildConnector.connector {
  // Made once: parsing all authorities for each connection would cost milliseconds.
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
