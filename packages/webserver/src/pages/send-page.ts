// Sends a rendered page with the data that all pages show.
import type { FastifyReply } from 'fastify';
import type { PortalContext } from '../flow/context.ts';

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
