// Reads the name of the header in which the proxy says who is signed in; a name that HTTP
// or the proxy uses itself is refused.
import type { KnobReader } from '@credmon/core/config';
import type { ListenAddress, Settings } from './settings.ts';

const KNOB = 'CREDMON_WEB_REMOTE_USER_HEADER';
const REALM_KNOB = 'CREDMON_WEB_REMOTE_USER_REALM';

/**
 * Fields that HTTP, a browser, a proxy or the portal gives a meaning of its own, in lower
 * case. `-` at the end stands for every name that begins so.
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
 * The header, in lower case, and the realm that is cut from its value. A name that cannot
 * be used, and a port that other users of the machine can open, are noted in `read` with
 * file and line.
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
      `cannot be used with a TCP port (${listen.host}:${listen.port}): any user of this machine could say there who is signed in; ` +
        'set CREDMON_WEB_LISTEN = unix:/path in a directory of the group of the proxy, or fd:3 for a socket of systemd',
    );
  return realm === undefined ? { header } : { header, realm };
}

/**
 * What is wrong with a header name in lower case; `undefined` when it can be used.
 * @see RFC 9110, section 5.1
 */
export function headerProblem(header: string): string | undefined {
  if (header.includes('_'))
    return 'proxies drop a header with _ in its name, or take it for the one with -';
  if (!/^[a-z][a-z0-9-]*$/.test(header)) return 'it is not a header name (letters, digits and -)';
  const taken = TAKEN.some((name) =>
    name.endsWith('-') ? header.startsWith(name) : header === name,
  );
  return taken ? 'HTTP or the proxy uses this header itself' : undefined;
}
