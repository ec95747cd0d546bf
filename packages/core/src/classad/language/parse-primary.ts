// The innermost level of the grammar: literals, attributes, calls, parentheses, lists and ads.
//
//   primary := literal | name | '.' name | name '(' [ expression { ( ',' | ';' ) expression } ] ')'
//            | '(' expression ')' | '{' [ expression { ',' expression } ] '}' | ad
//   ad      := '[' { ';' } [ name '=' expression { ';' { ';' } name '=' expression } { ';' } ] ']'
import { depthAbove, makeAd } from './ast.ts';
import type { AdExpr, Entry, Expr } from './ast.ts';
import { lowerAscii } from './bytes.ts';
import { parseAbsTime, parseRelTime } from './time-text.ts';
import type { Tokens } from './tokens.ts';
import { ERROR, realValue } from './value.ts';
import type { Value } from './value.ts';

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
