// Reads addresses: CREDMON_WEB_PREFIX, return URLs, and where to listen. Links and
// redirect URIs are made by appending a path to the prefix.
import { secureEndpoint, isCoded } from '@credmon/core/base';
import type { KnobReader } from '@credmon/core/config';
import type { Settings, ListenAddress } from './settings.ts';

const KNOB = 'CREDMON_WEB_PREFIX';

/**
 * Splits a URL into scheme, authority, path and the rest without changing it; a URL
 * parser would normalise it, but CredD does not.
 * @see RFC 3986, appendix B
 */
const PARTS = /^([a-z]*:\/\/)([^/?#\\]*)([^?#]*)(.*)$/is;

const RULES: readonly (readonly [(parts: Parts) => boolean, string])[] = [
  [({ whole }) => /[\s\p{Cc}]/u.test(whole), 'it contains white space'],
  [({ authority }) => authority.includes('@'), 'it contains user information'],
  [
    ({ authority }) =>
      !/^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d+)?$/i.test(authority.replace(/^.*@/s, '')),
    'its host is not a host name or an IP address',
  ],
  [
    ({ path }) => /[^A-Za-z0-9._~/-]/.test(path),
    'its path may contain only letters, digits and . _ ~ - (no percent-encoding)',
  ],
  [({ path }) => path.includes('//'), 'its path contains //'],
  [({ path }) => /\/\.{1,2}(\/|$)/.test(path), 'its path contains /./ or /../'],
  [
    ({ path }) => path.endsWith('/'),
    'it ends with a slash, but CredD appends one; remove the slash here and in the redirect URIs at the providers',
  ],
  [({ rest }) => rest.startsWith('?'), 'it has a query'],
  [({ rest }) => rest.includes('#'), 'it has a fragment'],
];

interface Parts {
  readonly whole: string;
  readonly authority: string;
  readonly path: string;
  readonly rest: string;
}

/**
 * Reads the prefix, its path, and whether browsers use https. Errors are added to `read`.
 */
export function readPrefix(
  read: KnobReader,
  allowLoopbackHttp: boolean,
): Pick<Settings, 'prefix' | 'mount' | 'secure'> {
  const text = read.string('CREDMON_WEB_PREFIX');
  const problems = problemsOf(text, allowLoopbackHttp);
  // The text before an @ may be a password.
  const shown = text.replace(/\/\/.*@/s, '//...@');
  for (const problem of problems) read.mistake(KNOB, `= ${shown} cannot be used: ${problem}`);
  if (problems.length > 0) return { prefix: 'https://localhost', mount: '', secure: true };
  const { protocol, pathname } = new URL(text);
  return { prefix: text, mount: pathname.replace(/^\/$/, ''), secure: protocol === 'https:' };
}

function problemsOf(whole: string, allowLoopbackHttp: boolean): string[] {
  const match = PARTS.exec(whole);
  if (!match) return ['it is not a URL such as https://host or https://host/path'];
  const [, , authority = '', path = '', rest = ''] = match;
  const found = RULES.filter(([isWrong]) => isWrong({ whole, authority, path, rest })).map(
    ([, problem]) => problem,
  );
  return found.length > 0 ? found : refusal(whole, allowLoopbackHttp);
}

function refusal(text: string, allowLoopbackHttp: boolean): string[] {
  try {
    secureEndpoint(text, KNOB, allowLoopbackHttp);
    return [];
  } catch (error) {
    if (!isCoded(error)) throw error;
    return [error.message];
  }
}

/** Returns why `returnUrl` is not a URL of this portal; `undefined` if it is one. */
export function returnUrlProblem(
  { prefix, mount }: Pick<Settings, 'prefix' | 'mount'>,
  returnUrl: string,
): string | undefined {
  const { origin, pathname } = new URL(returnUrl);
  const path = pathname.replaceAll(/\/+/g, '/');
  const served = path === `${mount}/return` || path.startsWith(`${mount}/return/`);
  return served && origin === new URL(prefix).origin ? undefined : `is not under ${prefix}/return`;
}

/**
 * Parses `HOST:PORT`, `[IPv6]:PORT`, `PORT` (on loopback), `unix:/path` or `fd:N`.
 * @returns the address, or why the text is invalid
 */
export function parseListenAddress(
  text: string,
): ListenAddress | { readonly kind: 'wrong'; readonly why: string } {
  const unix = /^unix:(.*)$/s.exec(text)?.[1];
  if (unix !== undefined)
    return unix.startsWith('/')
      ? { kind: 'unix', path: unix }
      : wrong('unix: needs an absolute path');
  const fd = /^fd:(\d{1,4})$/.exec(text)?.[1];
  if (fd !== undefined) return { kind: 'fd', descriptor: Number(fd) };
  const tcp = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):)?(\d{1,5})$/.exec(text);
  const port = Number(tcp?.[3] ?? -1);
  if (port < 0 || port > 65_535) return wrong('write HOST:PORT, unix:/path or fd:N');
  return { kind: 'tcp', host: tcp?.[1] ?? tcp?.[2] ?? '127.0.0.1', port };
}

const wrong = (why: string): { kind: 'wrong'; why: string } => ({ kind: 'wrong', why });
