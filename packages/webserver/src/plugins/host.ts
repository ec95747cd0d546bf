// Which requests the portal accepts from the proxy: the host name of the prefix (the
// session cookie would not be sent when the issuer redirects back to the prefix), and the
// REMOTE_USER header of the local account's owner.
import type { PortalContext } from '../flow/context.ts';
import { pageError } from '../pages/send-page.ts';
import { CodedError } from '@credmon/core/base';
import { KEY_FILE_NAME } from '@credmon/core/credential';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for routes that accept any host name. */
    anyHost?: boolean;
  }
}

/**
 * Requires the host name of the prefix. Ports are not compared, because proxies often
 * omit them.
 */
export function registerHostCheck(app: FastifyInstance, context: PortalContext): void {
  const wanted = new URL(context.settings.prefix).hostname;
  // Nearly all requests have the same header, and parsing it is dearer than all else here.
  let right: string | undefined;
  app.addHook('onRequest', (request, _reply, done) => {
    const { plain, anyHost } = request.routeOptions.config;
    const { host } = request.headers;
    if (plain === true || anyHost === true || (host !== undefined && host === right)) return done();
    const names = namesOf(context, request);
    if (host !== undefined && hostname(host) === wanted) right = host;
    if (names.length === 0 || names.includes(wanted)) return done();
    return done(
      pageError(
        'wrong-host',
        `the host name of the request is not ${wanted}, that of CREDMON_WEB_PREFIX; fix: set ` +
          'CREDMON_WEB_PREFIX to the address in the browser, or the proxy must pass on Host or ' +
          'X-Forwarded-Host',
      ) as FastifyError,
    );
  });
}

/**
 * Returns the host names that the browser may have used: the Host header, and
 * X-Forwarded-Host from a trusted proxy.
 */
function namesOf({ ports }: PortalContext, { headers, socket }: FastifyRequest): string[] {
  const forwarded = ports.isTrustedProxy(socket.remoteAddress)
    ? headers['x-forwarded-host']
    : undefined;
  // A client can send this header too; the proxy appends its own value.
  const last = [forwarded ?? ''].flat().join(',').split(',').at(-1)?.trim() ?? '';
  return [headers.host ?? '', last].filter((text) => text !== '').map(hostname);
}

function hostname(text: string): string {
  const url = `http://${text}`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}

/**
 * Returns the URL of the same page under the configured prefix; of a key link, with its
 * key.
 */
export function rightAddress({ settings }: PortalContext, { params }: FastifyRequest): string {
  const { key } = (params ?? {}) as { key?: unknown };
  return `${settings.prefix}/${typeof key === 'string' && KEY_FILE_NAME.test(key) ? `key/${key}` : ''}`;
}

/**
 * Compares the REMOTE_USER header of the proxy with the local user. Does nothing unless
 * CREDMON_WEB_REMOTE_USER_HEADER is set.
 * @throws CodedError `LOGIN_WRONG_USER`
 */
export function requireOwner(
  { settings, ports }: PortalContext,
  request: FastifyRequest,
  localUser: string,
): void {
  const { remoteUser } = settings;
  if (!remoteUser) return;
  const values = ports.isTrustedProxy(request.socket.remoteAddress)
    ? valuesOf(request, remoteUser.header)
    : [];
  const [user = ''] = values;
  if (user === '')
    throw new CodedError(
      'LOGIN_WRONG_USER',
      `the proxy sent no user name (header ${remoteUser.header})`,
    );
  if (values.length > 1)
    throw new CodedError(
      'LOGIN_WRONG_USER',
      `the proxy sent more than one ${remoteUser.header} header`,
    );
  const suffix = remoteUser.realm === undefined ? '' : `@${remoteUser.realm}`;
  const name = suffix !== '' && user.endsWith(suffix) ? user.slice(0, -suffix.length) : user;
  if (name !== localUser)
    throw new CodedError(
      'LOGIN_WRONG_USER',
      'the person signed in at the proxy is not the owner of the local account',
    );
}

/**
 * Returns all values of a header (lower case) in order. Node joins repeated headers or
 * keeps only the first.
 */
function valuesOf({ raw: { rawHeaders } }: FastifyRequest, header: string): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === header,
  );
}
