// Computes the scopes of a user's token from the templates, the expression and the
// groups, or why there are none.
import { CodedError } from '@credmon/core/base';
import type { Expr, UserMap } from '@credmon/core/classad';
import {
  evaluateFor,
  meetsRequirement,
  stringOf,
  type Person,
  type Requirement,
} from './requirement.ts';
import type { Parsed } from '@credmon/core/credential';

/**
 * The rules for scopes. With `append` the scopes of `expression` follow those of
 * `template`; otherwise they replace them.
 */
export interface ScopeRules {
  readonly template: Template;
  readonly expression: Expr | undefined;
  readonly append: boolean;
  readonly groupTemplate: Template | undefined;
  readonly requirement: Requirement | undefined;
}

/** A user, the user's groups, the time (epoch seconds) and the user maps. */
interface ScopeRequest {
  readonly username: string;
  readonly groups: readonly string[];
  readonly now: number;
  readonly userMap: UserMap;
}

/**
 * Returns the scopes of a token for this user, each once, in order.
 * @throws CodedError `USER_REFUSED` when the requirement is not met, or the expression
 * does not evaluate to a string; `CLASSAD_LIMIT`
 */
export function scopesFor(rules: ScopeRules, request: ScopeRequest): readonly string[] {
  const { username, groups } = request;
  if (rules.requirement && !meetsRequirement(rules.requirement, request))
    throw userError(username, 'LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT does not allow a token');
  const fromExpression = expressionScopes(rules, request);
  const base =
    fromExpression === undefined || rules.append ? fillTemplate(rules.template, username) : '';
  const { groupTemplate } = rules;
  const ofGroups = groupTemplate ? groups.map((group) => fillTemplate(groupTemplate, group)) : [];
  const scopes = [base, fromExpression ?? '', ...ofGroups]
    .flatMap((text) => text.split(/\s+/))
    .filter(Boolean);
  return [...new Set(scopes)];
}

/**
 * A value that is not a string is ignored if it would only add scopes. If it decides
 * alone, using the template instead could grant too much.
 */
function expressionScopes({ expression, append }: ScopeRules, person: Person): string | undefined {
  if (!expression) return undefined;
  const value = evaluateFor(expression, person);
  const text = stringOf(value);
  if (text !== undefined || append) return text;
  throw userError(
    person.username,
    `LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR evaluates to ${value.type}, not to a string`,
  );
}

function userError(username: string, why: string): CodedError {
  return new CodedError('USER_REFUSED', `${why} for ${username}`, { user: username });
}

// Scope templates in Python's format syntax: `{username}` is filled in, `{{` and `}}` are
// braces, everything else is rejected.

/** A parsed template: text, and the names of fields. */
export type Template = readonly ({ readonly text: string } | { readonly field: string })[];

/**
 * Parses a template with the only field `field`. Conversions, format specifications,
 * attributes and positions of Python's syntax are rejected: they make no sense in a
 * scope.
 * @see https://docs.python.org/3/library/string.html#format-string-syntax
 */
export function parseTemplate(source: string, field: string): Parsed<Template> {
  const parts: Exclude<Template[number], undefined>[] = [];
  let at = 0;
  for (const match of source.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g)) {
    if (match.index > at) parts.push({ text: source.slice(at, match.index) });
    at = match.index + match[0].length;
    if (match[0] === '{{' || match[0] === '}}') parts.push({ text: match[0].charAt(0) });
    else if (match[1] === field) parts.push({ field });
    else return rejection(match[0], match[1], field);
  }
  if (at < source.length) parts.push({ text: source.slice(at) });
  return { ok: true, value: parts };
}

function rejection(found: string, name: string | undefined, field: string): Parsed<Template> {
  return name === undefined
    ? {
        ok: false,
        reason: `has a single ${found}; write ${found}${found} for the character itself`,
      }
    : { ok: false, reason: `uses ${found}; only {${field}} is allowed` };
}

/** Returns the text of a template with `value` in its field. */
export function fillTemplate(template: Template, value: string): string {
  return template.map((part) => ('text' in part ? part.text : value)).join('');
}
