// Says what is wrong with a portal that listens beyond this host: it has no TLS itself.
import { isLoopbackHost } from '../../base/http/endpoint.ts';

const EVERYWHERE = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '*']);

/**
 * Returns a sentence about an address `HOST:PORT` or `[IPv6]:PORT` of the portal that
 * other hosts reach; `undefined` for loopback and everything else that is not TCP.
 */
export function clearAddressText(listen: string): string | undefined {
  const [, six, name = ''] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._*-]+)):\d{1,5}$/.exec(listen) ?? [];
  const host = six ?? name;
  if (host === '' || isLoopbackHost(host)) return undefined;
  const where = EVERYWHERE.has(host) ? 'on all addresses of this host' : `on ${host}`;
  return (
    `the portal answers ${where} without TLS (${listen}): cookies and logins can be read in the ` +
    'network; fix: CREDMON_WEB_LISTEN = 127.0.0.1:8081, behind a proxy with TLS on this host'
  );
}
