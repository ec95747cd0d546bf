// Lookup of names: in the ad, the enclosing ads, the other ad of a match, and the names
// of scopes themselves.
import { lowerAscii } from '../language/bytes.ts';
import type { AttributeExpr, Expr } from '../language/ast.ts';
import type { Context } from './context.ts';
import { ERROR, UNDEFINED, integerValue, listOf } from '../language/value.ts';
import type { ListValue, Scope, Value } from '../language/value.ts';

/**
 * Returns the value of an attribute reference. Undefined names and circular ones are
 * UNDEFINED.
 */
export function attributeValue(expr: AttributeExpr, scope: Scope, context: Context): Value {
  if (expr.base !== undefined) return selectedValue(expr, expr.base, scope, context);
  if (expr.absolute) {
    const root = rootOf(scope);
    return root.other === undefined ? lookedUp(expr.key, root, context) : UNDEFINED;
  }
  return findValue(expr.key, scope, context) ?? fromOther(expr.key, scope, context);
}

function lookedUp(key: string, scope: Scope, context: Context): Value {
  return findValue(key, scope, context) ?? UNDEFINED;
}

/**
 * Returns the value of `key` in `scope` or the nearest enclosing scope with it; undefined
 * if there is none.
 */
function findValue(key: string, scope: Scope, context: Context): Value | undefined {
  for (let current: Scope | undefined = scope; current !== undefined; current = current.parent) {
    const entry = current.ad.entries.get(key);
    if (entry !== undefined) return guarded(entry.expr, current, context);
    const special = specialValue(key, current, context);
    if (special !== undefined) return special;
  }
  return undefined;
}

/**
 * Old semantics: a name that is missing here is looked up in the other ad of the match,
 * in that ad's scope.
 */
function fromOther(key: string, scope: Scope, context: Context): Value {
  const other = context.semantics === 'old' ? rootOf(scope).other : undefined;
  if (other === undefined) return UNDEFINED;
  const entry = other.ad.entries.get(key);
  return entry === undefined ? UNDEFINED : guarded(entry.expr, other, context);
}

function guarded(expr: Expr, scope: Scope, context: Context): Value {
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

/**
 * Returns the value of a name for an ad. In a match, the outermost ad is the match
 * itself, which has no user's names.
 */
function specialValue(key: string, scope: Scope, context: Context): Value | undefined {
  switch (key) {
    case 'self':
      return { type: 'classad', scope };
    case 'parent':
      return scope.parent === undefined ? UNDEFINED : { type: 'classad', scope: scope.parent };
    case 'root':
    case 'toplevel': {
      const root = rootOf(scope);
      return root.other === undefined ? { type: 'classad', scope: root } : UNDEFINED;
    }
    case 'my': {
      const root = rootOf(scope);
      const known = context.semantics === 'old' || root.other !== undefined;
      return known ? { type: 'classad', scope: root } : UNDEFINED;
    }
    case 'target':
    case 'other': {
      const { other } = rootOf(scope);
      return other === undefined ? UNDEFINED : { type: 'classad', scope: other };
    }
    case 'currenttime':
      return context.semantics === 'old' ? integerValue(Math.floor(context.world.now)) : undefined;
    default:
      return undefined;
  }
}

function selectedValue(expr: AttributeExpr, base: Expr, scope: Scope, context: Context): Value {
  const value = context.run(base, scope, context);
  switch (value.type) {
    case 'classad':
      return isAdSubscript(base, scope, context)
        ? UNDEFINED
        : lookedUp(expr.key, value.scope, context);
    case 'list':
      return projected(expr.key, value, scope, context);
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

/** `list.name`: the attribute of each ad in the list, ERROR for every other element. */
function projected(key: string, list: ListValue, scope: Scope, context: Context): Value {
  return listOf(
    list.items.map((item) => {
      const element = context.run(item, list.scope ?? scope, context);
      return element.type === 'classad' ? lookedUp(key, element.scope, context) : ERROR;
    }),
  );
}

/** `list[integer]` or `ad[string]`. */
export function subscriptValue(base: Value, index: Value, context: Context): Value {
  if (base.type === 'error' || index.type === 'error') return ERROR;
  if (base.type === 'undefined' || index.type === 'undefined') return UNDEFINED;
  if (base.type === 'list' && index.type === 'integer') {
    const at = index.value;
    const item = at >= 0n && at < BigInt(base.items.length) ? base.items[Number(at)] : undefined;
    if (item === undefined) return ERROR;
    return item.kind === 'literal' ? item.value : elementValue(item, base, context);
  }
  if (base.type === 'classad' && index.type === 'string') {
    const entry = base.scope.ad.entries.get(lowerAscii(index.value));
    return entry === undefined ? UNDEFINED : guarded(entry.expr, base.scope, context);
  }
  return ERROR;
}

/**
 * Evaluates an element in the scope of its list. A list without a scope contains only
 * values.
 */
export function elementValue(item: Expr, list: ListValue, context: Context): Value {
  if (item.kind === 'literal') return item.value;
  return list.scope === undefined ? ERROR : context.run(item, list.scope, context);
}
