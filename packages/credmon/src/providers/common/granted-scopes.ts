// Compares the granted scopes with the requested ones: more is an error, fewer is a note.
import { CodedError, isRecord, jwtClaims } from '@credmon/core/base';
import { compareScopes, splitScopes } from '@credmon/core/credential';
import type { StandingToken } from '../../settings/standing.ts';

/**
 * `asked`: the scopes as sent; `granted`: the scopes of the answer, if given; `extra`:
 * scopes that may be granted without a request.
 */
interface Grant {
  readonly name: string;
  readonly asked: string;
  readonly granted: string | undefined;
  readonly extra: readonly string[];
}

/**
 * Returns a note for the administrator about the granted scopes, if any.
 * @throws CodedError `SCOPE_WIDENED` when there are scopes that were not requested
 * @see RFC 6749, sections 3.3 and 6
 */
export function checkScopes({ name, asked, granted, extra }: Grant): { readonly note?: string } {
  const { wider, narrower } = compareScopes(asked, granted);
  const unrequested = wider.filter((scope) => !extra.includes(scope));
  if (unrequested.length === 0)
    return narrower.length === 0 ? {} : { note: `the issuer did not grant ${listed(narrower)}` };
  const fix = `to accept them, list them in CREDMON_${name}_EXTRA_SCOPES`;
  throw new CodedError(
    'SCOPE_WIDENED',
    `the issuer of ${name} granted more scopes than requested (${listed(unrequested, MAX_UNREQUESTED)}); ` +
      `the token was not stored; ${fix}`,
    { provider: name },
  );
}

/** @see RFC 6749, section 3.3 (scope-token) */
const SCOPE_TOKEN = /^[!#-[\]-~]+$/;

/**
 * Maximum length, in characters, of an unrequested scope that is shown: it could be
 * anything, even a token.
 */
const MAX_UNREQUESTED = 19;

function listed(scopes: readonly string[], longest = Number.POSITIVE_INFINITY): string {
  const shown = scopes
    .slice(0, 20)
    .map((scope) => (SCOPE_TOKEN.test(scope) && scope.length <= longest ? scope : '[...]'));
  return [...new Set(shown)].join(' ').slice(0, 300);
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
