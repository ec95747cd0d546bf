// Which URLs a secret may be sent to.
import { CodedError } from '../errors/errors.ts';
import { originOf } from './send.ts';

/** True for a host that can only be this machine. */
export function isLoopbackHost(host: string): boolean {
  return (
    host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
  );
}

/**
 * The URL, when a secret may be sent there: https, or http to a loopback host where
 * `allowLoopbackHttp` (knob CREDMON_ALLOW_LOOPBACK_HTTP); no user information, no
 * fragment.
 * @throws CodedError `ENDPOINT_REFUSED`, naming `what` (a knob or a file's key).
 * @see RFC 6749, section 3.2
 */
export function secureEndpoint(text: string, what: string, allowLoopbackHttp: boolean): URL {
  if (!URL.canParse(text))
    throw new CodedError('ENDPOINT_REFUSED', `${what} is not a URL`, { what });
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw refused(what, url, 'it holds user information');
  if (url.hash !== '') throw refused(what, url, 'it has a fragment');
  if (url.protocol === 'https:') return url;
  if (url.protocol !== 'http:') throw refused(what, url, 'it must begin with https:');
  if (!isLoopbackHost(url.hostname))
    throw refused(what, url, 'http is never used beyond this machine; use https');
  if (!allowLoopbackHttp)
    throw refused(what, url, 'http on loopback needs CREDMON_ALLOW_LOOPBACK_HTTP = true');
  return url;
}

function refused(what: string, url: URL, why: string): CodedError {
  const where = originOf(url.href);
  return new CodedError('ENDPOINT_REFUSED', `${what} (${where}) is refused: ${why}`, {
    what,
    where,
  });
}

// Where issuers publish their metadata.

/**
 * The URLs of an issuer's metadata, in the order in which they are requested.
 * @see OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3
 */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  return [
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`,
  ];
}
