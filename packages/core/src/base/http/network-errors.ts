// Network errors in words: what failed at which host and port, and what an administrator
// can do about it. Pure.
import { CodedError, messageOf } from '../errors/errors.ts';

/** The server of a connection. An IPv6 address may be in brackets. */
export interface NetworkServer {
  readonly hostname: string;
  readonly port: number;
}

interface NetworkProblem {
  /** `{host}` and `{server}` (host and port) are filled in. */
  readonly words: string;
  readonly fix?: string;
}

const CHECK_ROUTE = 'check the routes and firewalls between this host and the server';
const NO_TLS_VERSION: NetworkProblem = {
  words: 'no TLS version or cipher in common with {server}',
  fix: 'enable TLS 1.2 or 1.3 at the server',
};

/** @see errno(3), Node's `dns` and `tls` modules, and undici's errors */
const PROBLEMS: Readonly<Record<string, NetworkProblem>> = {
  ECONNREFUSED: {
    words: 'connection refused by {server}',
    fix: 'correct host and port, or start the server there',
  },
  ENOTFOUND: {
    words: 'no such host: {host}',
    fix: 'correct the host name, or add it to DNS or /etc/hosts',
  },
  EAI_AGAIN: {
    words: 'the name service did not answer for {host}',
    fix: 'check the name servers in /etc/resolv.conf',
  },
  UND_ERR_CONNECT_TIMEOUT: {
    words: 'connecting to {server} timed out',
    fix: `${CHECK_ROUTE}, or raise CREDMON_CONNECT_TIMEOUT`,
  },
  ETIMEDOUT: { words: 'connecting to {server} timed out', fix: CHECK_ROUTE },
  EHOSTUNREACH: { words: 'no route to {server}', fix: CHECK_ROUTE },
  ENETUNREACH: { words: 'no route to {server}', fix: CHECK_ROUTE },
  EHOSTDOWN: { words: 'no route to {server}', fix: CHECK_ROUTE },
  EACCES: {
    words: 'this host does not permit connections to {server}',
    fix: 'check the firewall and SELinux of this host',
  },
  EPERM: {
    words: 'this host does not permit connections to {server}',
    fix: 'check the firewall of this host',
  },
  ECONNRESET: { words: 'connection closed by {server}', fix: CHECK_ROUTE },
  EPIPE: { words: 'connection closed by {server}', fix: CHECK_ROUTE },
  UND_ERR_SOCKET: { words: 'connection closed by {server}', fix: CHECK_ROUTE },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    words: '{server} does not answer with TLS',
    fix: 'correct the port: it must serve https',
  },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: {
    words: '{server} does not answer with TLS',
    fix: 'correct the port: it must serve https',
  },
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_TLS_VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_TLS_VERSION,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: NO_TLS_VERSION,
};

/** Returns the server of a URL; the port is the scheme's if the URL has none. */
export function serverOf(url: string): NetworkServer {
  if (!URL.canParse(url)) return { hostname: 'an invalid URL', port: 0 };
  const { hostname, port, protocol } = new URL(url);
  return { hostname, port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port) };
}

/**
 * Returns a system's error code in words, followed by the code: `connection refused by
 * localhost, port 443 (ECONNREFUSED)`. Returns `reason` itself if it has no words.
 */
export function networkErrorText(reason: string, { hostname, port }: NetworkServer): string {
  const problem = Object.hasOwn(PROBLEMS, reason) ? PROBLEMS[reason] : undefined;
  if (!problem) return reason;
  const host = hostname.replaceAll(/[[\]]/g, '');
  const words = problem.words
    .replace('{host}', () => host)
    .replace('{server}', () => `${host}, port ${port}`);
  return `${words} (${reason})`;
}

/** Reasons of exchanges that exceed their time. */
const LATE = /^no answer within /;

/**
 * Returns the message of an error, and what an administrator can do about a network error
 * as `; fix: ...`. For checks: in the log of a daemon that retries, the fix of an outage
 * would be noise.
 */
export function messageWithFix(error: unknown): string {
  const message = messageOf(error);
  if (!(error instanceof CodedError) || error.code !== 'ISSUER_UNREACHABLE') return message;
  const reason = String(error.fields['reason'] ?? '');
  const fix = LATE.test(reason)
    ? 'check whether the server is overloaded, or raise CREDMON_REQUEST_TIMEOUT'
    : Object.hasOwn(PROBLEMS, reason)
      ? PROBLEMS[reason]?.fix
      : undefined;
  return fix === undefined || message.includes('; fix: ') ? message : `${message}; fix: ${fix}`;
}
