// Secrets inside of texts that people read: where they are searched for, and what replaces them. Pure.

/** A secret shorter than this, in characters, is found only where it is a whole word: it may be part of many. */
export const SHORT_SECRET = 8;

/** Stands where a secret was. */
export const MASK = '[...]';

/**
 * Returns `text` with {@link MASK} in place of every secret: anywhere, but a secret of fewer than {@link SHORT_SECRET} characters only as a
 * whole word. What the text means must be decided before: a mask may be in the middle of a word that decides.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== '')
    .toSorted((a, b) => b.length - a.length)
    .reduce((masked, secret) => masked.replaceAll(patternOf(secret), MASK), text);
}

function patternOf(secret: string): RegExp | string {
  if (secret.length >= SHORT_SECRET) return secret;
  const literal = secret.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<!\w)${literal}(?!\w)`, 'g');
}
