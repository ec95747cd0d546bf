// The account that signed in at a provider, as people know it.
import type { TokenAnswer } from '@credmon/core/credential';

/**
 * Claims that name a person, the most telling first. A person can choose a `name` freely,
 * so it comes after those that are unique.
 */
const NAMES = ['preferred_username', 'email', 'name', 'sub'] as const;

/** The longest text that is shown of one claim, in characters. */
const LONGEST = 80;

/**
 * The account that a verified ID token names: what identifies it, and the person's name
 * in parentheses where the token has both. `undefined` where no ID token was verified, or
 * it names nobody.
 * @see OpenID Connect Core 1.0, section 5.1
 */
export function accountName({ claims }: TokenAnswer): string | undefined {
  const texts = NAMES.map((claim) => readable(claims?.[claim]));
  const first = texts.find((text) => text !== '');
  const name = readable(claims?.['name']);
  return first === undefined || name === '' || name === first ? first : `${first} (${name})`;
}

/**
 * Without control and direction characters, which could make one name look like another.
 */
function readable(value: unknown): string {
  if (typeof value !== 'string') return '';
  const text = value.replaceAll(/\p{C}/gu, ' ').replaceAll(/\s+/g, ' ').trim();
  // By characters, so that none is cut in two.
  return Array.from(text).slice(0, LONGEST).join('');
}
