// Decides who may have a token: by the name of a group, or a ClassAd expression over user
// name and groups.
import {
  evaluate,
  parseAd,
  parseExpression,
  textOf,
  truthOf,
  type AdExpr,
  type Expr,
  type UserMap,
  type Value,
} from '@credmon/core/classad';

/** A parsed requirement. */
export type Requirement =
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'expression'; readonly expression: Expr };

/** The subject of an expression, and the time (epoch seconds). */
export interface Person {
  readonly username: string;
  readonly groups: readonly string[];
  readonly now: number;
  readonly userMap?: UserMap;
}

/**
 * Parses a requirement: letters, digits and `_.:/@-` are the name of a group, as in the
 * Python credmon; everything else, and `true` and `false`, is an expression.
 * @throws CodedError `CLASSAD_SYNTAX`, `CLASSAD_LIMIT`
 */
export function parseRequirement(text: string): Requirement {
  if (/^[\w.:/@-]+$/.test(text) && !/^(?:true|false)$/i.test(text))
    return { kind: 'group', group: text };
  return { kind: 'expression', expression: parseExpression(text) };
}

/**
 * Returns whether this person may have a token: an expression must evaluate to TRUE (or a
 * number other than 0).
 */
export function meetsRequirement(requirement: Requirement, person: Person): boolean {
  if (requirement.kind === 'group') return person.groups.includes(requirement.group);
  return truthOf(evaluateFor(requirement.expression, person)) === true;
}

/**
 * Evaluates `expression` in an ad with `Username` and `Groups` (a list).
 * @throws CodedError `CLASSAD_LIMIT`
 */
export function evaluateFor(expression: Expr, person: Person): Value {
  return evaluate(expression, {
    my: adOf(person),
    now: person.now,
    ...(person.userMap === undefined ? {} : { userMap: person.userMap }),
  });
}

function adOf({ username, groups }: Person): AdExpr {
  return parseAd(`[Username = ${quoted(username)}; Groups = {${groups.map(quoted).join(', ')}}]`);
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Returns the text of a string value, otherwise `undefined`. */
export function stringOf(value: Value): string | undefined {
  return value.type === 'string' ? textOf(value.value) : undefined;
}
