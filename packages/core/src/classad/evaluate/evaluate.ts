// Evaluates trees: which operands are evaluated, in which order, and the propagation of
// UNDEFINED and ERROR. Around the two ads of a match are the ads that HTCondor builds: their
// names, such as TARGET, are found like any other.
import { DEFAULT_LIMITS, type Limits } from '../../regexp/node.ts';
import { ALL_FUNCTIONS, LIBRARY_FUNCTIONS } from '../functions/table.ts';
import {
  type AdExpr,
  type AttributeExpr,
  type BinaryExpr,
  type Entry,
  type Expr,
  makeAd,
} from '../language/ast.ts';
import {
  lowerAscii,
  ERROR,
  type Scope,
  UNDEFINED,
  type Value,
  booleanValue,
  truthOf,
} from '../language/value.ts';
import type { Semantics } from '../language/parse.ts';
import { Context, type UserMap, attributeValue, subscriptValue } from '../operate/context.ts';
import { binary, unary } from '../operate/strict-operators.ts';

/** The environment of an evaluation. */
export interface EvaluateOptions {
  /** The ad of the expression (`MY`); default: an empty one. */
  readonly my?: AdExpr;
  /** The other ad of a match (`TARGET`). */
  readonly target?: AdExpr;
  /**
   * Default `old`: names missing in `my` are looked up in `target`, and `MY` is defined
   * without a match.
   */
  readonly semantics?: Semantics;
  /**
   * Default `all`; `library` excludes the functions that HTCondor adds to the ClassAd
   * library.
   */
  readonly functions?: 'all' | 'library';
  /** The time, in epoch seconds. */
  readonly now: number;
  /** Returns uniform random numbers in [0, 1); without it `random()` is an error. */
  readonly random?: () => number;
  /**
   * Returns the offset of local time from UTC at `epoch` seconds, in seconds; default 0.
   */
  readonly utcOffset?: (epoch: number) => number;
  /** The implementation of `userMap()`; without it no map exists. */
  readonly userMap?: UserMap;
  /**
   * The implementation of `userHome()`: a user's home directory; without it no user has
   * one.
   */
  readonly userHome?: (name: string) => string | undefined;
  readonly limits?: Partial<Limits>;
}

const EMPTY = makeAd([]);
const BYTES_PER_STEP = 32;
const UTC = (): number => 0;
const NO_CHANCE = (): number => Number.NaN;

/**
 * Evaluates an expression. Errors in the expression give the value ERROR, never an
 * exception.
 * @throws CLASSAD_LIMIT when a limit is reached
 * @see https://htcondor.readthedocs.io/en/latest/classads/classad-mechanism.html
 * @example
 * ```ts
 * import { evaluate, parseExpression, printValue } from '@credmon/core';
 *
 * const rule = parseExpression('strcat("read:/home/", toLower("Alice"))');
 * console.log(printValue(evaluate(rule, { now: 0 })));
 * // prints "read:/home/alice"
 * ```
 */
export function evaluate(expr: Expr, options: EvaluateOptions): Value {
  const {
    my = EMPTY,
    target,
    semantics = 'old',
    now,
    random = NO_CHANCE,
    utcOffset = UTC,
  } = options;
  const alone: Match = { scope: { ad: my, parent: undefined }, places: new Map() };
  const { scope, places } = target === undefined ? alone : matchOf(my, target, semantics);
  const functions = options.functions === 'library' ? LIBRARY_FUNCTIONS : ALL_FUNCTIONS;
  const limits =
    options.limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...options.limits };
  const world = { now, random, utcOffset, userMap: options.userMap, userHome: options.userHome };
  const context = new Context(world, semantics, places, functions, limits, evaluateIn);
  return context.attempt(expr, scope) ?? ERROR;
}

function evaluateIn(expr: Expr, scope: Scope, context: Context): Value {
  if (expr.kind === 'literal') return charged(expr.value, context);
  context.enter();
  const value = evaluateNode(expr, scope, context);
  context.leave();
  return charged(value, context);
}

/**
 * Long strings cost steps, because operations on them take time proportional to their
 * length.
 */
function charged(value: Value, context: Context): Value {
  if (value.type === 'string' && value.value.length > BYTES_PER_STEP) {
    context.spend(Math.floor(value.value.length / BYTES_PER_STEP));
  }
  return value;
}

function evaluateNode(
  expr: Exclude<Expr, { kind: 'literal' }>,
  scope: Scope,
  context: Context,
): Value {
  switch (expr.kind) {
    case 'attribute':
      return attributeValue(expr, scope, context);
    case 'call':
      return context.functions.get(expr.key)?.(expr, scope, context) ?? ERROR;
    case 'binary':
      return evaluateBinary(expr, scope, context);
    case 'unary':
      return unary(expr.operator, evaluateIn(expr.operand, scope, context));
    case 'conditional':
      return evaluateConditional(expr, scope, context);
    case 'paren':
      return evaluateIn(expr.inner, scope, context);
    case 'subscript':
      return subscriptValue(
        evaluateIn(expr.base, scope, context),
        evaluateIn(expr.index, scope, context),
        context,
      );
    case 'list':
      return { type: 'list', items: expr.items, scope };
    case 'ad':
      return { type: 'classad', scope: context.places.get(expr) ?? { ad: expr, parent: scope } };
  }
}

function evaluateBinary(
  { operator, left, right }: BinaryExpr,
  scope: Scope,
  context: Context,
): Value {
  const first = evaluateIn(left, scope, context);
  if (operator === '&&' || operator === '||') {
    return connect(operator === '||', first, right, scope, context);
  }
  return binary(operator, first, evaluateIn(right, scope, context));
}

/**
 * `&&` with `decisive` false, `||` with `decisive` true: the decisive value takes
 * precedence over UNDEFINED, but not over an earlier ERROR.
 */
function connect(
  decisive: boolean,
  first: Value,
  right: Expr,
  scope: Scope,
  context: Context,
): Value {
  const truth = truthOf(first);
  if (truth === decisive) return booleanValue(decisive);
  if (truth === undefined && first.type !== 'undefined') return ERROR;
  const second = evaluateIn(right, scope, context);
  const other = truthOf(second);
  if (other === undefined && second.type !== 'undefined') return ERROR;
  if (other === decisive) return booleanValue(decisive);
  return truth === undefined || other === undefined ? UNDEFINED : booleanValue(other);
}

function evaluateConditional(
  { test, yes, no }: Extract<Expr, { kind: 'conditional' }>,
  scope: Scope,
  context: Context,
): Value {
  const value = evaluateIn(test, scope, context);
  if (yes === undefined) return value.type === 'undefined' ? evaluateIn(no, scope, context) : value;
  const truth = truthOf(value);
  if (truth === undefined) return value.type === 'undefined' ? UNDEFINED : ERROR;
  return evaluateIn(truth ? yes : no, scope, context);
}

/** The scope of the own ad in a match, and the scope of each ad in the outermost one. */
export interface Match {
  readonly scope: Scope;
  readonly places: ReadonlyMap<AdExpr, Scope>;
}

/**
 * Builds the ads of a match: the outermost one with both ads, and around each of these an
 * ad that defines `my`, `target`, `other` and `ad`.
 */
function matchOf(my: AdExpr, target: AdExpr, semantics: Semantics): Match {
  // Copies, because one ad may be on both sides.
  const [left, right] = [{ ...my }, { ...target }];
  const [lCtx, rCtx] = [contextAd('LEFT', 'RIGHT'), contextAd('RIGHT', 'LEFT')];
  const root: Scope = { ad: outermostAd(left, right, lCtx, rCtx), parent: undefined };
  const leftContext: Scope = { ad: lCtx, parent: root };
  const rightContext: Scope = { ad: rCtx, parent: root };
  const own: Scope & { alternate?: Scope } = { ad: left, parent: leftContext };
  const other: Scope & { alternate?: Scope } = { ad: right, parent: rightContext };
  if (semantics === 'old') [own.alternate, other.alternate] = [other, own];
  return {
    scope: own,
    places: new Map([
      [left, own],
      [right, other],
      [lCtx, leftContext],
      [rCtx, rightContext],
    ]),
  };
}

function outermostAd(left: AdExpr, right: AdExpr, lCtx: AdExpr, rCtx: AdExpr): AdExpr {
  const [mine, theirs] = [named('LEFT'), named('RIGHT')];
  const leftMatches = named('requirements', mine);
  const rightMatches = named('requirements', theirs);
  return makeAd([
    {
      name: 'symmetricMatch',
      expr: { kind: 'binary', operator: '&&', left: rightMatches, right: leftMatches, depth: 3 },
    },
    { name: 'leftMatchesRight', expr: rightMatches },
    { name: 'rightMatchesLeft', expr: leftMatches },
    { name: 'leftRankValue', expr: named('rank', mine) },
    { name: 'rightRankValue', expr: named('rank', theirs) },
    { name: 'lCtx', expr: lCtx },
    { name: 'rCtx', expr: rCtx },
    { name: 'LEFT', expr: left },
    { name: 'RIGHT', expr: right },
  ]);
}

function contextAd(mine: string, theirs: string): AdExpr {
  const reference = (name: string, side: string): Entry => ({
    name,
    expr: { ...named(side), absolute: true },
  });
  return makeAd([
    reference('other', theirs),
    reference('target', theirs),
    reference('my', mine),
    reference('ad', mine),
  ]);
}

function named(name: string, base?: AttributeExpr): AttributeExpr {
  const depth = (base?.depth ?? 0) + 1;
  return { kind: 'attribute', base, name, key: lowerAscii(name), absolute: false, depth };
}
