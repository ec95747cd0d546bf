// ifThenElse, eval, unparse, unresolved, debug, evalInEachContext, countMatches:
// functions on expressions.
import type { Expr } from '../language/ast.ts';
import { isCoded } from '../../base/errors/errors.ts';
import type { ClassAdFunction, Context, FunctionTable } from '../operate/context.ts';
import { parseBytes } from '../language/parse.ts';
import { expressionBytes } from '../print/print.ts';
import { matches } from '../../regexp/regexp.ts';
import { unresolvedNames } from '../language/references.ts';
import {
  ERROR,
  UNDEFINED,
  booleanValue,
  integerValue,
  listOf,
  stringValue,
  truthOf,
  type Scope,
  type Value,
} from '../language/value.ts';
import { elements, exceptional, stringOf, taking } from './args.ts';

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

/** Returns the expression of a plain attribute name, from the ad or an enclosing ad. */
function expressionOf(arg: Expr | undefined, scope: Scope): Expr | undefined {
  if (arg?.kind !== 'attribute' || arg.base !== undefined) return undefined;
  for (let current: Scope | undefined = scope; current !== undefined; current = current.parent) {
    const entry = current.ad.entries.get(arg.key);
    if (entry !== undefined) return entry.expr;
  }
  return undefined;
}

const unparse: ClassAdFunction = ({ args }, scope) => {
  const [arg] = args;
  if (args.length !== 1 || arg?.kind !== 'attribute') return ERROR;
  const expr = expressionOf(arg, scope);
  return stringValue(expr === undefined ? '' : expressionBytes(expr, { pretty: true }));
};

const unresolved: ClassAdFunction = ({ args }, scope, context) => {
  const [arg, pattern] = args;
  if (args.length < 1 || args.length > 2 || arg?.kind !== 'attribute') return ERROR;
  const expr = expressionOf(arg, scope);
  if (expr === undefined) return UNDEFINED;
  const names = unresolvedNames(expr, scope);
  if (pattern === undefined) return stringValue(names.join(','));
  const value = context.run(pattern, scope, context);
  if (value.type !== 'string') return ERROR;
  const results = names.map((name) => matches(value.value, name, 'i', context.matching));
  return results.includes(undefined) ? ERROR : booleanValue(results.includes(true));
};

/** Evaluates the first argument in each ad of the list in the second one. */
function inEachContext(
  args: readonly Expr[],
  scope: Scope,
  context: Context,
): Value | readonly Value[] {
  const [expr, list] = args;
  if (args.length !== 2 || expr === undefined || list === undefined) return ERROR;
  const value = context.run(list, scope, context);
  const found = exceptional([value]);
  if (found !== undefined) return found;
  if (value.type !== 'list') return ERROR;
  return elements(value, scope, context).map((element) => {
    if (element.type === 'classad') return context.run(expr, element.scope, context);
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
