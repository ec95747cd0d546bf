// The names that an expression needs and its own ad does not define.
import type { Expr } from './ast.ts';
import type { Scope } from './value.ts';

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
