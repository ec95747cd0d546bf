// ifThenElse, eval, unparse, unresolved, debug, evalInEachContext, countMatches:
// functions on expressions.
import { isCoded } from '../../base/errors/errors.ts';
import { compile, matches } from '../../regexp/regexp.ts';
import { type AttributeExpr, type Expr, partsOf } from '../language/ast.ts';
import {
  bytesOf,
  lowerAscii,
  ERROR,
  type Scope,
  UNDEFINED,
  type Value,
  booleanValue,
  integerValue,
  listOf,
  literalOf,
  stringValue,
  textOf,
  truthOf,
} from '../language/value.ts';
import { parseBytes } from '../language/parse.ts';
import {
  type ClassAdFunction,
  type Context,
  type FunctionTable,
  failEvaluation,
  type Found,
  findAttribute,
  findName,
  isValue as isFoundValue,
  rootOf,
} from '../operate/context.ts';
import { expressionBytes } from '../print/print.ts';
import { stringOf, taking } from './args.ts';
import { itemsOf } from './lists.ts';

const ifThenElse: ClassAdFunction = ({ args }, scope, context) => {
  const [test, yes, no] = args;
  if (args.length !== 3 || test === undefined || yes === undefined || no === undefined)
    return ERROR;
  const value = context.run(test, scope, context);
  const truth = truthOf(value);
  if (truth === undefined) return value.type === 'undefined' ? UNDEFINED : ERROR;
  return context.run(truth ? yes : no, scope, context);
};

const evaluateText = taking(1, 1, ([value = ERROR], context, scope) => {
  const text = stringOf(value);
  if (text === undefined) return ERROR;
  const expr = parsed(text, context);
  return expr === undefined ? ERROR : context.run(expr, scope, context);
});

function parsed(text: string, { semantics, limits }: Context): Expr | undefined {
  try {
    return parseBytes(text, { semantics, limits, textAfterConditional: true });
  } catch (error) {
    if (isCoded(error, 'CLASSAD_SYNTAX')) return undefined;
    throw error;
  }
}

/** The expression of an attribute of the own ad itself, which a plain name must stand for. */
const unparse: ClassAdFunction = ({ args }, scope) => {
  const [arg] = args;
  if (args.length !== 1 || arg?.kind !== 'attribute') return ERROR;
  const plain = arg.base === undefined && !arg.absolute && /^[A-Za-z_]\w*$/.test(arg.name);
  const entry = plain ? scope.ad.entries.get(arg.key) : undefined;
  return stringValue(entry === undefined ? '' : expressionBytes(entry.expr, { pretty: true }));
};

const unresolved: ClassAdFunction = ({ args }, scope, context) => {
  const [arg, pattern] = args;
  if (args.length < 1 || args.length > 2 || arg?.kind !== 'attribute') return ERROR;
  const found = deref(arg, scope, context);
  if (found === undefined) return UNDEFINED;
  const value = pattern === undefined ? undefined : context.run(pattern, found.scope, context);
  if (value !== undefined && value.type !== 'string') failEvaluation();
  const names = externalNames(found.expr, found.scope, context);
  if (value === undefined) return stringValue(names.join(','));
  const { matching } = context;
  if (compile(value.value, 'i', matching.limits) === undefined) return ERROR;
  return booleanValue(
    names.some((name) => matches(value.value, name, 'i', matching, 'filled') === true),
  );
};

/** Returns what an attribute stands for; undefined if that is nothing. */
function deref(arg: AttributeExpr, scope: Scope, context: Context): Found | undefined {
  const { base } = arg;
  const place = base === undefined ? scope : context.attempt(base, scope);
  if (place === undefined) return undefined;
  const found = findAttribute(arg, scope, context);
  if (!isFoundValue(found)) return found;
  return found.type === 'list' ? { expr: literalOf(found), scope } : undefined;
}

/**
 * Returns the scope of the list. Like in the reference, it is where the search for the
 * attribute has ended.
 */
function listScope(arg: Expr, found: Found | undefined, scope: Scope, context: Context): Scope {
  if (arg.kind !== 'attribute') return scope;
  if (found !== undefined) return found.scope;
  const base = arg.base && context.attempt(arg.base, scope);
  if (base === undefined) return rootOf(scope);
  return base.type === 'classad' ? rootOf(base.scope) : scope;
}

/**
 * Evaluates the first argument in each ad of the list in the second one. An attribute
 * stands for its expression, if it has one here.
 */
function inEachContext(
  args: readonly Expr[],
  scope: Scope,
  context: Context,
): Value | readonly Value[] {
  const [arg, list] = args;
  if (args.length !== 2 || arg === undefined || list === undefined) return ERROR;
  const found = arg.kind === 'attribute' ? deref(arg, scope, context) : undefined;
  const expr = found?.expr ?? arg;
  const value = context.attempt(list, listScope(arg, found, scope, context)) ?? UNDEFINED;
  if (value.type === 'undefined') return UNDEFINED;
  if (value.type !== 'list') return ERROR;
  return value.items.map((item) => {
    const element = context.attempt(item, scope) ?? ERROR;
    if (element.type === 'classad') return context.attempt(expr, element.scope) ?? ERROR;
    return element.type === 'undefined' ? UNDEFINED : ERROR;
  });
}

const isValue = (result: Value | readonly Value[]): result is Value => !Array.isArray(result);

const evalInEachContext: ClassAdFunction = ({ args }, scope, context) => {
  const result = inEachContext(args, scope, context);
  return isValue(result) ? result : listOf(result);
};

const countMatches: ClassAdFunction = ({ args }, scope, context) => {
  const result = inEachContext(args, scope, context);
  if (isValue(result)) return result.type === 'undefined' ? integerValue(0) : result;
  return integerValue(result.filter((value) => truthOf(value) === true).length);
};

export const META_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['ifthenelse', ifThenElse],
  ['eval', evaluateText],
  ['unparse', unparse],
  ['unresolved', unresolved],
  ['debug', taking(1, 1, ([value = ERROR]) => value)],
]);

export const CONTEXT_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['evalineachcontext', evalInEachContext],
  ['countmatches', countMatches],
]);

// isUndefined, isError, isString ... : the type of a value.

const TYPES: Readonly<Record<string, Value['type']>> = {
  isundefined: 'undefined',
  iserror: 'error',
  isstring: 'string',
  isinteger: 'integer',
  isreal: 'real',
  islist: 'list',
  isclassad: 'classad',
  isboolean: 'boolean',
  isabstime: 'abstime',
  isreltime: 'reltime',
};

export const TYPE_FUNCTIONS: FunctionTable = new Map(
  Object.entries(TYPES).map(([name, type]) => [
    name,
    taking(1, 1, ([value]) => booleanValue(value?.type === type)),
  ]),
);

/**
 * Returns the references of `expr` that its ad does not define, with their scope unless
 * that is TARGET, each once and sorted without case. Like in the reference, they are none
 * at all if one of them is to something that has no names, or if they are circular.
 * @throws CLASSAD_LIMIT
 */
function externalNames(expr: Expr, scope: Scope, context: Context): string[] {
  const names = new Map<string, string>();
  if (!collected(expr, scope, context, names, [])) return [];
  return [...names]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, name]) => name.replace(/^target\./i, ''));
}

/** @returns false if the search fails */
function collected(
  expr: Expr,
  scope: Scope,
  context: Context,
  names: Map<string, string>,
  open: readonly Expr[],
): boolean {
  context.enter();
  const complete =
    expr.kind === 'attribute'
      ? attributeCollected(expr, scope, context, names, open)
      : childrenOf(expr).every((part) => collected(part, scope, context, names, open));
  context.leave();
  return complete;
}

/** The parts of an expression; a constant may be an ad or a list. */
function childrenOf(expr: Expr): readonly Expr[] {
  if (expr.kind !== 'literal') return partsOf(expr);
  if (expr.value.type === 'list') return expr.value.items;
  return expr.value.type === 'classad' ? partsOf(expr.value.scope.ad) : [];
}

function attributeCollected(
  expr: AttributeExpr,
  scope: Scope,
  context: Context,
  names: Map<string, string>,
  open: readonly Expr[],
): boolean {
  const value = expr.base === undefined ? undefined : context.run(expr.base, scope, context);
  if (value?.type === 'undefined' && expr.base !== undefined) {
    const name = `${expressionBytes(expr.base)}.${expr.name}`;
    names.set(lowerAscii(name), name);
    return true;
  }
  if (value !== undefined && value.type !== 'classad') return false;
  const start = value?.scope ?? (expr.absolute ? rootOf(scope) : scope);
  const found = findName(expr.key, start, context);
  if (found === undefined) {
    if (!names.has(expr.key)) names.set(expr.key, expr.name);
    return true;
  }
  if (open.includes(found.expr)) return false;
  return collected(found.expr, found.scope, context, names, [...open, found.expr]);
}

// userMap and userHome: lookups in the caller's maps and user database.

/**
 * `userMap(map, input)` is the mapped text. With a third argument: that item if the text
 * lists it, else the first item. The fourth argument is the result if the map has none.
 */
export const userMap: ClassAdFunction = taking(2, 4, (args, context) => {
  const [map = ERROR, input = ERROR, preferred, fallback = UNDEFINED] = args;
  if (map.type === 'error' || input.type === 'error') return ERROR;
  if (map.type !== 'string' || input.type !== 'string') return fallback;
  const mapped = context.world.userMap?.(map.value, input.value, context.matching);
  if (mapped === undefined) return fallback;
  if (preferred === undefined) return stringValue(mapped);
  const items = itemsOf(mapped, ',');
  const wanted = preferred.type === 'string' ? lowerAscii(preferred.value) : undefined;
  const chosen = items.find((item) => lowerAscii(item) === wanted) ?? items[0];
  return chosen === undefined ? fallback : stringValue(chosen);
});

/**
 * `userHome(name)` is the user's home directory; the second argument, if it is a text, is
 * the result if there is none.
 */
export const userHome: ClassAdFunction = ({ args }, scope, context) => {
  const [first, second] = args;
  if (first === undefined || args.length > 2) failEvaluation();
  const wanted = second === undefined ? undefined : context.attempt(second, scope);
  const fallback = wanted?.type === 'string' && wanted.value !== '' ? wanted : undefined;
  const name = context.attempt(first, scope) ?? UNDEFINED;
  if (name.type === 'undefined') return fallback ?? UNDEFINED;
  if (name.type !== 'string') return fallback ?? ERROR;
  const home = context.world.userHome?.(textOf(name.value));
  return home === undefined ? (fallback ?? UNDEFINED) : stringValue(bytesOf(home));
};
