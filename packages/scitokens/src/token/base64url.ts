// Base64url where it must be exact: Node's decoder skips what it does not know, a
// verifier must not.

/**
 * Bytes of unpadded base64url (RFC 7515 section 2), or `undefined` for any other text.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  return text.length % 4 !== 1 && /^[\w-]*$/.test(text)
    ? Buffer.from(text, 'base64url')
    : undefined;
}

/**
 * The number in a JWK member, as bytes without leading zeros: padding is tolerated,
 * because the Python library's key files have it. `undefined` for other text and for
 * zero.
 */
export function decodeNumber(text: string): Buffer | undefined {
  const bytes = decodeBase64url(text.replace(/={1,2}$/, ''));
  const start = bytes?.findIndex((byte) => byte !== 0) ?? -1;
  return start < 0 ? undefined : bytes?.subarray(start);
}

/** Unpadded base64url. */
export function encodeBase64url(bytes: Uint8Array | string): string {
  return Buffer.from(bytes as string).toString('base64url');
}
