// Secrets in texts for people: search and masking. Pure.
import { readingsOf, textsOf, type Reading } from './refresh-spelling.ts';

/**
 * A shorter secret, in characters, is masked only as a whole word: it may be part of many
 * words.
 */
export const SHORT_SECRET = 8;

/** Replaces a secret. */
export const MASK = '[...]';

/** A longer text, in characters, is not searched but masked as a whole. */
const LONGEST_TEXT = 16_384;

/**
 * A part of a text: the offset of its first character, and the offset after its last one.
 */
type Range = readonly [start: number, end: number];

/**
 * Returns `text` with {@link MASK} in place of each secret; a secret of fewer than {@link
 * SHORT_SECRET} characters is masked only as a whole word. Also finds secrets that are
 * percent-encoded, with JSON escapes or HTML entities, or in base64 as in an
 * Authorization header. Interpret a text before masking it: a mask may replace part of a
 * keyword. A text of more than 16,384 characters is masked as a whole.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret !== '');
  if (known.length === 0) return text;
  if (text.length > LONGEST_TEXT) return MASK;
  return masked(
    text,
    readingsOf(text).flatMap((reading) => rangesIn(reading, known)),
  );
}

/** Returns the parts of the original text that contain a secret. */
function rangesIn({ text, starts }: Reading, secrets: readonly string[]): Range[] {
  const found = [
    ...secrets.flatMap((secret) => rangesOfSecret(secret, text)),
    ...inBase64(text, secrets),
  ];
  return found.map(([start, end]) => [starts[start] ?? 0, starts[end] ?? 0]);
}

function rangesOfSecret(secret: string, text: string): Range[] {
  const literal = secret.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
  const pattern = secret.length >= SHORT_SECRET ? literal : String.raw`(?<!\w)${literal}(?!\w)`;
  return [...text.matchAll(new RegExp(pattern, 'g'))].map(({ index }) => [
    index,
    index + secret.length,
  ]);
}

/**
 * Finds words that are a secret in base64: alone, after a client ID and a colon, or a
 * long secret anywhere in the word.
 */
function inBase64(text: string, secrets: readonly string[]): Range[] {
  const holdsSecret = (decoded: string): boolean =>
    secrets.some(
      (secret) =>
        decoded === secret ||
        decoded.endsWith(`:${secret}`) ||
        (secret.length >= SHORT_SECRET && decoded.includes(secret)),
    );
  return [...text.matchAll(/[\w+/-]{4,}={0,2}/g)]
    .filter(([word]) => textsOf(Buffer.from(word, 'base64').toString('utf8')).some(holdsSecret))
    .map(({ 0: word, index }) => [index, index + word.length]);
}

/** Overlapping ranges get one mask. */
function masked(text: string, ranges: readonly Range[]): string {
  let done = 0;
  const parts: string[] = [];
  for (const [start, end] of ranges.toSorted(([a], [b]) => a - b)) {
    if (start >= done) parts.push(text.slice(done, start), MASK);
    done = Math.max(done, end);
  }
  return [...parts, text.slice(done)].join('');
}
