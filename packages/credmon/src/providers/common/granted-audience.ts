// Judges for whom an issuer made a token against whom it was asked for.
import { splitScopes } from '@credmon/core/credential';
import { claimsOf, wordsOf } from './claims.ts';

/**
 * Audiences that every server accepts.
 * @see SciTokens claims, section "aud"; WLCG Common JWT Profiles, section "aud"
 */
const ANYBODY = ['ANY', 'https://wlcg.cern.ch/jwt/v1/any'];

/**
 * What the administrator should know of a token's audience: a clause when a JWT names
 * none of what was asked for (audiences and resources). Issuers may choose, and some
 * servers do not look, so it is not a refusal. An opaque token says nothing.
 * @see RFC 8693, section 2.1; RFC 8707, section 2.2
 */
export function audienceNote(asked: readonly string[], accessToken: string): string | undefined {
  const claims = asked.length === 0 ? undefined : claimsOf(accessToken);
  if (!claims) return undefined;
  const given = splitScopes(wordsOf(claims['aud']) ?? '');
  const wanted = asked.flatMap(splitScopes);
  if (given.some((one) => wanted.includes(one) || ANYBODY.includes(one))) return undefined;
  const whom = given.length === 0 ? 'without an audience' : `for ${listed(given)}`;
  return `the issuer gave a token ${whom}, not for ${listed(wanted)}; jobs may be refused`;
}

/** Several notes as one. */
export function joinNotes(...notes: readonly (string | undefined)[]): { readonly note?: string } {
  const said = notes.filter((note) => note !== undefined);
  return said.length === 0 ? {} : { note: said.join('; ') };
}

function listed(names: readonly string[]): string {
  return names.slice(0, 20).join(' ').slice(0, 300);
}
