// Tokens to tree: operators by precedence, the conditional above them, postfix operators below.
//
//   expression := binary [ '?' expression ':' expression | '?' ':' expression ]
//   binary     := unary { operator unary }                 left-associative, precedence.json
//   unary      := ( '!' | '~' | '-' | '+' ) unary | postfix
//   postfix    := primary { '[' expression ']' | '.' name | '?:' postfix }
//
// `?:` is one token and binds tighter than any sign or operator; `? :` is a conditional.
import type { BinaryExpr, BinaryOperator, Expr, UnaryOperator } from './ast.ts';
import { parsePrimary } from './parse-primary.ts';
import table from './precedence.json' with { type: 'json' };
import { isCoded } from '../../base/errors/errors.ts';
import { lowerAscii } from './bytes.ts';
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
