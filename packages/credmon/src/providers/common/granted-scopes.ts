// Judges what an issuer granted against what was asked for: never more; less is told.
import { CodedError, isRecord, jwtClaims } from '@credmon/core/base';
import { compareScopes, splitScopes } from '@credmon/core/credential';
import type { StandingToken } from '../../settings/standing.ts';

/**
 * `asked` as it was sent; `granted` as the answer has it, if it says; `extra` are scopes
 * that may be granted unasked.
 */
interface Grant {
  readonly name: string;
  readonly asked: string;
  readonly granted: string | undefined;
  readonly extra: readonly string[];
}

/**
 * What the administrator should know of a grant.
 * @throws CodedError `SCOPE_WIDENED` when there are scopes that nobody asked for
 * @see RFC 6749, sections 3.3 and 6
 */
export function checkScopes({ name, asked, granted, extra }: Grant): { readonly note?: string } {
  const { wider, narrower } = compareScopes(asked, granted);
  const unasked = wider.filter((scope) => !extra.includes(scope));
  if (unasked.length === 0)
    return narrower.length === 0 ? {} : { note: `the issuer did not grant ${listed(narrower)}` };
  const fix = `if that is right, name them in CREDMON_${name}_EXTRA_SCOPES`;
  throw new CodedError(
    'SCOPE_WIDENED',
    `the issuer of ${name} granted more than was asked for (${listed(unasked, LONGEST_UNASKED)}), and the token was not stored; ${fix}`,
    { provider: name },
  );
}

/** @see RFC 6749, section 3.3 (scope-token) */
const SCOPE_TOKEN = /^[!#-[\]-~]+$/;

/**
 * What nobody asked for could be anything, a token too; longer ones are not shown, in
 * characters.
 */
const LONGEST_UNASKED = 19;

function listed(scopes: readonly string[], longest = Number.POSITIVE_INFINITY): string {
  const shown = scopes
    .slice(0, 20)
    .map((scope) => (SCOPE_TOKEN.test(scope) && scope.length <= longest ? scope : '[...]'));
  return [...new Set(shown)].join(' ').slice(0, 300);
}

// Judges for whom an issuer made a token against whom it was asked for.

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
  const claims = asked.length === 0 ? undefined : jwtClaims(accessToken);
  if (!claims) return undefined;
  const given = splitScopes(wordsOf(claims['aud']) ?? '');
  const wanted = asked.flatMap(splitScopes);
  if (given.some((one) => wanted.includes(one) || ANYBODY.includes(one))) return undefined;
  const whom = given.length === 0 ? 'without an audience' : `for ${shownNames(given)}`;
  return `the issuer gave a token ${whom}, not for ${shownNames(wanted)}; jobs may be refused`;
}

/** Several notes as one. */
export function joinNotes(...notes: readonly (string | undefined)[]): { readonly note?: string } {
  const said = notes.filter((note) => note !== undefined);
  return said.length === 0 ? {} : { note: said.join('; ') };
}

function shownNames(names: readonly string[]): string {
  return names.slice(0, 20).join(' ').slice(0, 300);
}

// What a standing token says that is in its place: unverified, and good for comparing
// with the configuration only.

/** The access token in a file of this format; `undefined` when there is none. */
export function accessTokenIn(text: string, format: StandingToken['format']): string | undefined {
  if (format === 'jwt') return text.startsWith('{') ? undefined : text.trim();
  const contents = parsed(text);
  const token = isRecord(contents) ? contents['access_token'] : undefined;
  return typeof token === 'string' ? token : undefined;
}

/**
 * A claim of one text or several as one text; no claim is an empty one, and `undefined`
 * is one of another type.
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
    // Whatever lies there is replaced; its text is nobody's business.
    return undefined;
  }
}
