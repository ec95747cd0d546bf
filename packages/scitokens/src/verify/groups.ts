// WLCG groups: who somebody is, where a token says that instead of what it allows.
import { badClaim } from '../token/claims.ts';
import type { VerifiedToken } from './verify.ts';

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
export function isGroupName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= 1000 && GROUP.test(name);
}

/**
 * True when the token names exactly this group: a member of `/vo/sub` is not thereby one
 * of `/vo`.
 */
export function isInGroup(token: VerifiedToken, group: string): boolean {
  return groupsOf(token).includes(group);
}
