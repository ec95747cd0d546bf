// The style sheet and the icon: what needs no session.
import type { FastifyInstance } from 'fastify';
import type { Desk } from '../flow/desk.ts';

/** Adds /style.css and /icon.svg. */
export function assetRoutes(app: FastifyInstance, { ports }: Desk): void {
  const cached = 'public, max-age=3600';
  const options = { config: { anyHost: true } };
  app.get('/style.css', options, (_request, reply) =>
    reply
      .header('cache-control', cached)
      .type('text/css; charset=utf-8')
      .send(ports.views.styleSheet),
  );
  app.get('/icon.svg', options, (_request, reply) =>
    reply.header('cache-control', cached).type('image/svg+xml').send(ports.views.icon),
  );
}
