// Says whether a text holds one of many secrets, in time that grows with texts and
// secrets together, not with their product. Pure.
import { textsOf } from './readings.ts';
import { SHORT_SECRET } from './secret-text.ts';

/** So many characters are compared; after them the end of a secret is enough. */
const MOST_COMPARED = 4 * 1024 * 1024;

/**
 * Returns a function that says whether a text equals a secret, contains one of at least
 * {@link SHORT_SECRET} characters, or has a shorter one as a whole word; also where the
 * text is percent-encoded or has escapes of JSON or HTML.
 */
export function secretSearch(secrets: readonly string[]): (text: string) => boolean {
  const known = new Set(secrets.filter((secret) => secret !== ''));
  if (known.size === 0) return () => false;
  const words = new Set([...known].filter((secret) => secret.length < SHORT_SECRET));
  const hasPart = partSearch([...known].filter((secret) => secret.length >= SHORT_SECRET));
  const shortest = words.size > 0 ? 1 : SHORT_SECRET;
  return (text) =>
    text.length >= shortest &&
    textsOf(text).some(
      (read) =>
        known.has(read) ||
        hasPart(read) ||
        (words.size > 0 && read.split(/[^\w.~+/-]+/).some((word) => words.has(word))),
    );
}

/**
 * Every place of a text is looked up among the ends of all secrets: heads are alike where
 * secrets are JWTs.
 */
function partSearch(secrets: readonly string[]): (text: string) => boolean {
  const byEnd = new Map<string, string[]>();
  for (const secret of secrets) {
    const end = secret.slice(-SHORT_SECRET);
    const alike = byEnd.get(end);
    if (alike) alike.push(secret);
    else byEnd.set(end, [secret]);
  }
  const lasts = new Set(secrets.map((secret) => secret.charCodeAt(secret.length - 1)));
  let compared = 0;
  const matches = (secret: string, text: string, end: number): boolean => {
    compared += secret.length;
    return compared > MOST_COMPARED || text.startsWith(secret, end - secret.length);
  };
  return (text) => {
    for (let end = SHORT_SECRET; end <= text.length; end += 1) {
      if (!lasts.has(text.charCodeAt(end - 1))) continue;
      const ending = byEnd.get(text.slice(end - SHORT_SECRET, end));
      if (ending?.some((secret) => matches(secret, text, end))) return true;
    }
    return false;
  };
}
