// The check command's look at the expressions that decide on scopes: names that do not
// exist, and users whom a mistake refuses.
import { messageOf } from '@credmon/core/base';
import { parseExpression, type UserMap } from '@credmon/core/classad';
import { parseRequirement } from '../authz/group-requirement.ts';
import { sampleGroups, unknownNames, whyNoString } from './expression.ts';
import { warning, wrong, type Finding } from './finding.ts';
import type { LocalIssuer } from '../settings/local.ts';
import type { CheckWorld } from './context.ts';

const SCOPES = 'LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR';
const REQUIREMENT = 'LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT';
/** A user whom no rule speaks of. */
const SOMEONE = 'someone';

/**
 * An error for each name that does not exist; without any, a warning for users who get
 * nothing from the expression by a mistake in it.
 */
export function lookAtRules(
  what: string,
  issuer: LocalIssuer,
  userMap: UserMap,
  { settings, now }: CheckWorld,
): Finding[] {
  const { templateExpression: scopes, groupRequirement, appendExpression } = issuer;
  const maps = settings.local.userMaps.map(({ name }) => name);
  const requirement = parseRequirement(groupRequirement ?? 'true');
  const expression = scopes === undefined ? undefined : parseExpression(scopes);
  const unknown = [
    ...(expression
      ? unknownNames(expression, maps).map((text) => wrong(what, `${SCOPES}: ${text}`))
      : []),
    ...(requirement.kind === 'expression'
      ? unknownNames(requirement.expression, maps).map((text) =>
          wrong(what, `${REQUIREMENT}: ${text}`),
        )
      : []),
  ];
  if (unknown.length > 0 || !expression) return unknown;
  const seen = new Set<string>();
  return sampleGroups(expression).flatMap((groups) => {
    const why = tried(() =>
      whyNoString(expression, { username: SOMEONE, groups, now: now.wall, userMap }),
    );
    if (why === undefined || seen.has(why)) return [];
    seen.add(why);
    const whom = groups.length === 0 ? 'without groups' : `in the group ${groups.join(', ')}`;
    const so = appendExpression ? 'it adds nothing' : 'no token is signed';
    return [
      warning(what, `${SCOPES}: ${so} for example for the user ${SOMEONE} ${whom}: it ${why}`),
    ];
  });
}

/** An expression without end is reported, and ends no other look. */
function tried(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch (error) {
    return `cannot be evaluated: ${messageOf(error)}`;
  }
}
