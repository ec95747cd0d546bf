// Stops a visitor who came under another name than the prefix's before anything is begun:
// his cookie would not come back with the issuer's answer.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { KEY_FILE_NAME } from '@credmon/core/credential';
import type { PortalContext } from '../flow/context.ts';
import { pageError } from '../pages/page-error.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for routes that may be asked for under any host name. */
    anyHost?: boolean;
  }
}

/**
 * Demands the prefix's host name of every page. Ports are not compared: proxies often
 * leave them out.
 */
export function registerHostCheck(app: FastifyInstance, context: PortalContext): void {
  const wanted = new URL(context.settings.prefix).hostname;
  app.addHook('onRequest', async (request) => {
    const { plain, anyHost } = request.routeOptions.config;
    if (plain === true || anyHost === true) return;
    const names = namesOf(context, request);
    if (names.length > 0 && !names.includes(wanted)) throw pageError('wrong-host');
  });
}

/**
 * The names that the browser may have used: what the proxy passes on, and what it says
 * that it was asked for.
 */
function namesOf({ ports }: PortalContext, { headers, socket }: FastifyRequest): string[] {
  const forwarded = ports.isTrustedProxy(socket.remoteAddress)
    ? headers['x-forwarded-host']
    : undefined;
  // A client may have sent the header as well; the proxy puts its own behind it.
  const last = [forwarded ?? ''].flat().join(',').split(',').at(-1)?.trim() ?? '';
  return [headers.host ?? '', last].filter((text) => text !== '').map(hostname);
}

function hostname(text: string): string {
  const url = `http://${text}`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}

/**
 * Where the same request belongs: made of the configuration and, of a key link, its key.
 */
export function rightAddress({ settings }: PortalContext, { params }: FastifyRequest): string {
  const { key } = (params ?? {}) as { key?: unknown };
  return `${settings.prefix}/${typeof key === 'string' && KEY_FILE_NAME.test(key) ? `key/${key}` : ''}`;
}
