// The include file for the proxy in front, made for the one header that the configuration
// names.
import { PROOF_PATH } from './proxy-proof.ts';

/** The proxies for which there is a file. */
export const PROXIES = ['nginx', 'apache'] as const;
export type ProxyName = (typeof PROXIES)[number];

/** The header that configs/ clear: what is cleared when no other one is configured. */
const USUAL_HEADER = 'x-remote-user';

/**
 * Directives that replace `header` (lower case), whatever a browser sends in it, by the
 * user whom the proxy has authenticated. `mount` is the path of CREDMON_WEB_PREFIX. The
 * text ends in a line feed.
 * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header
 * @see https://httpd.apache.org/docs/2.4/mod/mod_headers.html#requestheader
 */
export function proxyConfig(proxy: ProxyName, header: string | undefined, mount: string): string {
  const name = (header ?? USUAL_HEADER).replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
  const knob =
    header === undefined
      ? `CREDMON_WEB_REMOTE_USER_HEADER is not set: the portal ignores ${name}, and it is cleared all the same.`
      : `CREDMON_WEB_REMOTE_USER_HEADER = ${name}. After a change of that knob, make this file again and reload the proxy.`;
  const head = [`# Made by: condor_credmon_webserver --print-proxy-config ${proxy}`, `# ${knob}`];
  const lines = proxy === 'nginx' ? nginxLines(name) : apacheLines(name, mount);
  return [...head, ...lines].map((line) => `${line}\n`).join('');
}

function nginxLines(name: string): string[] {
  return [
    '# Include it in the location of the portal, below configs/nginx/condor_credmon_web.conf, which sets the variable.',
    '# An empty value removes the header.',
    `proxy_set_header ${name} $condor_credmon_user;`,
  ];
}

function apacheLines(name: string, mount: string): string[] {
  return [
    '# Include it in the VirtualHost of the portal; `early` counts there only, not in a Location.',
    `RequestHeader unset ${name} early`,
    '# REMOTE_USER is empty unless Apache has authenticated the user.',
    `RequestHeader set ${name} expr=%{REMOTE_USER} "expr=-n %{REMOTE_USER}"`,
    '# --check asks here whether the header is cleared, and cannot sign in.',
    `<Location "${mount}${PROOF_PATH}/">`,
    '    AuthType None',
    '    Require all granted',
    '</Location>',
  ];
}
