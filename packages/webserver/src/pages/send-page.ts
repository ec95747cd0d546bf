// Sends a rendered page with the data that all pages show.
import type { FastifyReply } from 'fastify';
import type { PortalContext } from '../flow/context.ts';
import type { Settings } from '../settings/settings.ts';

/** The templates in views/. */
export type PageName = 'home' | 'login' | 'redirect' | 'confirm' | 'declined' | 'switch' | 'error';

/** Renders `page` with `data` and sends it. */
export function sendPage(
  { settings, ports }: PortalContext,
  reply: FastifyReply,
  page: PageName,
  status: number,
  data: Readonly<Record<string, unknown>>,
): FastifyReply {
  const { mount, host, contact } = settings;
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .send(ports.views.render(page, { mount, host, contact, ...data }));
}

/** In a prepared page, the place of the reference; no text of ours contains it. */
const REFERENCE = '@reference@';
/** More pages than there are errors; a bound in any case. */
const MOST_PREPARED = 200;
/** The texts around the reference, by page and data. A reload has new settings. */
const prepared = new WeakMap<Settings, Map<string, readonly string[]>>();

/**
 * Sends a page that is rendered once for the same `data`, which must not depend on the
 * user or the request: only `reference` differs.
 */
export function sendPrepared(
  context: PortalContext,
  reply: FastifyReply,
  page: PageName,
  status: number,
  data: Readonly<Record<string, unknown>>,
  reference = '',
): FastifyReply {
  const { settings, ports } = context;
  const { mount, host, contact } = settings;
  const pages = prepared.get(settings) ?? new Map<string, readonly string[]>();
  prepared.set(settings, pages);
  const key = `${page} ${JSON.stringify(data)}`;
  let parts = pages.get(key);
  if (parts === undefined) {
    const all = { mount, host, contact, ...data, reference: REFERENCE };
    parts = ports.views.render(page, all).split(REFERENCE);
    if (pages.size >= MOST_PREPARED) pages.clear();
    pages.set(key, parts);
  }
  return reply.code(status).type('text/html; charset=utf-8').send(parts.join(reference));
}
