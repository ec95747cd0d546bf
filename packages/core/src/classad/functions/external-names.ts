// The names that an expression needs from outside of its ad, for unresolved().
import type { AttributeExpr, Expr } from '../language/ast.ts';
import { lowerAscii } from '../language/bytes.ts';
import { partsOf } from '../language/references.ts';
import type { Scope } from '../language/value.ts';
import type { Context } from '../operate/context.ts';
import { findName, rootOf } from '../operate/scope.ts';
import { expressionBytes } from '../print/print.ts';

/**
 * Returns the references of `expr` that its ad does not define, with their scope unless
 * that is TARGET, each once and sorted without case. Like in the reference, they are none
 * at all if one of them is to something that has no names, or if they are circular.
 * @throws CLASSAD_LIMIT
 */
export function externalNames(expr: Expr, scope: Scope, context: Context): string[] {
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
