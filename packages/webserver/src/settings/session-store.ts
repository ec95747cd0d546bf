// Reads where sessions are stored: the directory CREDMON_WEB_SESSION_DIR, or a Redis
// server that several hosts share.
import { isLoopbackHost } from '@credmon/core/base';
import type { KnobReader } from '@credmon/core/config';

/**
 * A Redis or Valkey server. The password file is read when the portal connects at start
 * or reload.
 */
export type RedisAddress = (
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: boolean }
) & {
  readonly database: number;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
};

const KNOB = 'CREDMON_WEB_SESSION_STORE';
const FORMS =
  'write rediss://HOST[:PORT][/DATABASE], redis:// for a loopback address, or unix:/path';

/**
 * Returns the configured Redis server; `undefined` for the directory. Errors are added to
 * `read` without text that may be a password.
 */
export function readSessionStore(read: KnobReader): RedisAddress | undefined {
  const text = read.string('CREDMON_WEB_SESSION_STORE');
  const passwordFile = read.path('CREDMON_WEB_SESSION_STORE_PASSWORD_FILE');
  if (text.toLowerCase() === 'directory') {
    if (passwordFile !== undefined)
      read.mistake(
        'CREDMON_WEB_SESSION_STORE_PASSWORD_FILE',
        `is set, but ${KNOB} does not name a server`,
      );
    return undefined;
  }
  const address = parse(text);
  if (typeof address !== 'string') return { ...address, passwordFile };
  read.mistake(KNOB, `cannot be used: ${address}`);
  return undefined;
}

function parse(text: string): RedisAddress | string {
  const path = /^unix:(.*)$/s.exec(text)?.[1];
  if (path !== undefined)
    return path.startsWith('/')
      ? { kind: 'unix', path, database: 0 }
      : 'unix: needs an absolute path';
  if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return FORMS;
  const { protocol, hostname, port, pathname, username, password, search, hash } = new URL(text);
  if (password !== '')
    return 'it contains a password; use CREDMON_WEB_SESSION_STORE_PASSWORD_FILE instead';
  if (search !== '' || hash !== '' || !/^(\/\d{0,3})?$/.test(pathname) || hostname === '')
    return FORMS;
  const tls = protocol === 'rediss:';
  if (!tls && !isLoopbackHost(hostname))
    return 'redis:// is allowed only for a loopback address; use rediss://';
  return {
    kind: 'tcp',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    tls,
    database: Number(pathname.slice(1)),
    user: username === '' ? undefined : decodeURIComponent(username),
  };
}
