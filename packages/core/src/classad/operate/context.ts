// The state of an evaluation (the caller's parameters, the function table and the work so
// far), and the lookup of names: in the ad, the enclosing ads, the other ad of a match,
// and the names of scopes themselves.
import type { Budget } from '../../regexp/match.ts';
import { type Limits, limitError } from '../../regexp/node.ts';
import {
  type AdExpr,
  type AttributeExpr,
  type CallExpr,
  type Expr,
  makeAd,
} from '../language/ast.ts';
import type { Semantics } from '../language/parse.ts';
import {
  ERROR,
  type ListValue,
  type Scope,
  UNDEFINED,
  type Value,
  int32,
  integerValue,
  literalOf,
  lowerAscii,
} from '../language/value.ts';

/** A function: takes its unevaluated arguments and the scope of the call. */
export type ClassAdFunction = (call: CallExpr, scope: Scope, context: Context) => Value;

/** Functions by lower-case name. */
export type FunctionTable = ReadonlyMap<string, ClassAdFunction>;

/**
 * The implementation of `userMap()` in bytes: maps `input` in the map `map`; undefined if
 * nothing matches. `budget` limits regular expressions.
 */
export type UserMap = (map: string, input: string, budget: Budget) => string | undefined;

/** The environment of an evaluation. */
export interface World {
  /** Epoch seconds. */
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Offset of local time from UTC at `epoch` seconds, in seconds. */
  readonly utcOffset: (epoch: number) => number;
  readonly userMap: UserMap | undefined;
  readonly userHome: ((name: string) => string | undefined) | undefined;
}

/**
 * Thrown where the reference's evaluation fails, which is more than the value ERROR: no
 * operator or function around it sees a value. Never leaves `evaluate`.
 */
class FailedEvaluation extends Error {
  override readonly name = 'FailedEvaluation';
}

/** @throws FailedEvaluation */
export function failEvaluation(): never {
  throw new FailedEvaluation('the evaluation fails');
}

/** One evaluation in progress. */
export class Context {
  readonly world: World;
  readonly semantics: Semantics;
  /** The scopes of the ads in a match. */
  readonly places: ReadonlyMap<AdExpr, Scope>;
  readonly functions: FunctionTable;
  readonly limits: Limits;
  readonly run: (expr: Expr, scope: Scope, context: Context) => Value;
  /** Attributes being evaluated; a repeated one is circular. */
  readonly active: Expr[] = [];
  /** The remaining steps for regular expressions. */
  readonly matching: Budget;
  #steps = 0;
  #depth = 0;

  constructor(
    world: World,
    semantics: Semantics,
    places: ReadonlyMap<AdExpr, Scope>,
    functions: FunctionTable,
    limits: Limits,
    run: (expr: Expr, scope: Scope, context: Context) => Value,
  ) {
    this.world = world;
    this.semantics = semantics;
    this.places = places;
    this.functions = functions;
    this.limits = limits;
    this.matching = { left: limits.matchSteps, limits };
    this.run = run;
  }

  /**
   * Counts the start of an evaluation.
   * @throws CLASSAD_LIMIT
   */
  enter(): void {
    this.#steps += 1;
    this.#depth += 1;
    if (this.#steps > this.limits.steps) throw limitError('steps', this.limits);
    if (this.#depth > this.limits.evaluationDepth) throw limitError('evaluationDepth', this.limits);
  }

  /** Counts its end. */
  leave(): void {
    this.#depth -= 1;
  }

  /** Evaluates an expression; undefined if the evaluation fails. */
  attempt(expr: Expr, scope: Scope): Value | undefined {
    const depth = this.#depth;
    const active = this.active.length;
    try {
      return this.run(expr, scope, this);
    } catch (error) {
      if (!(error instanceof FailedEvaluation)) throw error;
      this.#depth = depth;
      this.active.length = active;
      return undefined;
    }
  }

  /**
   * Counts `steps` more, for functions whose work grows with their input.
   * @throws CLASSAD_LIMIT
   */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.limits.steps) throw limitError('steps', this.limits);
  }

  /**
   * Returns `text` if it is not too long.
   * @throws CLASSAD_LIMIT
   */
  bounded(text: string): string {
    if (text.length > this.limits.textLength) throw limitError('textLength', this.limits);
    return text;
  }
}

/** What a name stands for: an expression, and the scope of the names in it. */
export interface Found {
  readonly expr: Expr;
  readonly scope: Scope;
}

/** Distinguishes a value from something found. */
export const isValue = (found: Found | Value): found is Value => 'type' in found;

/**
 * Returns the value of an attribute reference. Undefined names and circular ones are
 * UNDEFINED.
 */
export function attributeValue(expr: AttributeExpr, scope: Scope, context: Context): Value {
  const found = findAttribute(expr, scope, context);
  return isValue(found) ? found : guarded(found, context);
}

/**
 * Returns what an attribute reference stands for, without evaluation; UNDEFINED or ERROR
 * if it stands for nothing. The names of an ad in a match are also looked up in the other
 * ad.
 */
export function findAttribute(expr: AttributeExpr, scope: Scope, context: Context): Found | Value {
  if (expr.base !== undefined) return selected(expr, expr.base, scope, context);
  if (expr.absolute) return findName(expr.key, rootOf(scope), context) ?? UNDEFINED;
  const found = findName(expr.key, scope, context);
  if (found !== undefined || scope.alternate === undefined) return found ?? UNDEFINED;
  return findName(expr.key, scope.alternate, context) ?? UNDEFINED;
}

/**
 * Finds `key` in `scope` or the nearest enclosing scope with it. A name of scopes means
 * those around `scope` itself.
 */
export function findName(key: string, scope: Scope, context: Context): Found | undefined {
  for (let current: Scope | undefined = scope; current !== undefined; current = current.parent) {
    const entry = current.ad.entries.get(key);
    if (entry !== undefined) return { expr: entry.expr, scope: current };
    const special = specialValue(key, current, context);
    if (special === UNDEFINED) return undefined;
    if (special !== undefined) return { expr: literalOf(special), scope: current };
  }
  return undefined;
}

/** Returns the value of a name of scopes for an ad; undefined for every other name. */
function specialValue(key: string, scope: Scope, context: Context): Value | undefined {
  switch (key) {
    case 'self':
      return { type: 'classad', scope };
    case 'parent':
      return scope.parent === undefined ? UNDEFINED : { type: 'classad', scope: scope.parent };
    case 'root':
    case 'toplevel':
      return { type: 'classad', scope: rootOf(scope) };
    case 'my':
      return context.semantics === 'old' ? { type: 'classad', scope } : undefined;
    case 'currenttime':
      return context.semantics === 'old' ? integerValue(Math.floor(context.world.now)) : undefined;
    default:
      return undefined;
  }
}

function guarded({ expr, scope }: Found, context: Context): Value {
  if (expr.kind === 'literal') return expr.value;
  if (context.active.includes(expr)) return UNDEFINED;
  context.active.push(expr);
  const value = context.run(expr, scope, context);
  context.active.pop();
  return value;
}

/** Returns the outermost ad around `scope`. */
export function rootOf(scope: Scope): Scope {
  let root = scope;
  while (root.parent !== undefined) root = root.parent;
  return root;
}

function selected(expr: AttributeExpr, base: Expr, scope: Scope, context: Context): Found | Value {
  const value = context.run(base, scope, context);
  switch (value.type) {
    case 'classad':
      return isAdSubscript(base, scope, context)
        ? UNDEFINED
        : (findName(expr.key, value.scope, context) ?? UNDEFINED);
    case 'list':
      return projected(expr, value, scope, context);
    case 'undefined':
      return UNDEFINED;
    default:
      return ERROR;
  }
}

/** In the reference nothing can be selected from `ad["name"]`, unlike from `list[0]`. */
function isAdSubscript(base: Expr, scope: Scope, context: Context): boolean {
  return base.kind === 'subscript' && context.run(base.base, scope, context).type === 'classad';
}

/** A scope without names. */
const NOWHERE: Scope = { ad: makeAd([]), parent: undefined };

/**
 * `list.name`: the attribute of each element, which is evaluated in the scope of the
 * selection. Like in the reference, ads and lists among the results lose the ads around
 * them.
 */
function projected(expr: AttributeExpr, list: ListValue, scope: Scope, context: Context): Value {
  const items = list.items.map((base) =>
    literalOf(detached(context.run({ ...expr, base }, scope, context))),
  );
  return { type: 'list', items, scope: undefined };
}

/** Returns an ad or a list without the ads around it, and every other value unchanged. */
function detached(value: Value): Value {
  if (value.type === 'classad') return { ...value, scope: { ad: value.scope.ad, parent: NOWHERE } };
  return value.type === 'list' && value.scope !== undefined ? { ...value, scope: NOWHERE } : value;
}

/**
 * `list[integer]` or `ad[string]`. Like in the reference, the latter is an ad or list
 * without the ads around it.
 */
export function subscriptValue(base: Value, index: Value, context: Context): Value {
  if (base.type === 'error' || index.type === 'error') return ERROR;
  if (base.type === 'undefined' || index.type === 'undefined') return UNDEFINED;
  if (base.type === 'list' && index.type === 'integer') {
    const item = base.items[int32(index.value)];
    if (item === undefined) return ERROR;
    return item.kind === 'literal' ? item.value : elementValue(item, base, context);
  }
  if (base.type === 'classad' && index.type === 'string') {
    const entry = base.scope.ad.entries.get(lowerAscii(index.value));
    if (entry === undefined) return UNDEFINED;
    return detached(guarded({ expr: entry.expr, scope: base.scope }, context));
  }
  return ERROR;
}

/**
 * Evaluates an element in the scope of its list. A list without a scope contains only
 * values.
 */
function elementValue(item: Expr, list: ListValue, context: Context): Value {
  if (item.kind === 'literal') return item.value;
  return list.scope === undefined ? ERROR : context.run(item, list.scope, context);
}
