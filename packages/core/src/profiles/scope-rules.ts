// Compares granted scopes with the requested ones, by the scope policy of the provider.
import { decodeComponent } from '../base/text/scope-path.ts';
import { compareScopes, splitScopes } from '../credential/token-response.ts';
import type { ScopePolicy } from './profile.ts';

/**
 * The rules for the scopes of a provider. `extra` (CREDMON_<PROVIDER>_EXTRA_SCOPES) may be
 * granted without a request, also under the policy `exact`; `generic`, `aliases` and
 * `prefixes` are those of the profile.
 */
export interface ScopeRules {
  readonly policy: ScopePolicy;
  readonly extra: readonly string[];
  readonly generic: readonly string[];
  /** Second names of scopes. */
  readonly aliases: Readonly<Record<string, string>>;
  /** A scope with this prefix is the same as the one without it. */
  readonly prefixes: readonly string[];
  /** True if the issuer's names of scopes are the same in any case. */
  readonly ignoresCase: boolean;
}

/**
 * The difference between requested and granted scopes. `refused` are reasons not to store
 * the token; `wider` were granted, but not requested; `narrower` were requested, but not
 * granted.
 */
export interface GrantDifference {
  readonly refused: readonly string[];
  readonly wider: readonly string[];
  readonly narrower: readonly string[];
}

/**
 * Compares scopes. A response without scope grants exactly the requested scopes; without
 * requested scopes, nothing is wider. A generic scope that was not granted is no
 * difference: some issuers never name it.
 *
 * - `exact`: texts are compared.
 * - `contained`: a scope with a path also grants every path below it, and the profile's
 *   second names and scopes without authority over data are accepted; case counts unless
 *   the profile says otherwise.
 * - `issuer`: nothing is refused.
 * @see RFC 6749, sections 3.3 and 6; WLCG Common JWT Profiles, "Scope-based Attribute
 * Selection"; SciTokens claims, "scope"
 */
export function compareGrant(
  rules: ScopeRules,
  asked: string,
  granted: string | undefined,
): GrantDifference {
  const byText = compareScopes(asked, granted);
  const { wider, narrower } =
    rules.policy === 'exact'
      ? { ...byText, wider: byText.wider.filter((scope) => !rules.extra.includes(scope)) }
      : byMeaning(rules, asked, granted, byText);
  return { refused: rules.policy === 'issuer' ? [] : wider, wider, narrower };
}

/** Leaves out differences of text that are none by the rules. */
function byMeaning(
  rules: ScopeRules,
  asked: string,
  granted: string | undefined,
  { wider, narrower }: ReturnType<typeof compareScopes>,
): ReturnType<typeof compareScopes> {
  const canonical = canonicalName(rules);
  const generic = rules.generic.map(canonical);
  const allowed = [...splitScopes(asked), ...rules.extra].map(canonical).concat(generic);
  const given = splitScopes(granted ?? '').map(canonical);
  const isAllowed = coveredBy(allowed);
  const isGiven = coveredBy([...given, ...generic]);
  return {
    wider: wider.filter((scope) => !isAllowed(canonical(scope))),
    narrower: narrower.filter((scope) => !isGiven(canonical(scope))),
  };
}

/** Returns a test whether a scope is one of `names`, or below one of them. */
function coveredBy(names: readonly string[]): (scope: string) => boolean {
  const known = new Set(names);
  const wide = names.flatMap((name) => subtreeOf(name) ?? []);
  return (scope) => {
    if (known.has(scope)) return true;
    const narrow = subtreeOf(scope);
    return narrow !== undefined && wide.some((one) => isBelow(one, narrow));
  };
}

function canonicalName({ aliases, prefixes, ignoresCase }: ScopeRules): (scope: string) => string {
  const fold = (text: string): string => (ignoresCase ? text.toLowerCase() : text);
  const names = new Map(Object.entries(aliases).map(([one, other]) => [fold(one), fold(other)]));
  const starts = prefixes.map(fold);
  return (scope) => {
    const named = names.get(fold(scope)) ?? fold(scope);
    const start = starts.find((one) => named.startsWith(one));
    return start === undefined ? named : named.slice(start.length);
  };
}

/** Authorizations whose path permits everything below it. */
const WITH_PATH = /^(read|write|storage\.(?:read|create|modify|stage)):(\/.*)$/;

/**
 * True if `wide` is a SciTokens or WLCG scope with a path, and `narrow` the same
 * authorization for a path below it. Paths are compared decoded. For verifiers that do not
 * decode, `narrow` must also be spelled like `wide`, or without escapes. Paths with dot
 * segments, encoded separators, invalid or double escapes, backslashes or empty segments
 * are not interpreted.
 */
export function containsScope(wide: string, narrow: string): boolean {
  const [outer, inner] = [subtreeOf(wide), subtreeOf(narrow)];
  return (
    outer !== undefined &&
    inner !== undefined &&
    isBelow(outer, inner) &&
    outer.spelled.every(
      (one, index) =>
        inner.spelled[index] === one || inner.spelled[index] === outer.segments[index],
    )
  );
}

/**
 * An authorization and the segments of its path, decoded, and as they are in the scope.
 */
interface Subtree {
  readonly name: string;
  readonly segments: readonly string[];
  readonly spelled: readonly string[];
}

function subtreeOf(scope: string): Subtree | undefined {
  const [, name, path] = WITH_PATH.exec(scope) ?? [];
  const spelled = path?.replace(/\/$/, '').split('/').slice(1);
  const segments = spelled === undefined ? undefined : decodedSegments(spelled);
  return name === undefined || spelled === undefined || segments === undefined
    ? undefined
    : { name, segments, spelled };
}

function isBelow(outer: Subtree, inner: Subtree): boolean {
  return (
    outer.name === inner.name &&
    outer.segments.every((segment, index) => inner.segments[index] === segment)
  );
}

/** Returns the decoded segments; `undefined` if readers could disagree about one. */
function decodedSegments(spelled: readonly string[]): readonly string[] | undefined {
  const segments: string[] = [];
  for (const segment of spelled) {
    const decoded = decodeComponent(segment);
    if ('problem' in decoded || decoded.text === '' || decoded.text === '.') return undefined;
    segments.push(decoded.text);
  }
  return segments;
}

// The text of a refusal, and of a note.

/** @see RFC 6749, section 3.3 (scope-token) */
const SCOPE_TOKEN = /^[!#-[\]-~]+$/;

/** Returns whether a scope has only characters that are allowed in scopes. */
export function isScope(text: string): boolean {
  return SCOPE_TOKEN.test(text);
}

/** Maximum length of a scope in characters, and number of scopes, in a message. */
const LONGEST = 256;
const MOST = 60;

/**
 * True for a word that may be a token, because an issuer may repeat one as a scope: a JWT,
 * or a long part with digits that is no UUID.
 */
function mayBeToken(scope: string): boolean {
  if (scope.startsWith('eyJ')) return true;
  return scope
    .split(/[^\w~+=-]/)
    .some((part) => part.length >= 24 && /\d/.test(part) && !UUID.test(part));
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Returns scopes for a message: whole, but for one that may be a token. */
export function shownScopes(scopes: readonly string[]): string {
  const shown = scopes
    .slice(0, MOST)
    .map((scope) =>
      isScope(scope) && scope.length <= LONGEST && !mayBeToken(scope) ? scope : '[...]',
    );
  const rest = scopes.length > MOST ? ` and ${scopes.length - MOST} more` : '';
  return [...new Set(shown)].join(' ') + rest;
}

/**
 * Returns the message for refused scopes, with the line to paste into the configuration.
 * `source` is who granted them: "the issuer of mytok".
 */
export function widerText(
  provider: string,
  source: string,
  { extra, policy }: ScopeRules,
  refused: readonly string[],
): string {
  const other =
    policy === 'exact'
      ? ''
      : `CREDMON_${provider}_SCOPE_POLICY = issuer if the issuer decides about scopes, or set `;
  // The line to paste comes last.
  return (
    `${source} granted more scopes than requested (${shownScopes(refused)}); ` +
    `the token was not stored; to accept them, set ${other}this line, by which new logins ` +
    `request them too: CREDMON_${provider}_EXTRA_SCOPES = ${shownScopes([...extra, ...refused])}`
  );
}

/** Returns the note about a grant that is stored and differs, as a clause, if it does. */
export function differenceNote(
  { policy }: ScopeRules,
  { wider, narrower }: GrantDifference,
): string | undefined {
  const parts = [
    ...(policy === 'issuer' && wider.length > 0
      ? [`the issuer also granted ${shownScopes(wider)}`]
      : []),
    ...(narrower.length > 0 ? [`the issuer did not grant ${shownScopes(narrower)}`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}
