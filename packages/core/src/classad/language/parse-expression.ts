// Tokens to tree: operators by precedence, the conditional above them, postfix operators below.
//
//   expression := binary [ '?' expression ':' expression | '?' ':' expression ]
//   binary     := unary { operator unary }                 left-associative, precedence.json
//   unary      := ( '!' | '~' | '-' | '+' ) unary | postfix
//   postfix    := primary { '[' expression ']' | '.' name | '?:' postfix }
//
// `?:` is one token and binds tighter than any sign or operator; `? :` is a conditional.
//
// The innermost level of the grammar: literals, attributes, calls, parentheses, lists and ads.
//
//   primary := literal | name | '.' name | name '(' [ expression { ( ',' | ';' ) expression } ] ')'
//            | '(' expression ')' | '{' [ expression { ',' expression } ] '}' | ad
//   ad      := '[' { ';' } [ name '=' expression { ';' { ';' } name '=' expression } { ';' } ] ']'
import table from './precedence.json' with { type: 'json' };
import { isCoded } from '../../base/errors/errors.ts';
import {
  type AdExpr,
  type BinaryExpr,
  type BinaryOperator,
  type Entry,
  type Expr,
  type UnaryOperator,
  depthAbove,
  makeAd,
} from './ast.ts';
import { lowerAscii, ERROR, type Value, realValue } from './value.ts';
import { parseAbsTime, parseRelTime } from './time-text.ts';
import type { Tokens } from './tokens.ts';

const PRECEDENCE = new Map(Object.entries(table)) as ReadonlyMap<string, number>;
const UNARY: ReadonlySet<string> = new Set(['!', '~', '-', '+']);

/**
 * Parses the longest expression that starts at the next token.
 * @throws CLASSAD_SYNTAX, CLASSAD_LIMIT
 */
export function parseTree(tokens: Tokens): Expr {
  return tokens.nested(() => parseConditional(tokens));
}

function parseConditional(tokens: Tokens): Expr {
  const test = parseBinary(tokens, 1);
  if (!tokens.accept('?')) return test;
  const yes = parseMiddle(tokens);
  tokens.expect(':');
  const no = parseTree(tokens);
  const depth = 1 + Math.max(test.depth, yes?.depth ?? 0, no.depth);
  return tokens.bounded({ kind: 'conditional', test, yes, no, depth });
}

/**
 * Like in the reference, text that is not an expression counts as an empty middle if the
 * parser stops at the colon.
 */
function parseMiddle(tokens: Tokens): Expr | undefined {
  if (tokens.at(':')) return undefined;
  try {
    return parseTree(tokens);
  } catch (error) {
    if (isCoded(error, 'CLASSAD_SYNTAX') && tokens.at(':')) return undefined;
    // The token in the place of the colon is lost, which a conditional around this one sees.
    tokens.take();
    throw error;
  }
}

function parseBinary(tokens: Tokens, least: number): Expr {
  let left = parseUnary(tokens);
  for (;;) {
    const { kind, text } = tokens.peek;
    const precedence = kind === 'operator' ? (PRECEDENCE.get(text) ?? 0) : 0;
    if (precedence < least) return left;
    tokens.take();
    const right = parseBinary(tokens, precedence + 1);
    const depth = 1 + Math.max(left.depth, right.depth);
    const operator = text as BinaryOperator;
    left = tokens.bounded<BinaryExpr>({ kind: 'binary', operator, left, right, depth });
  }
}

function parseUnary(tokens: Tokens): Expr {
  const { kind, text } = tokens.peek;
  if (kind !== 'operator' || !UNARY.has(text)) return parsePostfix(tokens);
  tokens.take();
  const operand = tokens.nested(() => parseUnary(tokens));
  const operator = text as UnaryOperator;
  return tokens.bounded({ kind: 'unary', operator, operand, depth: operand.depth + 1 });
}

function parsePostfix(tokens: Tokens): Expr {
  let base = parsePrimary(tokens, parseTree);
  for (;;) {
    if (tokens.accept('[')) {
      const index = parseTree(tokens);
      tokens.expect(']');
      const depth = 1 + Math.max(base.depth, index.depth);
      base = tokens.bounded<Expr>({ kind: 'subscript', base, index, depth });
    } else if (tokens.accept('.')) {
      const name = tokens.name();
      const key = lowerAscii(name);
      const depth = base.depth + 1;
      base = tokens.bounded<Expr>({ kind: 'attribute', base, name, key, absolute: false, depth });
    } else if (tokens.accept('?:')) {
      const no = tokens.nested(() => parsePostfix(tokens));
      const depth = 1 + Math.max(base.depth, no.depth);
      base = tokens.bounded<Expr>({ kind: 'conditional', test: base, yes: undefined, no, depth });
    } else {
      return base;
    }
  }
}

/**
 * Parses a whole expression. A parameter, because expressions and primaries contain each
 * other.
 */
export type ParseTree = (tokens: Tokens) => Expr;

/**
 * Parses one primary.
 * @throws CLASSAD_SYNTAX, CLASSAD_LIMIT
 */
export function parsePrimary(tokens: Tokens, parseTree: ParseTree): Expr {
  const { kind, text } = tokens.peek;
  if (kind === 'literal') return literal(tokens.take().value ?? ERROR);
  if (kind === 'identifier') {
    tokens.take();
    return tokens.at('(') ? parseCall(tokens, text, parseTree) : attribute(text, false);
  }
  if (tokens.accept('.')) {
    return attribute(tokens.name(), true);
  }
  if (tokens.accept('(')) {
    const inner = parseTree(tokens);
    tokens.expect(')');
    return tokens.bounded({ kind: 'paren', inner, depth: inner.depth + 1 });
  }
  if (tokens.at('{')) {
    const items = parseItems(tokens, '{', '}', [','], parseTree);
    return tokens.bounded({ kind: 'list', items, depth: depthAbove(items) });
  }
  if (tokens.at('[')) return parseAdTree(tokens, parseTree);
  return tokens.fail('an expression expected');
}

/**
 * Parses `[ name = expression; ... ]`.
 * @throws CLASSAD_SYNTAX, CLASSAD_LIMIT
 */
export function parseAdTree(tokens: Tokens, parseTree: ParseTree): AdExpr {
  tokens.expect('[');
  const entries: Entry[] = [];
  const leading = tokens.at(';');
  while (tokens.accept(';'));
  if (leading && tokens.at(']')) tokens.failBehind('an attribute name expected');
  while (!tokens.accept(']')) {
    const name = tokens.name();
    tokens.expect('=');
    entries.push({ name, expr: parseTree(tokens) });
    if (name === '') tokens.fail('an attribute name that is not empty expected');
    if (!tokens.at(';') && !tokens.at(']')) tokens.fail('`;` or `]` expected');
    while (tokens.accept(';'));
  }
  return tokens.bounded(makeAd(entries));
}

function parseCall(tokens: Tokens, name: string, parseTree: ParseTree): Expr {
  const args = parseItems(tokens, '(', ')', tokens.oldSemantics ? [',', ';'] : [','], parseTree);
  const key = lowerAscii(name);
  const time = key === 'abstime' || key === 'reltime' ? timeLiteral(key, args) : undefined;
  if (time === 'bad') tokens.fail(`the text in ${name}() is not a time`);
  return time ?? tokens.bounded({ kind: 'call', name, key, args, depth: depthAbove(args) });
}

/**
 * `absTime("...")` and `relTime("...")` of a string literal are constants; the latter
 * evaluates to a real.
 */
function timeLiteral(key: string, args: readonly Expr[]): Expr | 'bad' | undefined {
  const [only] = args;
  if (args.length !== 1 || only?.kind !== 'literal' || only.value.type !== 'string')
    return undefined;
  if (key === 'abstime') {
    const time = parseAbsTime(only.value.value);
    return time === undefined ? 'bad' : literal(time);
  }
  const time = parseRelTime(only.value.value);
  return time === undefined ? 'bad' : literal(realValue(time.seconds), time);
}

function parseItems(
  tokens: Tokens,
  open: string,
  close: string,
  separators: readonly string[],
  parseTree: ParseTree,
): Expr[] {
  tokens.expect(open);
  const items: Expr[] = [];
  if (tokens.accept(close)) return items;
  do items.push(parseTree(tokens));
  while (separators.some((separator) => tokens.accept(separator)));
  if (!tokens.at(close)) tokens.fail(`\`${close}\` expected`);
  tokens.take();
  return items;
}

const literal = (value: Value, shown: Value = value): Expr => ({
  kind: 'literal',
  value,
  shown,
  depth: 1,
});

const attribute = (name: string, absolute: boolean): Expr => ({
  kind: 'attribute',
  base: undefined,
  name,
  key: lowerAscii(name),
  absolute,
  depth: 1,
});
