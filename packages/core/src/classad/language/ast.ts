// The expression tree. Nodes are immutable and record their depth, which limits the
// recursion of later stages. And the names that a tree needs and its own ad does not
// define.
import { lowerAscii, type Scope, type Value } from './value.ts';

/**
 * A constant. `shown` is the printed value; it differs from `value` only for relative
 * times, which evaluate to reals.
 */
export interface LiteralExpr {
  readonly kind: 'literal';
  readonly value: Value;
  readonly shown: Value;
  readonly depth: number;
}

/** `name`, `.name` (absolute) or `base.name`; `key` is the name in lower case. */
export interface AttributeExpr {
  readonly kind: 'attribute';
  readonly base: Expr | undefined;
  readonly name: string;
  readonly key: string;
  readonly absolute: boolean;
  readonly depth: number;
}

export interface UnaryExpr {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expr;
  readonly depth: number;
}

export interface BinaryExpr {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
  readonly depth: number;
}

/** `test ? yes : no`, or `test ?: no` if `yes` is undefined. */
export interface ConditionalExpr {
  readonly kind: 'conditional';
  readonly test: Expr;
  readonly yes: Expr | undefined;
  readonly no: Expr;
  readonly depth: number;
}

export interface SubscriptExpr {
  readonly kind: 'subscript';
  readonly base: Expr;
  readonly index: Expr;
  readonly depth: number;
}

export interface CallExpr {
  readonly kind: 'call';
  readonly name: string;
  readonly key: string;
  readonly args: readonly Expr[];
  readonly depth: number;
}

export interface ListExpr {
  readonly kind: 'list';
  readonly items: readonly Expr[];
  readonly depth: number;
}

/** One attribute of an ad: the name as first spelled, and its expression. */
export interface Entry {
  readonly name: string;
  readonly expr: Expr;
}

/** An ad; the map's keys are the names in lower case. */
export interface AdExpr {
  readonly kind: 'ad';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly depth: number;
}

export interface ParenExpr {
  readonly kind: 'paren';
  readonly inner: Expr;
  readonly depth: number;
}

export type Expr =
  | LiteralExpr
  | AttributeExpr
  | UnaryExpr
  | BinaryExpr
  | ConditionalExpr
  | SubscriptExpr
  | CallExpr
  | ListExpr
  | AdExpr
  | ParenExpr;

export type UnaryOperator = '!' | '~' | '-' | '+';

export type LogicOperator = '||' | '&&';
export type IdentityOperator = '=?=' | '=!=';
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type BitOperator = '|' | '^' | '&' | '<<' | '>>' | '>>>';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type BinaryOperator =
  LogicOperator | IdentityOperator | ComparisonOperator | BitOperator | ArithmeticOperator;

/** Returns the depth of a node above `children`. */
export function depthAbove(children: Iterable<Expr>): number {
  let deepest = 0;
  for (const { depth } of children) if (depth > deepest) deepest = depth;
  return deepest + 1;
}

/**
 * Creates an ad of these attributes. If names differ only in case, the last expression
 * and the first spelling are kept.
 */
export function makeAd(attributes: Iterable<Entry>): AdExpr {
  const entries = new Map<string, Entry>();
  for (const { name, expr } of attributes) {
    const key = lowerAscii(name);
    entries.set(key, { name: entries.get(key)?.name ?? name, expr });
  }
  return { kind: 'ad', entries, depth: depthAbove([...entries.values()].map(({ expr }) => expr)) };
}

const OTHER = new Set(['target', 'other']);
const OWN = new Set(['my', 'self', 'toplevel', 'root', 'parent']);

/**
 * Returns the names, without scope, that `expr` refers to and that neither `scope` nor
 * its parents define; sorted, each once.
 */
export function unresolvedNames(expr: Expr, scope: Scope): string[] {
  const names = new Map<string, string>();
  collect(expr, scope, new Set(), names);
  return [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, name]) => name);
}

function collect(expr: Expr, scope: Scope, seen: Set<Expr>, names: Map<string, string>): void {
  if (expr.kind !== 'attribute') {
    for (const child of childrenOf(expr)) collect(child, scope, seen, names);
    return;
  }
  const { base } = expr;
  if (base !== undefined) {
    const scoped = base.kind === 'attribute' && base.base === undefined ? base.key : undefined;
    if (scoped !== undefined && OTHER.has(scoped)) names.set(expr.key, expr.name);
    else if (scoped === undefined || !OWN.has(scoped)) collect(base, scope, seen, names);
    return;
  }
  if (OWN.has(expr.key) || OTHER.has(expr.key)) return;
  const entry = find(expr.key, scope);
  if (entry === undefined) names.set(expr.key, expr.name);
  else if (!seen.has(entry)) {
    seen.add(entry);
    collect(entry, scope, seen, names);
  }
}

function find(key: string, scope: Scope): Expr | undefined {
  for (let current: Scope | undefined = scope; current !== undefined; current = current.parent) {
    const entry = current.ad.entries.get(key);
    if (entry !== undefined) return entry.expr;
  }
  return undefined;
}

function childrenOf(expr: Exclude<Expr, { kind: 'attribute' }>): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
      return [];
    case 'unary':
      return [expr.operand];
    case 'binary':
      return [expr.left, expr.right];
    case 'conditional':
      return expr.yes === undefined ? [expr.test, expr.no] : [expr.test, expr.yes, expr.no];
    case 'subscript':
      return [expr.base, expr.index];
    case 'call':
      return expr.args;
    case 'list':
      return expr.items;
    case 'ad':
      return [...expr.entries.values()].map((entry) => entry.expr);
    case 'paren':
      return [expr.inner];
  }
}

/** Returns the direct subexpressions of `expr`. */
export function partsOf(expr: Expr): readonly Expr[] {
  if (expr.kind !== 'attribute') return childrenOf(expr);
  return expr.base === undefined ? [] : [expr.base];
}
