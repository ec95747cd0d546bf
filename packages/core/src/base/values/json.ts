// Checks of untrusted JSON, and the text of an HTTP body: issuers put byte order marks
// before their JSON, which JSON forbids.

/** True for a JSON object: not null, not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * True when a value nests at most `levels` levels. JSON.parse reads deeper values, but
 * JSON.stringify overflows the stack.
 */
export function nestsWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => nestsWithin(inner, levels - 1));
}

// Unverified tokens: their claims may be used for scheduling and to reject a token, never
// to accept one.

/**
 * Returns the claims of a JWT, unverified, or `undefined` if it is not a JWT.
 * @see RFC 7519, section 7.2
 */
export function jwtClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  return jwtPart(token, 1);
}

/**
 * Returns the header of a JWT, unverified, or `undefined` if it is not a JWT.
 * @see RFC 7515, section 4
 */
export function jwtHeader(token: string): Readonly<Record<string, unknown>> | undefined {
  return jwtPart(token, 0);
}

function jwtPart(token: string, index: 0 | 1): Record<string, unknown> | undefined {
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return undefined;
  try {
    const part = Buffer.from(token.split('.', 2)[index] ?? '', 'base64url').toString('utf8');
    const value: unknown = JSON.parse(part);
    return isRecord(value) ? value : undefined;
  } catch {
    // An opaque token may also have three base64url parts.
    return undefined;
  }
}

/**
 * Returns the text of a body without its byte order mark. Decodes UTF-16 if the mark says
 * so, else UTF-8. Never throws.
 */
export function bodyText(body: Uint8Array): string {
  const [first, second] = body;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(body);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(body);
  return new TextDecoder().decode(body);
}
