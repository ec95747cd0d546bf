// Why a server's certificate was rejected: the missing authority, the date or the names in
// it, what to do, and OpenSSL's code.
import { isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';
import { messageOf, systemCode } from '../errors/errors.ts';
import { systemClock } from '../time/clock.ts';
import type { Lookup } from './lookup.ts';
import { networkErrorText, type NetworkServer } from './network-errors.ts';

/** A rejected certificate. `message` has the reason and the fix; `code` is OpenSSL's. */
export class TlsRefusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'TlsRefusal';
    this.code = code;
  }
}

/**
 * The server with the rejected certificate; `address` is the one to connect to, if it is
 * not found by `lookup` (by default the system's).
 */
export interface TlsServer extends NetworkServer {
  readonly address?: string | undefined;
  readonly lookup?: Lookup | undefined;
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
 * Calls `explained` once: with a {@link TlsRefusal} if `error` is a rejected certificate,
 * else with `error` itself. `remedy` is the fix for an authority that is not trusted.
 */
export function explainRefusal(
  error: Error,
  server: TlsServer,
  remedy: string,
  explained: (error: Error) => void,
): void {
  const code = systemCode(error) ?? '';
  const tell = (words: string, fix: string): void =>
    explained(new TlsRefusal(code, `${words} (${code}); fix: ${fix}`));
  if (UNKNOWN_AUTHORITY.has(code))
    lookAtCertificate(server, (leaf) => {
      const authority = leaf && topIssuer(leaf);
      const name = authority === undefined ? '' : ` "${authority}"`;
      tell(`certificate authority${name} not trusted`, remedy);
    });
  else if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    lookAtCertificate(server, (leaf) => {
      const expired = code === 'CERT_HAS_EXPIRED';
      const clock = 'correct the clock of this host';
      tell(
        datedText(leaf, expired),
        expired ? `renew it at ${hostOf(server)}, or ${clock}` : clock,
      );
    });
  else if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = namesIn('cert' in error ? (error.cert as PeerCertificate) : undefined);
    const host = hostOf(server);
    tell(
      `certificate is for ${names}, not for ${host}`,
      `use one of its names in the URL, or install a certificate for ${host}`,
    );
  } else
    explained(
      OTHER.test(code) ? new TlsRefusal(code, `${printable(messageOf(error))} (${code})`) : error,
    );
}

/**
 * Returns a network error in words, for connections that do not go through `createSend`:
 * a rejected certificate as {@link explainRefusal} does, a system error with host and
 * port, else the message. `remedy` is the fix for an authority that is not trusted.
 */
export function networkFailure(error: unknown, server: TlsServer, remedy: string): Promise<string> {
  return new Promise((resolve) => {
    explainRefusal(
      error instanceof Error ? error : new Error(String(error)),
      server,
      remedy,
      (explained) =>
        resolve(
          explained instanceof TlsRefusal
            ? explained.message
            : networkErrorText(systemCode(explained) ?? messageOf(explained), server),
        ),
    );
  });
}

function hostOf({ hostname }: TlsServer): string {
  return hostname.replaceAll(/[[\]]/g, '');
}

/**
 * Gets the certificate of a server that was rejected. Node reports the rejection after
 * the connection is gone, so this opens another one: it sends nothing and closes it at
 * once.
 */
function lookAtCertificate(
  server: TlsServer,
  found: (leaf: PeerCertificate | undefined) => void,
): void {
  const host = hostOf(server);
  const socket = connect({
    host: server.address ?? host,
    port: server.port,
    lookup: server.lookup,
    rejectUnauthorized: false,
    servername: isIP(host) === 0 ? host : undefined,
  });
  let ended = false;
  const end = (leaf?: PeerCertificate): void => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    found(leaf);
    socket.destroy();
  };
  const timer = setTimeout(end, LOOK_MILLISECONDS);
  socket.once('secureConnect', () => end(socket.getPeerCertificate(true)));
  socket.on('error', () => end());
  socket.once('close', () => end());
}

/** The maximum number of names of a certificate in a message. */
const MOST_NAMES = 8;

/** Returns the host names and addresses in a certificate. */
function namesIn(certificate: Partial<PeerCertificate> | undefined): string {
  const listed = [...(certificate?.subjectaltname ?? '').matchAll(ALTERNATIVE_NAME)].map(
    ([, quoted, plain = '']) => quoted ?? plain,
  );
  const common = [certificate?.subject?.CN ?? []].flat();
  const names = listed.length > 0 ? listed : common;
  if (names.length === 0) return 'no host name';
  const more = names.length - MOST_NAMES;
  return printable(names.slice(0, MOST_NAMES).join(', ')) + (more > 0 ? ` and ${more} more` : '');
}

/** @see https://nodejs.org/docs/latest-v20.x/api/tls.html (subjectaltname) */
const ALTERNATIVE_NAME = /(?:DNS|IP Address):(?:"([^"]*)"|([^,]*))/g;

/** Says which certificate of the chain is out of date, and since or until when. */
function datedText(leaf: PeerCertificate | undefined, expired: boolean): string {
  const dateOf = ({ valid_to: until, valid_from: from }: Partial<PeerCertificate>): number =>
    Date.parse((expired ? until : from) ?? '') / 1000;
  const now = systemClock.now();
  const chain = leaf ? chainOf(leaf) : [];
  const outdated = chain.find((one) => (expired ? dateOf(one) < now : dateOf(one) > now));
  const [first] = chain;
  const which =
    outdated === undefined || outdated === first
      ? 'certificate'
      : `certificate of "${nameText(outdated.subject)}"`;
  const date =
    outdated === undefined ? '' : ` ${expired ? 'on' : 'before'} ${timeText(dateOf(outdated))}`;
  return expired ? `${which} expired${date}` : `${which} not valid${date === '' ? ' yet' : date}`;
}

/** Formats epoch seconds as `2024-02-01 03:04:05 UTC`. */
function timeText(seconds: number): string {
  return new Date(seconds * 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
}

/** Returns a certificate and those above it, as far as the server sent them. */
function chainOf(leaf: PeerCertificate): PeerCertificate[] {
  const chain = [leaf];
  for (let depth = 0; depth < 20; depth += 1) {
    const top = chain.at(-1);
    const next =
      top && 'issuerCertificate' in top
        ? (top.issuerCertificate as PeerCertificate | undefined)
        : undefined;
    if (next === undefined || next.fingerprint256 === top?.fingerprint256) break;
    chain.push(next);
  }
  return chain;
}

/** Returns the issuer of the last certificate of a chain. */
function topIssuer(leaf: PeerCertificate): string | undefined {
  return nameText((chainOf(leaf).at(-1) as Partial<PeerCertificate> | undefined)?.issuer);
}

/** Formats a name as `CN=..., O=...`. */
function nameText(name: Partial<PeerCertificate['issuer']> | undefined): string | undefined {
  const parts = (['CN', 'OU', 'O', 'C'] as const).flatMap((key) => {
    // An attribute with several values is an array, contrary to the types.
    const values = [name?.[key] ?? []].flat();
    return values.length === 0 ? [] : [`${key}=${values.join('+')}`];
  });
  return parts.length === 0 ? undefined : printable(parts.join(', '));
}

/** Limits a server's text and removes control characters for the log and terminals. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ').slice(0, 300);
}
