// Why a server's certificate was rejected: OpenSSL's code and the missing authority.
import { isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';
import { messageOf, systemCode } from '../errors/errors.ts';
import type { Lookup } from './lookup.ts';

/**
 * A rejected certificate. `message` names the missing authority and the remedy; `code` is
 * OpenSSL's.
 */
export class TlsRefusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'TlsRefusal';
    this.code = code;
  }
}

/** The server with the rejected certificate, and the lookup of its name. */
export interface TlsServer {
  readonly hostname: string;
  readonly port: number;
  readonly lookup: Lookup;
}

/** @see https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes */
const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
]);
const OTHER =
  /^(?:CERT_|CRL_|INVALID_|HOSTNAME_MISMATCH$|PATH_LENGTH_EXCEEDED$|ERR_TLS_CERT_ALTNAME|EE_KEY_|CA_MD_)/;

/** Time limit in milliseconds of the second connection to a server. */
const LOOK_MILLISECONDS = 2000;

/** True when `error` means that a certificate's authority is not trusted here. */
export function isUnknownAuthority(error: unknown): boolean {
  return UNKNOWN_AUTHORITY.has(systemCode(error) ?? '');
}

/**
 * Calls `explained` once: with a {@link TlsRefusal} that includes `remedy` if `error` is
 * a rejected certificate, else with `error` itself.
 */
export function explainRefusal(
  error: Error,
  server: TlsServer,
  remedy: string,
  explained: (error: Error) => void,
): void {
  const code = systemCode(error) ?? '';
  if (UNKNOWN_AUTHORITY.has(code))
    missingAuthority(server, (authority) => {
      const name = authority === undefined ? '' : ` "${authority}"`;
      explained(
        new TlsRefusal(code, `certificate authority${name} not trusted (${code}); fix: ${remedy}`),
      );
    });
  else
    explained(
      OTHER.test(code) ? new TlsRefusal(code, `${printable(messageOf(error))} (${code})`) : error,
    );
}

/**
 * Finds the issuer of the last certificate that the server sends. Node reports the
 * rejection after the connection is gone, so this opens another one: it sends nothing and
 * closes it at once.
 */
function missingAuthority(
  { hostname, port, lookup }: TlsServer,
  found: (authority: string | undefined) => void,
): void {
  const host = hostname.replaceAll(/[[\]]/g, '');
  const socket = connect({
    host,
    port,
    lookup,
    rejectUnauthorized: false,
    servername: isIP(host) === 0 ? host : undefined,
  });
  let ended = false;
  const end = (authority?: string): void => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    found(authority);
    socket.destroy();
  };
  const timer = setTimeout(end, LOOK_MILLISECONDS);
  socket.once('secureConnect', () => end(topIssuer(socket.getPeerCertificate(true))));
  socket.on('error', () => end());
  socket.once('close', () => end());
}

/** Returns the issuer of the last certificate of a chain, as `CN=..., O=...`. */
function topIssuer(leaf: PeerCertificate): string | undefined {
  let top = leaf;
  for (let depth = 0; depth < 20; depth += 1) {
    const next =
      'issuerCertificate' in top
        ? (top.issuerCertificate as PeerCertificate | undefined)
        : undefined;
    if (next === undefined || next.fingerprint256 === top.fingerprint256) break;
    top = next;
  }
  const { issuer } = top as Partial<PeerCertificate>;
  if (issuer === undefined) return undefined;
  const parts = (['CN', 'OU', 'O', 'C'] as const).flatMap((key) => {
    // An attribute with several values is an array, contrary to the types.
    const values = [issuer[key]].flat().filter((value) => value !== undefined);
    return values.length === 0 ? [] : [`${key}=${values.join('+')}`];
  });
  return parts.length === 0 ? undefined : printable(parts.join(', '));
}

/** Limits a server's text and removes control characters for the log and terminals. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ').slice(0, 300);
}
