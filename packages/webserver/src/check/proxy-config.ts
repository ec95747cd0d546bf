// The REMOTE_USER header between proxy and portal: the include file that sets it, and the
// proof that the proxy removes a forged one (only `--check` can create the question, only
// the portal the answer), with the requests that forge it and what they show.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ok, warning, wrong, type Finding } from '@credmon/core/base';

/** The path of the question, below the mount path. */
export const PROOF_PATH = '/proxy-check';

/** Lifetime of a question, in seconds. */
const LIFETIME = 60;
/** The largest clock difference of two hosts that share a session store, in seconds. */
const SKEW = 30;

/** A question: the last part of its path, and the forged user name. */
export interface Question {
  readonly token: string;
  readonly forged: string;
}

/** The answer of the portal, as JSON. `proof` shows that the portal created it. */
export interface Answer {
  readonly arrived: boolean;
  readonly proof: string;
}

/**
 * Creates a question. `cookieSecret` is the secret of the session cookies, which both
 * sides read from the session store; `nonce` is random hexadecimal text that is used only
 * once; `now` is in epoch seconds.
 */
export function makeQuestion(cookieSecret: string, nonce: string, now: number): Question {
  const head = `${Math.floor(now) + LIFETIME}.${nonce}`;
  return { token: `${head}.${sealed(cookieSecret, 'question', head)}`, forged: forgedName(nonce) };
}

/**
 * Reads a question from a path; `undefined` if it was made with another secret or has
 * expired.
 */
export function readQuestion(
  cookieSecret: string,
  token: string,
  now: number,
): { readonly forged: string; readonly expiresAt: number } | undefined {
  const [, head = '', expiry = '', nonce = '', seal = ''] =
    /^((\d{1,12})\.([0-9a-f]{32}))\.([0-9a-f]{64})$/.exec(token) ?? [];
  if (head === '' || !isSame(seal, sealed(cookieSecret, 'question', head))) return undefined;
  const expiresAt = Number(expiry) + SKEW;
  return now < expiresAt && expiresAt <= now + LIFETIME + 2 * SKEW
    ? { forged: forgedName(nonce), expiresAt }
    : undefined;
}

/** Creates the answer: whether the forged name arrived in any value of the header. */
export function makeAnswer(cookieSecret: string, token: string, arrived: boolean): Answer {
  return { arrived, proof: sealed(cookieSecret, String(arrived), token) };
}

/** Reads an answer; `undefined` if another program sent it. */
export function readAnswer(cookieSecret: string, token: string, text: string): boolean | undefined {
  const [, arrived = '', proof = ''] =
    /^\{"arrived":(true|false),"proof":"([0-9a-f]{64})"\}$/.exec(text) ?? [];
  if (arrived === '' || !isSame(proof, sealed(cookieSecret, arrived, token))) return undefined;
  return arrived === 'true';
}

/** A user name that no account has. */
const forgedName = (nonce: string): string => `forged-by-check-${nonce}`;

/**
 * Returns an HMAC-SHA-256 in hexadecimal. Its key is derived, so that it is never the
 * signature of a cookie.
 */
function sealed(cookieSecret: string, purpose: string, text: string): string {
  const key = createHash('sha256')
    .update(`condor_credmon_webserver proxy check\n${cookieSecret}`)
    .digest();
  return createHmac('sha256', key).update(`${purpose}\n${text}`).digest('hex');
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

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

/** The headers of a request, and a description. */
export interface Forgery {
  readonly how: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * The result of a request: whether the forged name arrived, or why there was no answer.
 */
export type Trial =
  | { readonly kind: 'answered'; readonly how: string; readonly arrived: boolean }
  | { readonly kind: 'failed'; readonly why: string; readonly fix?: string | undefined };

/**
 * Returns requests that forge `header` (lower case) with the user name `forged`. The
 * first one is plain.
 */
export function forgeries(header: string, forged: string): readonly Forgery[] {
  const basic = `Basic ${Buffer.from(`${forged}:x`).toString('base64')}`;
  return [
    { how: 'as configured', headers: { [header]: forged } },
    { how: 'in upper case', headers: { [header.toUpperCase()]: forged } },
    { how: 'twice', headers: { [header]: [forged, forged] } },
    { how: 'with _ instead of -', headers: { [header.replaceAll('-', '_')]: forged } },
    {
      how: 'also listed in Connection',
      headers: { [header]: forged, connection: `close, ${header}` },
    },
    // nginx sets $remote_user from this header even if it has not verified the password.
    { how: 'as the user of HTTP Basic authentication', headers: { authorization: basic } },
  ];
}

/**
 * Returns an error if a forged name arrived, a warning if nothing was proved. `prefix` is
 * the URL of the requests.
 */
export function proxyFindings(
  header: string,
  prefix: string,
  trials: readonly Trial[],
): readonly Finding[] {
  const what = 'proxy';
  const passed = trials.flatMap((one) => (one.kind === 'answered' && one.arrived ? [one.how] : []));
  if (passed.length > 0)
    return [
      wrong(
        what,
        `${prefix} passes ${header} from browsers to the portal (sent ${[...new Set(passed)].join('; ')}), ` +
          'so anyone can claim to be any user; ' +
          'fix: condor_credmon_webserver --print-proxy-config nginx (or apache), ' +
          'include that file in the proxy, and reload it',
      ),
    ];
  if (trials.some(({ kind }) => kind === 'answered'))
    return [ok(what, `${prefix} replaces ${header}: a forged user name did not reach the portal`)];
  const failures = trials.flatMap((one) => (one.kind === 'failed' ? [one] : []));
  const reasons = [...new Set(failures.map(({ why }) => why))].join('; ');
  const fix =
    failures.find((one) => one.fix !== undefined)?.fix ??
    'start the portal and the proxy, allow requests below /proxy-check/ without ' +
      'sign-in, and run --check on the host of the proxy';
  return [
    warning(what, `not tested whether ${prefix} replaces ${header}: ${reasons}; fix: ${fix}`),
  ];
}
