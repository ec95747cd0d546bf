// Authorization: what a verified token allows at one service, decided only after all of
// its scopes have been judged.
import { CodedError } from '@credmon/core/base';
import {
  checkTypes,
  WLCG_ANY_AUDIENCE,
  type CheckedClaims,
  type Profile,
  badClaim,
} from '../token/claims.ts';
import {
  hiddenMeaning,
  normalisePath,
  readAuthorization,
  splitScope,
  type Authorization,
} from '../token/scope.ts';
import { unknownIssuer, type VerifiedToken } from './verify.ts';

/**
 * What this service answers to: one audience or several, and the issuers it trusts (all
 * verified ones unless given).
 */
export interface EnforceOptions {
  readonly audience: string | readonly string[];
  readonly issuers?: readonly string[];
}

/** What a token allows. */
export interface Enforcer {
  /**
   * True when the token allows `authz` on `path`; names as in SciTokens (`read`, `write`,
   * `condor`...) also for WLCG tokens.
   */
  test(authz: string, path: string): boolean;
  /** Everything it allows, WLCG names translated. */
  acls(): readonly Authorization[];
}

/**
 * Checks audience, issuer, claim types and every scope of a token, once.
 * @throws CodedError `TOKEN_WRONG_AUDIENCE`, `TOKEN_UNKNOWN_ISSUER`, `TOKEN_BAD_CLAIM`,
 * `TOKEN_BAD_PROFILE`, and `TOKEN_BAD_SCOPE` when any scope, asked for or not, could be
 * misread.
 */
export function enforce(token: VerifiedToken, { audience, issuers }: EnforceOptions): Enforcer {
  const { profile } = token;
  if (issuers !== undefined && !issuers.includes(token.claims.iss))
    throw unknownIssuer(token.claims.iss);
  const claims: CheckedClaims = checkTypes(profile, token.claims);
  checkAudience(profile, claims.aud, listOf(audience));
  const granted = splitScope(claims.scope).map(readAuthorization);
  const acls = profile === 'wlcg:1.0' ? translateWlcg(granted) : granted;
  return {
    acls: () => acls,
    test(authz, path) {
      if (authz === '' || hiddenMeaning(path) !== undefined) return false;
      const wanted = normalisePath(path);
      return acls.some((acl) => acl.authz === authz && isWithin(wanted, acl.path));
    },
  };
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

/** "Everybody" is something a token may say, in its profile's word; a service may not. */
const EVERYBODY: Readonly<Partial<Record<Profile, string>>> = {
  'scitoken:2.0': 'ANY',
  'wlcg:1.0': WLCG_ANY_AUDIENCE,
};

function checkAudience(
  profile: Profile,
  meant: CheckedClaims['aud'],
  ours: readonly string[],
): void {
  // A service that states no audience accepts only tokens that state none either.
  if (meant === undefined && ours.length === 0) return;
  const everybody = EVERYBODY[profile];
  const names = ours.filter((one) => !Object.values(EVERYBODY).includes(one));
  if (listOf(meant ?? []).some((one) => one === everybody || names.includes(one))) return;
  throw new CodedError(
    'TOKEN_WRONG_AUDIENCE',
    `the token is not meant for ${ours.join(' or ') || 'a service without name'}`,
    {
      audience: ours.join(' '),
    },
  );
}

/** True for `path` itself and what lies below it, by whole segments. */
function isWithin(path: string, base: string): boolean {
  return base === '/' || path === base || path.startsWith(`${base}/`);
}

const STORAGE: Readonly<Record<string, readonly string[]>> = {
  'storage.read': ['read'],
  'storage.create': ['write', 'create'],
  'storage.modify': ['write', 'modify'],
};
const COMPUTE_WRITE = ['compute.modify', 'compute.create', 'compute.cancel'];

/**
 * WLCG names in the terms of SciTokens, as scitokens-cpp has them; names without
 * counterpart stay.
 */
function translateWlcg(granted: readonly Authorization[]): Authorization[] {
  const translated = granted.flatMap(({ authz, path }): Authorization[] => {
    if (authz === 'compute.read') return [{ authz: 'condor', path: '/READ' }];
    const names = Object.hasOwn(STORAGE, authz) ? STORAGE[authz] : undefined;
    return (names ?? [authz]).map((name) => ({ authz: name, path }));
  });
  const writes = COMPUTE_WRITE.every((name) => granted.some(({ authz }) => authz === name));
  return writes ? [...translated, { authz: 'condor', path: '/WRITE' }] : translated;
}

// WLCG groups: who somebody is, where a token says that instead of what it allows.

const GROUP = /^(?:\/[A-Za-z0-9][A-Za-z0-9_.-]*)+$/;

/**
 * The groups of a WLCG token in the token's order (the first is the default one); none
 * for other tokens. Where a token has scopes too, those decide ({@link enforce}), not its
 * groups.
 * @throws CodedError `TOKEN_BAD_CLAIM` when the claim is not a list of group names.
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
 * True when the token names exactly this group: a member of `/vo/sub` is not thereby one
 * of `/vo`.
 */
export function isInGroup(token: VerifiedToken, group: string): boolean {
  return groupsOf(token).includes(group);
}
