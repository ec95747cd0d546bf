// The questions that JSON from strangers needs asked again and again.

/** True for a JSON object: not null, not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * True when a value nests at most so many levels. JSON.parse reads deeper values, but
 * JSON.stringify overflows the stack.
 */
export function nestsWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => nestsWithin(inner, levels - 1));
}

// Looks into a token that nobody verifies here: what it says may be used for scheduling
// and against it, never for it.

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
