// The check command's look at the expressions that decide on scopes: names that do not
// exist, and users whom a mistake refuses.
import { messageOf, nearest } from '@credmon/core/base';
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
import { parseRequirement, evaluateFor, type Person } from '../authz/group-requirement.ts';
import { warning, wrong, type Finding } from './finding.ts';
import type { LocalIssuer } from '../settings/local.ts';
import type { CheckContext } from './context.ts';

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

// What is wrong with an administrator's expression before a user is refused: names that
// do not exist, and which part fails.

/** What an expression of ours sees of a user. */
const ATTRIBUTES = ['Username', 'Groups'];
/** These look names up in ads that are not there before the evaluation. */
const ELSEWHERE = new Set(['evalineachcontext', 'countmatches']);
/** So much of an expression is quoted. */
const LONGEST = 100;
/** So many groups of an expression are tried. */
const MOST_GROUPS = 16;

/** Every part of `expr`, itself first. */
function allParts(expr: Expr): Expr[] {
  return [expr, ...partsOf(expr).flatMap(allParts)];
}

/**
 * Functions, attributes and maps that `expr` names and that do not exist; `maps` are the
 * configured ones. A sentence each.
 */
function unknownNames(expr: Expr, maps: readonly string[]): string[] {
  const parts = allParts(expr);
  const calls = parts.flatMap((part) => (part.kind === 'call' ? [part] : []));
  const known = new Set(maps.map((name) => name.toLowerCase()));
  const functions = calls
    .filter(({ key }) => !FUNCTION_NAMES.has(key))
    .map(({ name }) => `there is no function ${name}()${guess(name, FUNCTION_NAMES)}`);
  const lacking = calls.flatMap(({ key, args: [map] }) => {
    if (key !== 'usermap' || map?.kind !== 'literal' || map.value.type !== 'string') return [];
    const name = textOf(map.value.value);
    return known.has(name.toLowerCase())
      ? []
      : [`there is no map ${name}: CLASSAD_USER_MAP_NAMES does not name it${guess(name, maps)}`];
  });
  const scoped =
    parts.some(({ kind }) => kind === 'ad') || calls.some(({ key }) => ELSEWHERE.has(key));
  const attributes = scoped ? [] : unresolvedNames(expr, { ad: PERSON, parent: undefined });
  return [
    ...new Set([
      ...functions,
      ...attributes.map(
        (name) =>
          `there is no attribute ${name}, only Username and Groups${guess(name, ATTRIBUTES)}`,
      ),
      ...lacking,
    ]),
  ];
}

const NOTHING: Expr = { kind: 'list', items: [], depth: 1 };
const PERSON = makeAd(ATTRIBUTES.map((name) => ({ name, expr: NOTHING })));

function guess(name: string, names: Iterable<string>): string {
  const meant = nearest(name, names);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/**
 * Groups worth trying: none, and each text of the expression that could be a group's
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
 * Why `expr` comes to no string for this person; nothing when it does, or when it says
 * `undefined` or `error` itself.
 * @throws CodedError `CLASSAD_LIMIT`
 */
function whyNoString(expr: Expr, person: Person): string | undefined {
  const value = evaluateFor(expr, person);
  if (value.type === 'string') return undefined;
  if (value.type !== 'undefined' && value.type !== 'error')
    return `evaluates to ${value.type}, not to a string`;
  const culprit = blame(expr, value.type, person);
  if (culprit.kind === 'literal') return undefined;
  const quoted = short(printExpression(culprit));
  return `evaluates to ${value.type}, because of ${quoted}${hint(culprit, person)}`;
}

/**
 * The innermost part that is counted and comes to `wanted` while none of its own parts
 * does.
 */
function blame(expr: Expr, wanted: Value['type'], person: Person): Expr {
  const inner = counted(expr, person).find((part) => evaluateFor(part, person).type === wanted);
  return inner ? blame(inner, wanted, person) : expr;
}

/** A branch that is not taken spoils nothing. */
function counted(expr: Expr, person: Person): readonly Expr[] {
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
