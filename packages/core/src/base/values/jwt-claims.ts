// Looks into a token that nobody verifies here: what it says may be used for scheduling
// and against it, never for it.
import { isRecord } from './json.ts';

/**
 * The claims of a JWT, unverified; `undefined` when it is none.
 * @see RFC 7519, section 7.2
 */
export function jwtClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isRecord(claims) ? claims : undefined;
  } catch {
    // Three base64url parts are not yet a JWT; an opaque token may look so.
    return undefined;
  }
}
