// Which scopes a user's token carries: from the templates, the expression and the groups,
// or why it carries none.
import { CodedError } from '@credmon/core/base';
import type { Expr, UserMap } from '@credmon/core/classad';
import {
  evaluateFor,
  meetsRequirement,
  stringOf,
  type Person,
  type Requirement,
} from './group-requirement.ts';
import { fillTemplate, type Template } from './template.ts';

/**
 * How scopes are made. With `append`, what `expression` says comes after the scopes of
 * `template`; otherwise in their place.
 */
export interface ScopeRules {
  readonly template: Template;
  readonly expression: Expr | undefined;
  readonly append: boolean;
  readonly groupTemplate: Template | undefined;
  readonly requirement: Requirement | undefined;
}

/** A user, his groups, the time (epoch seconds) and the user maps. */
export interface ScopeRequest {
  readonly username: string;
  readonly groups: readonly string[];
  readonly now: number;
  readonly userMap: UserMap;
}

/**
 * The scopes of a token for this user, each once, in order.
 * @throws CodedError `USER_REFUSED` when the requirement is not met, or the expression
 * does not come to a string; `CLASSAD_LIMIT`
 */
export function scopesFor(rules: ScopeRules, request: ScopeRequest): readonly string[] {
  const { username, groups } = request;
  if (rules.requirement && !meetsRequirement(rules.requirement, request))
    throw refused(username, 'LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT does not allow a token');
  const said = saidByExpression(rules, request);
  const base = said === undefined || rules.append ? fillTemplate(rules.template, username) : '';
  const { groupTemplate } = rules;
  const ofGroups = groupTemplate ? groups.map((group) => fillTemplate(groupTemplate, group)) : [];
  const scopes = [base, said ?? '', ...ofGroups]
    .flatMap((text) => text.split(/\s+/))
    .filter(Boolean);
  return [...new Set(scopes)];
}

/**
 * What is not a string is left out where it would only add; where it decides alone, falling
 * back to the template could grant too much.
 */
function saidByExpression({ expression, append }: ScopeRules, person: Person): string | undefined {
  if (!expression) return undefined;
  const value = evaluateFor(expression, person);
  const text = stringOf(value);
  if (text !== undefined || append) return text;
  throw refused(
    person.username,
    `LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR evaluates to ${value.type}, not to a string`,
  );
}

function refused(username: string, why: string): CodedError {
  return new CodedError('USER_REFUSED', `${why} for ${username}`, { user: username });
}
