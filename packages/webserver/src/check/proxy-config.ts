// The include file for nginx or Apache that sets the configured REMOTE_USER header.
import { PROOF_PATH } from './proxy-proof.ts';

/** The supported proxies. */
export const PROXIES = ['nginx', 'apache'] as const;
export type ProxyName = (typeof PROXIES)[number];

/** The default header, which the files in configs/ clear. */
const USUAL_HEADER = 'x-remote-user';

/**
 * Returns directives that replace `header` (lower case) by the user whom the proxy has
 * authenticated; a value from the browser is dropped. `mount` is the path of
 * CREDMON_WEB_PREFIX. The text ends with a line feed.
 * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header
 * @see https://httpd.apache.org/docs/2.4/mod/mod_headers.html#requestheader
 */
export function proxyConfig(proxy: ProxyName, header: string | undefined, mount: string): string {
  const name = (header ?? USUAL_HEADER).replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
  const knob =
    header === undefined
      ? `CREDMON_WEB_REMOTE_USER_HEADER is not set: the portal ignores ${name}; this file clears it nevertheless.`
      : `CREDMON_WEB_REMOTE_USER_HEADER = ${name}. If you change this knob, ` +
        'create this file again and reload the proxy.';
  const head = [
    `# Created by: condor_credmon_webserver --print-proxy-config ${proxy}`,
    `# ${knob}`,
  ];
  const lines = proxy === 'nginx' ? nginxLines(name) : apacheLines(name, mount);
  return [...head, ...lines].map((line) => `${line}\n`).join('');
}

function nginxLines(name: string): string[] {
  return [
    '# Include this file in the location of the portal. configs/nginx/condor_credmon_web.conf sets the variable.',
    '# An empty value removes the header.',
    `proxy_set_header ${name} $condor_credmon_user;`,
  ];
}

function apacheLines(name: string, mount: string): string[] {
  return [
    '# Include this file in the VirtualHost of the portal, not in a Location: `early` has no effect there.',
    `RequestHeader unset ${name} early`,
    '# REMOTE_USER is empty unless Apache has authenticated the user.',
    `RequestHeader set ${name} expr=%{REMOTE_USER} "expr=-n %{REMOTE_USER}"`,
    '# --check tests here whether the header is cleared; it cannot sign in.',
    `<Location "${mount}${PROOF_PATH}/">`,
    '    AuthType None',
    '    Require all granted',
    '</Location>',
  ];
}
