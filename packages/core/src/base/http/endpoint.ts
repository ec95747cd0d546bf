// The URLs to which a secret may be sent.
import { CodedError } from '../errors/errors.ts';
import { originOf } from './send.ts';

/** True for a host name or address that is always this machine. */
export function isLoopbackHost(host: string): boolean {
  return (
    host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
  );
}

/**
 * Returns the URL if a secret may be sent to it: https, or http to a loopback host if
 * `allowLoopbackHttp` is set (knob CREDMON_ALLOW_LOOPBACK_HTTP); no user information, no
 * fragment.
 * @throws CodedError `ENDPOINT_REFUSED` with `what` (a knob or the key of a file)
 * @see RFC 6749, section 3.2
 */
export function secureEndpoint(text: string, what: string, allowLoopbackHttp: boolean): URL {
  if (!URL.canParse(text))
    throw new CodedError('ENDPOINT_REFUSED', `${what} is not a URL`, { what });
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw refused(what, url, 'contains user information');
  if (url.hash !== '') throw refused(what, url, 'contains a fragment');
  if (url.protocol === 'https:') return url;
  if (url.protocol !== 'http:') throw refused(what, url, 'must begin with https:');
  if (!isLoopbackHost(url.hostname))
    throw refused(what, url, 'http is allowed only to loopback; use https');
  if (!allowLoopbackHttp)
    throw refused(what, url, 'http on loopback needs CREDMON_ALLOW_LOOPBACK_HTTP = true');
  return url;
}

function refused(what: string, url: URL, why: string): CodedError {
  const where = originOf(url.href);
  return new CodedError('ENDPOINT_REFUSED', `${what} (${where}) rejected: ${why}`, {
    what,
    where,
  });
}

// The URLs of issuer metadata.

/**
 * Returns the URLs of an issuer's metadata, in the order in which they are requested.
 * @see OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3
 */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  return [
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`,
  ];
}

// The address of a server of ours that has no TLS itself.

const EVERYWHERE = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '*']);

/**
 * Returns a sentence about an address `HOST:PORT` or `[IPv6]:PORT` of the portal that
 * other hosts reach; `undefined` for loopback and everything else that is not TCP.
 */
export function clearAddressText(listen: string): string | undefined {
  const [, six, name = ''] =
    /^(?!fd:)(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._*-]+)):\d{1,5}$/.exec(listen) ?? [];
  const host = six ?? name;
  if (host === '' || isLoopbackHost(host)) return undefined;
  const where = EVERYWHERE.has(host) ? 'on all addresses of this host' : `on ${host}`;
  return (
    `the portal answers ${where} without TLS (${listen}): cookies and logins can be read in the ` +
    'network; fix: CREDMON_WEB_LISTEN = 127.0.0.1:8081, behind a proxy with TLS on this host'
  );
}
