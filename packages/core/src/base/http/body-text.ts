// The text of an HTTP body: issuers put byte order marks in front of their JSON, which
// JSON itself forbids.

/**
 * Returns the text of a body without its byte order mark. UTF-16 is read where its mark
 * says so, everything else is UTF-8. Never throws.
 */
export function bodyText(body: Uint8Array): string {
  const [first, second] = body;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(body);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(body);
  return new TextDecoder().decode(body);
}
