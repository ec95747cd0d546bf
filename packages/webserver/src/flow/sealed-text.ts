// Texts that only the browser which they are for can open: the key comes from the id in
// its cookie, which no store keeps.
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** How many bytes of chance {@link seal} wants. */
export const SEAL_RANDOM_BYTES: number = NONCE_BYTES;

/**
 * Encrypts a text. `secret` is what opens it again, `context` what it must then be
 * called; `nonce` are {@link SEAL_RANDOM_BYTES} of chance.
 * @see NIST SP 800-38D (AES-GCM); RFC 5869 (HKDF)
 */
export function seal(secret: string, context: string, nonce: Uint8Array, text: string): string {
  const cipher = createCipheriv(CIPHER, keyOf(secret, context), nonce);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

/**
 * Decrypts what {@link seal} made; `undefined` with another secret or context, and for
 * anything else.
 */
export function unseal(secret: string, context: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(
    CIPHER,
    keyOf(secret, context),
    bytes.subarray(0, NONCE_BYTES),
    {
      authTagLength: TAG_BYTES,
    },
  );
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    const body = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([body, decipher.final()]).toString('utf8');
  } catch {
    // The tag does not fit: sealed for another browser, or changed on the way.
    return undefined;
  }
}

function keyOf(secret: string, context: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', context, KEY_BYTES));
}
