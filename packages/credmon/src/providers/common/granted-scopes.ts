// Compares the granted scopes with the requested ones by the provider's rules: more is an
// error, fewer is a note.
import { CodedError, isRecord, jwtClaims } from '@credmon/core/base';
import { splitScopes } from '@credmon/core/credential';
import { compareGrant, differenceNote, widerText, type ScopeRules } from '@credmon/core/profiles';
import type { StandingToken } from '../../settings/standing.ts';

/**
 * `asked`: the scopes as sent; `granted`: the scopes of the answer, if given; `scopes`:
 * the rules of the provider `name`; `isOneOfSeveral`: other tokens have the other scopes.
 */
interface Grant {
  readonly name: string;
  readonly asked: string;
  readonly granted: string | undefined;
  readonly scopes: ScopeRules;
  readonly isOneOfSeveral?: boolean;
}

/**
 * Returns a note for the administrator about the granted scopes, if any.
 * @throws CodedError `SCOPE_WIDENED` when the rules refuse a granted scope
 * @see RFC 6749, sections 3.3 and 6
 */
export function checkScopes({ name, asked, granted, scopes, isOneOfSeveral }: Grant): {
  readonly note?: string;
} {
  const found = compareGrant(scopes, asked, granted);
  const difference = isOneOfSeveral === true ? { ...found, narrower: [] } : found;
  if (difference.refused.length === 0) return joinNotes(differenceNote(scopes, difference));
  throw new CodedError(
    'SCOPE_WIDENED',
    widerText(name, `the issuer of ${name}`, scopes, difference.refused),
    { provider: name },
  );
}

// Compares the audience of a token with the requested one.

/**
 * Audiences that every service accepts.
 * @see SciTokens claims, section "aud"; WLCG Common JWT Profiles, section "aud"
 */
const ANY_AUDIENCE = ['ANY', 'https://wlcg.cern.ch/jwt/v1/any'];

/**
 * Returns a clause for the administrator if a JWT names none of the requested audiences
 * and resources. It is not an error: issuers may choose, and some services do not check.
 * Opaque tokens cannot be checked.
 * @see RFC 8693, section 2.1; RFC 8707, section 2.2
 */
export function audienceNote(asked: readonly string[], accessToken: string): string | undefined {
  const claims = asked.length === 0 ? undefined : jwtClaims(accessToken);
  if (!claims) return undefined;
  const given = splitScopes(wordsOf(claims['aud']) ?? '');
  const wanted = asked.flatMap(splitScopes);
  if (given.some((one) => wanted.includes(one) || ANY_AUDIENCE.includes(one))) return undefined;
  const audience = given.length === 0 ? 'without an audience' : `for ${shownNames(given)}`;
  return `the issuer gave a token ${audience}, not for ${shownNames(wanted)}; services may reject it`;
}

/** Joins several notes. */
export function joinNotes(...notes: readonly (string | undefined)[]): { readonly note?: string } {
  const texts = notes.filter((note) => note !== undefined);
  return texts.length === 0 ? {} : { note: texts.join('; ') };
}

function shownNames(names: readonly string[]): string {
  return names.slice(0, 20).join(' ').slice(0, 300);
}

// Reads the claims of a standing token on disk: unverified, only for a comparison with
// the configuration.

/** Returns the access token in a file of this format; `undefined` when there is none. */
export function accessTokenIn(text: string, format: StandingToken['format']): string | undefined {
  if (format === 'jwt') return text.startsWith('{') ? undefined : text.trim();
  const contents = parsed(text);
  const token = isRecord(contents) ? contents['access_token'] : undefined;
  return typeof token === 'string' ? token : undefined;
}

/**
 * Returns a string claim, or a list of strings joined with blanks. A missing claim is
 * empty; any other type is `undefined`.
 */
export function wordsOf(claim: unknown): string | undefined {
  if (claim === undefined || typeof claim === 'string') return claim ?? '';
  return Array.isArray(claim) && claim.every((item) => typeof item === 'string')
    ? claim.join(' ')
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The file will be replaced; its text must not be shown.
    return undefined;
  }
}
