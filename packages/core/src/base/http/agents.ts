// Kept-alive connections to servers, made again when the trusted authorities change.
import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { systemCode } from '../errors/errors.ts';
import { explainRefusal, isUnknownAuthority } from './tls-refusal.ts';
import { type Trust, type TrustState, systemTrust } from './trust.ts';
import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { type SecureContext, createSecureContext } from 'node:tls';
import { Agent, buildConnector, request } from 'undici';

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

/**
 * Removes the socket at `path` if no process listens on it. Other files are not removed.
 * @throws the system's error when it cannot be removed
 */
export async function removeStaleSocket(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const dead = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => resolve(systemCode(error) === 'ECONNREFUSED'));
  });
  if (dead) unlinkSync(path);
}

/**
 * Runs `listen`, which creates a socket before it returns, so that the socket has at most
 * the permission bits `mode` from the start.
 */
export function makeSocket<T>(mode: number, listen: () => T): T {
  const before = process.umask(0o777 & ~mode);
  try {
    return listen();
  } finally {
    process.umask(before);
  }
}

/** The callback of a lookup: one address with its family, or all addresses. */
type Found = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/**
 * A lookup function for sockets.
 * @see the `lookup` option of node:net
 */
export type Lookup = (host: string, options: LookupOptions, found: Found) => void;

let systemLookup: Lookup = (...asked) => dns.lookup(...asked);

/** Sets the default lookup of this process. `other` receives Node's own lookup. */
export function useLookup(other: (nodes: Lookup) => Lookup): void {
  systemLookup = other((...asked) => dns.lookup(...asked));
}

/**
 * Returns a {@link Lookup} that asks the system once for equal concurrent requests. The
 * system's lookup blocks a thread of a small pool until its resolver gives up, long after
 * the connection has timed out.
 */
export function sharedLookup(ask: Lookup = (...asked) => systemLookup(...asked)): Lookup {
  const underWay = new Map<string, Found[]>();
  return (host, options, found) => {
    const key = JSON.stringify([host, options]);
    const others = underWay.get(key);
    if (others) return void others.push(found);
    const all = [found];
    underWay.set(key, all);
    ask(host, options, (error, address, family) => {
      underWay.delete(key);
      for (const tell of all) tell(error, address, family);
    });
    return undefined;
  };
}

/**
 * Returns a {@link Lookup} that fails if `localhost` resolves to another machine: http to
 * localhost has no TLS.
 * @see RFC 6761, section 6.3
 */
export function trueLocalhost(lookup: Lookup): Lookup {
  return (host, options, found) =>
    lookup(host, options, (error, address, family) => {
      const all =
        typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address);
      const misled = !error && host === 'localhost' && !all.every(isLoopbackAddress);
      found(
        misled ? new Error('localhost resolves to another machine; see /etc/hosts') : error,
        address,
        family,
      );
    });
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(address);
}
