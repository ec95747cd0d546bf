// An answer whose bytes are known before the request: with an ETag, and 304 for a client
// that has it.
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The text of an answer, its type, its entity tag, and how long caches may keep it. */
export interface FixedAnswer {
  readonly text: string;
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
}

/** Prepares an answer that public caches may keep for `seconds`. */
export function fixedAnswer(type: string, text: string, seconds: number): FixedAnswer {
  const digest = createHash('sha256').update(text).digest('base64url');
  return { text, type, etag: `"${digest}"`, cacheControl: `public, max-age=${seconds}` };
}

/**
 * Sends the answer, or 304 without a body if the client has it.
 * @see RFC 9110, sections 13.1.2 (If-None-Match) and 15.4.5 (304)
 */
export function sendFixed(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  { text, type, etag, cacheControl }: FixedAnswer,
): FastifyReply {
  reply.header('etag', etag).header('cache-control', cacheControl);
  const known = headers['if-none-match'];
  if (known !== undefined && hasTag(known, etag)) return reply.code(304).send();
  return reply.header('content-type', type).send(text);
}

/** The comparison is the weak one, as the RFC demands for If-None-Match. */
function hasTag(header: string, etag: string): boolean {
  if (header === etag || header.trim() === '*') return true;
  return header.split(',').some((part) => part.trim().replace(/^W\//, '') === etag);
}
