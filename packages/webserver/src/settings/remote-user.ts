// Reads the name of the REMOTE_USER header. Rejects names that HTTP or the proxy uses.
import type { KnobReader } from '@credmon/core/config';
import type { ListenAddress, Settings } from './settings.ts';

const KNOB = 'CREDMON_WEB_REMOTE_USER_HEADER';
const REALM_KNOB = 'CREDMON_WEB_REMOTE_USER_REALM';

/**
 * Header names with another meaning in HTTP, browsers, proxies or the portal, in lower
 * case. `-` at the end matches every name with this prefix.
 * @see https://www.iana.org/assignments/http-fields/http-fields.xhtml
 */
const TAKEN = [
  ...'accept accept- access-control- age allow alt-svc alt-used authorization authentication-info'.split(
    ' ',
  ),
  ...'cache-control cdn-loop connection content- cookie cookie2 date dnt early-data etag expect expires'.split(
    ' ',
  ),
  ...'forwarded from host http2-settings if- keep-alive last-event-id last-modified link location'.split(
    ' ',
  ),
  ...'max-forwards origin pragma prefer priority proxy-authenticate proxy-authorization proxy-connection'.split(
    ' ',
  ),
  ...'range referer retry-after save-data sec- server service-worker set-cookie set-cookie2'.split(
    ' ',
  ),
  ...'strict-transport-security te trailer transfer-encoding upgrade upgrade-insecure-requests'.split(
    ' ',
  ),
  ...'user-agent vary via warning www-authenticate x-real-ip'.split(' '),
  ...'for host port proto protocol scheme server by prefix path ssl uri client-cert'
    .split(' ')
    .map((name) => `x-forwarded-${name}`),
];

/**
 * Reads the header (lower case), and the realm that is removed from its value. Errors in
 * `read`: an invalid name, or a TCP port, which other users of this machine can open.
 */
export function readRemoteUser(read: KnobReader, listen: ListenAddress): Settings['remoteUser'] {
  const name = read.string('CREDMON_WEB_REMOTE_USER_HEADER');
  const realm = read.string('CREDMON_WEB_REMOTE_USER_REALM');
  if (name === undefined) {
    if (realm !== undefined) read.mistake(REALM_KNOB, `is set, but ${KNOB} is not`);
    return undefined;
  }
  const header = name.toLowerCase();
  const problem = headerProblem(header);
  if (problem !== undefined)
    read.mistake(KNOB, `= ${name} cannot be used: ${problem}; use a name such as X-Remote-User`);
  if (listen.kind === 'tcp')
    read.mistake(
      KNOB,
      `cannot be used with a TCP port (${listen.host}:${listen.port}): any local user could send this header; fix: ` +
        'set CREDMON_WEB_LISTEN = unix:/path in a directory of the group of the proxy, or fd:3 for a systemd socket',
    );
  return realm === undefined ? { header } : { header, realm };
}

/**
 * Returns why a header name (lower case) cannot be used; `undefined` if it can.
 * @see RFC 9110, section 5.1
 */
export function headerProblem(header: string): string | undefined {
  if (header.includes('_'))
    return 'proxies drop a header with _ in its name or treat it as the one with -';
  if (!/^[a-z][a-z0-9-]*$/.test(header)) return 'it is not a header name (letters, digits and -)';
  const taken = TAKEN.some((name) =>
    name.endsWith('-') ? header.startsWith(name) : header === name,
  );
  return taken ? 'HTTP or the proxy uses this header itself' : undefined;
}
