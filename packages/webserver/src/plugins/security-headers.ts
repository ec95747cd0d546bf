// The security headers of every answer, made once: helmet builds the same texts for each
// request otherwise.
import helmet from 'helmet';
import type { FastifyReply } from 'fastify';
import type { Settings } from '../settings/settings.ts';

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** Returns helmet's headers for these settings. */
export function securityHeaders({ secure }: Pick<Settings, 'secure'>): Headers {
  const headers: Record<string, string> = {};
  const set = (name: string, value: string): void => {
    headers[name.toLowerCase()] = value;
  };
  const apply = helmet({
    contentSecurityPolicy: false,
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: secure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  });
  const target = { setHeader: set, removeHeader: () => undefined };
  apply(...([{}, target, () => undefined] as unknown as Parameters<typeof apply>));
  headers['content-security-policy'] = contentPolicy([]);
  return headers;
}

/** Returns the headers of every page, names and values in turn. */
export function headerList(settings: Pick<Settings, 'secure'>): readonly string[] {
  return Object.entries(pageHeaders(settings)).flat();
}

/** Returns the headers of every page. */
export function pageHeaders(settings: Pick<Settings, 'secure'>): Headers {
  return { ...securityHeaders(settings), 'cache-control': 'no-store' };
}

/** Security headers for invalid URLs: Fastify answers them before any plugin runs. */
export const BARE_HEADERS: Headers = {
  'content-security-policy':
    "default-src 'none';style-src 'self';img-src 'self';base-uri 'none';frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/**
 * Allows the forms of this page to redirect to these issuers: browsers apply form-action
 * also to the redirect after a form.
 * @param origins origins of URLs, without spaces and semicolons
 */
export function allowFormsTo(reply: FastifyReply, origins: readonly string[]): void {
  reply.header('content-security-policy', contentPolicy(origins));
}

function contentPolicy(origins: readonly string[]): string {
  return (
    "default-src 'none';style-src 'self';img-src 'self';base-uri 'none';" +
    `frame-ancestors 'none';form-action ${["'self'", ...new Set(origins)].join(' ')}`
  );
}
