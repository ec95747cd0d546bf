// member, anyCompare, sum ... : functions on lists.
import type { ComparisonOperator, IdentityOperator } from '../language/ast.ts';
import type { ClassAdFunction, Context, FunctionTable } from '../operate/context.ts';
import { binary } from '../operate/operate.ts';
import {
  ERROR,
  TRUE,
  UNDEFINED,
  booleanValue,
  integerValue,
  realValue,
} from '../language/value.ts';
import type { Scope, Value } from '../language/value.ts';
import { elements, exceptional, taking } from './args.ts';

type ElementOperator = ComparisonOperator | IdentityOperator;

const OPERATORS: ReadonlyMap<string, ElementOperator> = new Map<string, ElementOperator>([
  ['<', '<'],
  ['<=', '<='],
  ['==', '=='],
  ['!=', '!='],
  ['>', '>'],
  ['>=', '>='],
  ['is', '=?='],
  ['isnt', '=!='],
]);

/**
 * True when an element equals the value; elements that cannot be compared with it are
 * passed over.
 */
const membership = (operator: ElementOperator): ClassAdFunction =>
  taking(2, 2, ([item = ERROR, list = ERROR], context, scope) => {
    const found = operator === '==' ? exceptional([item, list]) : exceptional([list]);
    if (found !== undefined) return found;
    if (list.type !== 'list' || item.type === 'list' || item.type === 'classad') return ERROR;
    return booleanValue(
      elements(list, scope, context).some((element) => binary(operator, element, item) === TRUE),
    );
  });

/**
 * `anyCompare` (decided by TRUE) and `allCompare` (decided by the first that is not
 * TRUE).
 */
const comparing = (any: boolean): ClassAdFunction =>
  taking(3, 3, ([operator = ERROR, list = ERROR, scalar = ERROR], context, scope) => {
    const found = exceptional([operator, list]);
    if (found !== undefined) return found;
    if (operator.type !== 'string' || list.type !== 'list') return ERROR;
    const known = OPERATORS.get(operator.value);
    if (known === undefined) return ERROR;
    for (const element of elements(list, scope, context)) {
      const result = binary(known, element, scalar);
      if (result.type === 'error') return ERROR;
      if ((result === TRUE) === any) return booleanValue(any);
    }
    return booleanValue(!any);
  });

/**
 * The numbers of a list, booleans included and UNDEFINED left out; undefined when
 * something else is in it.
 */
function numbers(list: Value, scope: Scope, context: Context): (bigint | number)[] | undefined {
  if (list.type !== 'list') return undefined;
  const found: (bigint | number)[] = [];
  for (const value of elements(list, scope, context)) {
    if (value.type === 'integer' || value.type === 'real') found.push(value.value);
    else if (value.type === 'boolean') found.push(BigInt(value.value));
    else if (value.type !== 'undefined') return undefined;
  }
  return found;
}

const aggregate = (run: (values: readonly (bigint | number)[]) => Value): ClassAdFunction =>
  taking(1, 1, ([list = ERROR], context, scope) => {
    if (list.type === 'undefined') return UNDEFINED;
    const values = numbers(list, scope, context);
    return values === undefined ? ERROR : run(values);
  });

const isInteger = (value: bigint | number): value is bigint => typeof value === 'bigint';

function sum(values: readonly (bigint | number)[]): Value {
  if (values.every(isInteger)) return integerValue(values.reduce((a, b) => a + b, 0n));
  return realValue(values.reduce<number>((total, value) => total + Number(value), 0));
}

function average(values: readonly (bigint | number)[]): Value {
  if (values.length === 0) return integerValue(0);
  return realValue(
    values.reduce<number>((total, value) => total + Number(value), 0) / values.length,
  );
}

const extreme =
  (better: (a: bigint | number, b: bigint | number) => boolean) =>
  (values: readonly (bigint | number)[]): Value => {
    const [first, ...rest] = values;
    if (first === undefined) return UNDEFINED;
    const best = rest.reduce((found, value) => (better(value, found) ? value : found), first);
    return values.every(isInteger) ? integerValue(BigInt(best)) : realValue(Number(best));
  };

export const LIST_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['member', membership('==')],
  ['identicalmember', membership('=?=')],
  ['anycompare', comparing(true)],
  ['allcompare', comparing(false)],
  ['sum', aggregate(sum)],
  ['avg', aggregate(average)],
  ['min', aggregate(extreme((a, b) => a < b))],
  ['max', aggregate(extreme((a, b) => a > b))],
]);
