// The text of an HTTP body. Issuers put byte order marks before their JSON, which JSON
// forbids.

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
