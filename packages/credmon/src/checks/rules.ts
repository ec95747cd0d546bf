// Checks the expressions that decide on scopes: unknown names, and users that an error
// rejects.
import { messageOf, nearest, warning, wrong, type Finding } from '@credmon/core/base';
import {
  parseExpression,
  type UserMap,
  FUNCTION_NAMES,
  makeAd,
  partsOf,
  printExpression,
  unresolvedNames,
  textOf,
  truthOf,
  type Expr,
  type Value,
} from '@credmon/core/classad';
import { parseRequirement, evaluateFor, type Person } from '../authz/requirement.ts';
import type { LocalIssuer } from '../settings/local.ts';
import type { CheckContext } from './context.ts';

const SCOPES = 'LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR';
const REQUIREMENT = 'LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT';
/** A user that no rule names. */
const SOMEONE = 'someone';

/**
 * Returns an error for each unknown name; without any, a warning for users that get
 * nothing because of an error in the expression.
 */
export function checkRules(
  what: string,
  issuer: LocalIssuer,
  userMap: UserMap,
  { settings, now }: CheckContext,
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
  if (unknown.length > 0) return unknown;
  const constant = requirement.kind === 'expression' ? constantText(requirement.expression) : [];
  const refusals = constant.map((text) => warning(what, `${REQUIREMENT} ${text}`));
  if (!expression) return refusals;
  const seen = new Set<string>();
  const undecided = sampleGroups(expression).flatMap((groups) => {
    const why = errorAsText(() =>
      whyNoString(expression, { username: SOMEONE, groups, now: now.wall, userMap }),
    );
    if (why === undefined || seen.has(why)) return [];
    seen.add(why);
    const groupText = groups.length === 0 ? 'without groups' : `in the group ${groups.join(', ')}`;
    const effect = appendExpression ? 'it adds nothing' : 'no token is signed';
    return [
      warning(
        what,
        `${SCOPES}: ${effect} for example for the user ${SOMEONE} ${groupText}: it ${why}`,
      ),
    ];
  });
  return [...refusals, ...undecided];
}

/** A constant that is not a boolean allows nobody; `true` and `false` are meant. */
function constantText(expr: Expr): readonly string[] {
  if (expr.kind !== 'literal' || expr.value.type === 'boolean') return [];
  const { value } = expr;
  if (truthOf(value) === true) return [];
  const shown = short(printExpression(expr));
  const name = value.type === 'string' ? textOf(value.value) : 'GROUP';
  return [
    `is the constant ${shown}: no user gets a token; fix: write a group's name without quotes ` +
      `(${name}), or an expression such as member("${name}", Groups)`,
  ];
}

/** An expression that exceeds the limits is reported, and does not end other checks. */
function errorAsText(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch (error) {
    return `cannot be evaluated: ${messageOf(error)}`;
  }
}

// Finds errors in an expression before a user is rejected: unknown names, and the part
// that fails.

/** The attributes of a user in an expression. */
const ATTRIBUTES = ['Username', 'Groups'];
/** Functions that look names up in ads that exist only during the evaluation. */
const SCOPED_FUNCTIONS = new Set(['evalineachcontext', 'countmatches']);
/** Maximum length of a quoted expression. */
const LONGEST = 100;
/** Maximum number of groups to try. */
const MOST_GROUPS = 16;

/** Returns every part of `expr`, itself first. */
function allParts(expr: Expr): Expr[] {
  return [expr, ...partsOf(expr).flatMap(allParts)];
}

/**
 * Returns a sentence for each unknown function, attribute and map in `expr`; `maps` are
 * the configured ones.
 */
function unknownNames(expr: Expr, maps: readonly string[]): string[] {
  const parts = allParts(expr);
  const calls = parts.flatMap((part) => (part.kind === 'call' ? [part] : []));
  const known = new Set(maps.map((name) => name.toLowerCase()));
  const functions = calls
    .filter(({ key }) => !FUNCTION_NAMES.has(key))
    .map(({ name }) => `unknown function ${name}()${suggestion(name, FUNCTION_NAMES)}`);
  const unknownMaps = calls.flatMap(({ key, args: [map] }) => {
    if (key !== 'usermap' || map?.kind !== 'literal' || map.value.type !== 'string') return [];
    const name = textOf(map.value.value);
    return known.has(name.toLowerCase())
      ? []
      : [
          `unknown map ${name}: it is not listed in CLASSAD_USER_MAP_NAMES${suggestion(name, maps)}`,
        ];
  });
  const scoped =
    parts.some(({ kind }) => kind === 'ad') || calls.some(({ key }) => SCOPED_FUNCTIONS.has(key));
  const attributes = scoped ? [] : unresolvedNames(expr, { ad: PERSON, parent: undefined });
  return [
    ...new Set([
      ...functions,
      ...attributes.map(
        (name) =>
          `unknown attribute ${name}, only Username and Groups exist${suggestion(name, ATTRIBUTES)}`,
      ),
      ...unknownMaps,
    ]),
  ];
}

const NOTHING: Expr = { kind: 'list', items: [], depth: 1 };
const PERSON = makeAd(ATTRIBUTES.map((name) => ({ name, expr: NOTHING })));

function suggestion(name: string, names: Iterable<string>): string {
  const meant = nearest(name, names);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/**
 * Returns groups to try: none, and each text in the expression that could be a group's
 * name.
 */
function sampleGroups(expr: Expr): readonly (readonly string[])[] {
  const texts = allParts(expr).flatMap((part) =>
    part.kind === 'literal' && part.value.type === 'string' ? [textOf(part.value.value)] : [],
  );
  const names = [...new Set(texts)].filter((text) => /^[\w./@-]+$/.test(text));
  return [
    [],
    ...(names.length === 0 ? [['group']] : names.slice(0, MOST_GROUPS).map((name) => [name])),
  ];
}

/**
 * Returns why `expr` does not evaluate to a string for this person; `undefined` if it
 * does, or if it contains `undefined` or `error` literally.
 * @throws CodedError `CLASSAD_LIMIT`
 */
function whyNoString(expr: Expr, person: Person): string | undefined {
  const value = evaluateFor(expr, person);
  if (value.type === 'string') return undefined;
  if (value.type !== 'undefined' && value.type !== 'error')
    return `evaluates to ${value.type}, not to a string`;
  const cause = innermostCause(expr, value.type, person);
  if (cause.kind === 'literal') return undefined;
  const quoted = short(printExpression(cause));
  return `evaluates to ${value.type}, because of ${quoted}${hint(cause, person)}`;
}

/**
 * Returns the innermost evaluated part with the type `wanted`: none of its parts has that
 * type.
 */
function innermostCause(expr: Expr, wanted: Value['type'], person: Person): Expr {
  const inner = evaluatedParts(expr, person).find(
    (part) => evaluateFor(part, person).type === wanted,
  );
  return inner ? innermostCause(inner, wanted, person) : expr;
}

/** Returns the evaluated parts: a branch that is not taken does not count. */
function evaluatedParts(expr: Expr, person: Person): readonly Expr[] {
  const choice = choiceOf(expr);
  if (!choice) return partsOf(expr);
  const truth = truthOf(evaluateFor(choice.test, person));
  return truth === undefined ? [choice.test] : [truth ? choice.yes : choice.no];
}

function choiceOf(
  expr: Expr,
): { readonly test: Expr; readonly yes: Expr; readonly no: Expr } | undefined {
  if (expr.kind === 'conditional' && expr.yes !== undefined)
    return { test: expr.test, yes: expr.yes, no: expr.no };
  if (expr.kind !== 'call' || expr.key !== 'ifthenelse') return undefined;
  const [test, yes, no] = expr.args;
  return test && yes && no ? { test, yes, no } : undefined;
}

function hint(expr: Expr, person: Person): string {
  if (expr.kind !== 'binary' || expr.operator !== '+') return '';
  const ofString = [expr.left, expr.right].some(
    (part) => evaluateFor(part, person).type === 'string',
  );
  return ofString ? '; + does not join strings, strcat() does' : '';
}

function short(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}...`;
}
