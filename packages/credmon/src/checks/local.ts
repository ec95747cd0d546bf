// Checks local issuers: the contents of their tokens, the users that get them, and the
// key.
import { DEFAULT_LIMITS } from '@credmon/core/classad';
import { isCoded, messageOf, ok, warning, wrong, type Finding } from '@credmon/core/base';
import { isCredName } from '@credmon/core/credential';
import { checkScopeForSigning, WLCG_ANY_AUDIENCE } from '@credmon/scitokens';
import { scopesFor } from '../authz/scopes.ts';
import { shortestLifetime, minimumRemaining } from '../report/remaining-lifetime.ts';
import { localGroups, type LocalGroups } from '../providers/local/groups.ts';
import type { LocalIssuer } from '../settings/local.ts';
import { rulesOf } from '../providers/local/local.ts';
import { checkKey } from './key.ts';
import { checkRules } from './rules.ts';
import type { CheckContext, Check } from './context.ts';

/**
 * Returns one check for each local issuer. The default one counts only if it is
 * configured. `user`: also the scopes of that user.
 */
export function localChecks(context: CheckContext, user: string | undefined): Check[] {
  const { config, settings } = context;
  const set = config.setNames().filter((name) => /^LOCAL_CREDMON_/i.test(name));
  if (!settings.local.explicit && !set.some((name) => isForJobs(name, settings))) return [];
  return settings.local.issuers.map((issuer) => {
    const what = `${issuer.service} (signed here)`;
    return { what, run: () => checkLocal(what, issuer, user, context) };
  });
}

/** If only standing tokens are signed, some knobs belong to them. */
function isForJobs(knob: string, { local, standing }: CheckContext['settings']): boolean {
  if (!standing.some(({ kind }) => kind === 'signed')) return true;
  const ofDefault = local.issuers.map(({ service }) => `LOCAL_CREDMON_${service}_`.toUpperCase());
  if (ofDefault.some((begin) => knob.toUpperCase().startsWith(begin))) return true;
  return /^LOCAL_CREDMON_(?:AUTHZ_|TOKEN_(?:AUDIENCE|LIFETIME|USE_JSON)$)/i.test(knob);
}

async function checkLocal(
  what: string,
  issuer: LocalIssuer,
  user: string | undefined,
  context: CheckContext,
): Promise<Finding[]> {
  const problems: string[] = [];
  const local = { ...context.local, warn: (text: string) => void problems.push(text) };
  const groups = localGroups(context.settings.local.userMaps, local);
  const sample = [
    ...checkRules(what, issuer, groups.userMap, context),
    ...checkUser(what, issuer, user, groups, context),
  ];
  return [
    ok(what, doing(issuer)),
    ...audience(what, issuer),
    ...foreignAudience(what, issuer.profile, issuer.audience),
    ...foreignScopes(what, issuer.profile, templatesOf(issuer)),
    ...shortLife(what, issuer.lifetime, 'LOCAL_CREDMON_TOKEN_LIFETIME', context),
    ...(await checkKey(what, issuer, context)),
    ...[...new Set(problems)].map((text) => warning(what, text)),
    ...sample,
  ];
}

function doing({ issuer, profile, lifetime, audience, ...rules }: LocalIssuer): string {
  const { template, templateExpression, appendExpression, groupTemplate, groupRequirement } = rules;
  const written = `scopes "${template}"`;
  const scopes =
    templateExpression === undefined
      ? written
      : `${appendExpression ? `${written} and those of` : 'scopes of'} the expression ${templateExpression}`;
  const parts = [
    `signs ${profile} tokens of ${issuer} with a lifetime of ${lifetime} s`,
    ...(audience.length === 0 ? [] : [`for ${audience.join(' ')}`]),
    scopes,
    ...(groupTemplate === undefined ? [] : [`"${groupTemplate}" for each group`]),
    ...(groupRequirement === undefined ? [] : [`only for users with ${groupRequirement}`]),
  ];
  return parts.join(', ');
}

function audience(what: string, { profile, audience }: LocalIssuer): Finding[] {
  if (profile === 'scitoken:1.0' || audience.length > 0) return [];
  const text = `no usable token is signed: a ${profile} token needs LOCAL_CREDMON_TOKEN_AUDIENCE, which is empty`;
  return [wrong(what, text)];
}

/** The audience that means any service, by profile. */
const ANY: Readonly<Partial<Record<LocalIssuer['profile'], string>>> = {
  'scitoken:2.0': 'ANY',
  'wlcg:1.0': WLCG_ANY_AUDIENCE,
};

/**
 * Warns about the audience that means any service in the other profile: each service
 * accepts the word of the token's own profile only.
 * @see https://github.com/WLCG-AuthZ-WG/common-jwt-profile/blob/master/profile.md (claim
 * `aud`)
 */
export function foreignAudience(
  what: string,
  profile: LocalIssuer['profile'],
  audience: readonly string[],
): Finding[] {
  const right = ANY[profile];
  if (right === undefined) return [];
  return audience
    .filter((one) => one !== right && /^any$|\/jwt\/v1\/any\/?$/i.test(one))
    .map((one) =>
      warning(
        what,
        `no service accepts a ${profile} token for the audience ${one}; fix: for any service, write ${right}`,
      ),
    );
}

function templatesOf(issuer: LocalIssuer): string {
  const { template, templateExpression, appendExpression, groupTemplate = '' } = issuer;
  return `${templateExpression === undefined || appendExpression ? template : ''} ${groupTemplate}`;
}

/**
 * Warns about scopes without a meaning for verifiers of WLCG tokens.
 * @see https://github.com/WLCG-AuthZ-WG/common-jwt-profile/blob/master/profile.md
 */
export function foreignScopes(
  what: string,
  profile: LocalIssuer['profile'],
  scopes: string,
): Finding[] {
  if (profile !== 'wlcg:1.0') return [];
  const foreign = scopes
    .split(/\s+/)
    .filter((scope) => /^(?:read|write|queue|execute)(?::|$)/.test(scope));
  if (foreign.length === 0) return [];
  const text = `scopes ${foreign.join(' ')}: WLCG tokens have only storage.* and compute.*`;
  return [warning(what, text)];
}

/**
 * R18 before there is a token: the minimum remaining lifetime for a job with the
 * configured lifetime.
 */
function shortLife(
  what: string,
  lifetime: number,
  knob: string,
  { settings }: CheckContext,
): Finding[] {
  const { policy, floor } = settings;
  const left = minimumRemaining(lifetime, policy, settings);
  if (left >= floor) return [];
  return [
    warning(
      what,
      `a job may read a token with only ${Math.max(0, left)} s left; increase ${knob} to ` +
        `at least ${shortestLifetime(policy, settings)}, or reduce SEC_CREDENTIAL_REFRESH`,
    ),
  ];
}

/**
 * Loads every map and computes the scopes of this user, as signing would. Signs nothing.
 */
function checkUser(
  what: string,
  issuer: LocalIssuer,
  user: string | undefined,
  groups: LocalGroups,
  { now }: CheckContext,
): Finding[] {
  const username = user ?? 'nobody';
  if (!isCredName(username))
    return [
      wrong(what, `invalid user name ${username}: CredD allows only letters, digits and "-+=_."`),
    ];
  try {
    groups.userMap('', '', { left: DEFAULT_LIMITS.matchSteps, limits: DEFAULT_LIMITS });
    const member = groups.groupsOf(username, issuer);
    if (user === undefined) return [];
    const request = { username, groups: member, now: now.wall, userMap: groups.userMap };
    const scopes = scopesFor(rulesOf(issuer), request);
    for (const scope of scopes) checkScopeForSigning(scope);
    const inGroups = member.length === 0 ? '' : ` (groups ${member.join(', ')})`;
    return [ok(what, `${user}${inGroups} gets: ${scopes.join(' ') || 'no scope at all'}`)];
  } catch (error) {
    const refused = isCoded(error, 'USER_REFUSED');
    return [
      refused
        ? warning(what, `${username} gets no token: ${messageOf(error)}`)
        : wrong(what, messageOf(error)),
    ];
  }
}
