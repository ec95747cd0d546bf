// Authorization: what a verified token permits at one service. All its scopes are checked
// first.
import { CodedError } from '@credmon/core/base';
import {
  checkTypes,
  WLCG_ANY_AUDIENCE,
  type CheckedClaims,
  type Profile,
  badClaim,
} from '../token/claims.ts';
import {
  ambiguousEncoding,
  isWithin,
  normalisePath,
  readAuthorization,
  splitScope,
  translateWlcg,
  type Authorization,
} from '../token/scope.ts';
import { unknownIssuer, type VerifiedToken } from './verify.ts';

/**
 * The audiences of this service, and the issuers it trusts (default: all verified ones).
 */
export interface EnforceOptions {
  readonly audience: string | readonly string[];
  readonly issuers?: readonly string[];
}

/** The authorizations of a token. */
export interface Enforcer {
  /**
   * True if the token permits `authz` on `path`. Names as in SciTokens (`read`, `write`,
   * `condor`...), also for WLCG tokens.
   */
  test(authz: string, path: string): boolean;
  /** Returns all authorizations, with WLCG names translated. */
  acls(): readonly Authorization[];
}

/**
 * Checks audience, issuer, claim types and all scopes of a token once.
 * @throws CodedError `TOKEN_WRONG_AUDIENCE`, `TOKEN_UNKNOWN_ISSUER`, `TOKEN_BAD_CLAIM`,
 * `TOKEN_BAD_PROFILE`, and `TOKEN_BAD_SCOPE` if any scope, requested or not, is ambiguous
 */
export function enforce(token: VerifiedToken, { audience, issuers }: EnforceOptions): Enforcer {
  const { profile } = token;
  if (issuers !== undefined && !issuers.includes(token.claims.iss))
    throw unknownIssuer(token.claims.iss);
  const claims: CheckedClaims = checkTypes(profile, token.claims);
  checkAudience(profile, claims.aud, listOf(audience));
  const acls = authorizationsOf(profile, claims.scope);
  return {
    acls: () => acls,
    test(authz, path) {
      if (authz === '' || ambiguousEncoding(path) !== undefined) return false;
      const wanted = normalisePath(path);
      return acls.some((acl) => acl.authz === authz && isWithin(wanted, acl.path));
    },
  };
}

/**
 * Returns all authorizations of a scope claim, with WLCG names translated.
 * @throws CodedError `TOKEN_BAD_SCOPE` if any scope is ambiguous
 */
export function authorizationsOf(profile: Profile, scope: string): readonly Authorization[] {
  const granted = splitScope(scope).map(readAuthorization);
  return profile === 'wlcg:1.0' ? translateWlcg(granted) : granted;
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

/**
 * The audience "every service" of each profile. Only tokens may have it, not services.
 */
const ANY_AUDIENCE: Readonly<Partial<Record<Profile, string>>> = {
  'scitoken:2.0': 'ANY',
  'wlcg:1.0': WLCG_ANY_AUDIENCE,
};

/**
 * Checks that a token is for one of a service's audiences.
 * @throws CodedError `TOKEN_WRONG_AUDIENCE`
 */
export function checkAudience(
  profile: Profile,
  meant: CheckedClaims['aud'],
  ours: readonly string[],
): void {
  // A service without an audience accepts only tokens without one.
  if (meant === undefined && ours.length === 0) return;
  const any = ANY_AUDIENCE[profile];
  // An empty audience names no service.
  const names = ours.filter((one) => one !== '' && !Object.values(ANY_AUDIENCE).includes(one));
  if (listOf(meant ?? []).some((one) => one === any || names.includes(one))) return;
  throw new CodedError(
    'TOKEN_WRONG_AUDIENCE',
    `audience mismatch: the token is not for ${ours.join(' or ') || 'a service without audience'}`,
    {
      audience: ours.join(' '),
    },
  );
}

// WLCG groups: tokens that identify a user instead of granting scopes.

const GROUP = /^(?:\/[A-Za-z0-9][A-Za-z0-9_.-]*)+$/;

/**
 * Returns the groups of a WLCG token in the token's order (the first is the default one);
 * none for other tokens. If a token also has scopes, the scopes decide ({@link enforce}),
 * not the groups.
 * @throws CodedError `TOKEN_BAD_CLAIM` if the claim is not a list of group names
 * @see WLCG Common JWT Profiles 1.3, "wlcg.groups"
 */
export function groupsOf({ profile, claims }: VerifiedToken): readonly string[] {
  const groups = claims['wlcg.groups'];
  if (profile !== 'wlcg:1.0' || groups === undefined) return [];
  if (!Array.isArray(groups) || !groups.every(isGroupName))
    throw badClaim('wlcg.groups', 'is not a list of groups');
  return groups;
}

/** True for names such as `/vo` and `/vo/sub`. */
function isGroupName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= 1000 && GROUP.test(name);
}

/**
 * True if the token has exactly this group: a member of `/vo/sub` is not automatically a
 * member of `/vo`.
 */
export function isInGroup(token: VerifiedToken, group: string): boolean {
  return groupsOf(token).includes(group);
}
