// All recorded results of HTCondor 25.14's ClassAd library, compared completely: texts,
// types, values, both lexers, both semantics.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  evaluate,
  parseAd,
  parseExpression,
  printExpression,
  printValue,
  textOf,
  type LexerSyntax,
  type Semantics,
} from '../../src/classad/index.ts';

interface Result {
  parse: boolean;
  unparse?: string;
  unparse_old?: string;
  type?: string;
  value?: string;
  value_old?: string;
  string?: string;
}
interface Case extends Result {
  id: string;
  expr: string;
  ctx: string;
  strict?: Result;
  oldlex?: Result;
  classad2_only?: Result;
}
interface Topic {
  contexts: Record<string, { my: string; target?: string } | undefined>;
  cases: Case[];
}

const TOPICS = [
  [
    'arith',
    'bitwise',
    'compare',
    'fn-convert',
    'fn-list',
    'fn-math',
    'fn-misc',
    'fn-regexp',
    'fn-string',
  ],
  [
    'fn-stringlist',
    'fn-version',
    'literal-number',
    'literal-other',
    'literal-string',
    'literal-time',
  ],
  ['logic', 'meta', 'precedence', 'scope', 'subscript', 'syntax-error', 'unparse'],
].flat();

const read = (topic: string): Topic =>
  JSON.parse(
    readFileSync(
      new URL(`../../../../test-fixtures/golden/classad/${topic}.json`, import.meta.url),
      'utf8',
    ),
  ) as Topic;

interface Mode {
  lexer: LexerSyntax;
  semantics: Semantics;
  functions: 'all' | 'library';
}

function answer(
  { expr, ctx }: Case,
  { contexts }: Topic,
  { lexer, semantics, functions }: Mode,
): Result {
  let tree;
  try {
    tree = parseExpression(expr, { lexer, semantics });
  } catch {
    return { parse: false };
  }
  const { my, target } = contexts[ctx] ?? { my: '[]' };
  const value = evaluate(tree, {
    my: parseAd(my),
    ...(target === undefined ? {} : { target: parseAd(target) }),
    semantics,
    functions,
    now: 1_700_000_000,
    random: () => 0.25,
  });
  const [unparse, unparseOld] = [printExpression(tree), printExpression(tree, { style: 'old' })];
  const [text, textOld] = [printValue(value), printValue(value, { style: 'old' })];
  return {
    parse: true,
    unparse,
    ...(unparseOld === unparse ? {} : { unparse_old: unparseOld }),
    type: value.type,
    value: text,
    ...(textOld === text ? {} : { value_old: textOld }),
    ...(value.type === 'string' ? { string: textOf(value.value) } : {}),
  };
}

function recorded({ parse, unparse, unparse_old, type, value, value_old, string }: Result): Result {
  const fields = { parse, unparse, unparse_old, type, value, value_old, string };
  return Object.fromEntries(
    Object.entries(fields).filter(([, field]) => field !== undefined),
  ) as unknown as Result;
}

describe.each(TOPICS)('recorded results: %s', (name) => {
  const topic = read(name);
  test.each(topic.cases.map((one) => [one.id, one.expr, one] as const))(
    '%s %j',
    (_id, _expr, one) => {
      const main = recorded(one);
      const mode = { lexer: 'new', semantics: 'old', functions: 'all' } as const;
      expect(answer(one, topic, mode)).toEqual(main);
      expect(answer(one, topic, { ...mode, semantics: 'new' })).toEqual(
        recorded(one.strict ?? main),
      );
      expect(answer(one, topic, { ...mode, lexer: 'old' })).toEqual(recorded(one.oldlex ?? main));
      // Cases with a semicolon have no recording of the bare library.
      if (one.classad2_only === undefined && one.expr.includes(';')) return;
      const library = answer(one, topic, { ...mode, semantics: 'new', functions: 'library' });
      const { parse, value } = one.classad2_only ?? one.strict ?? main;
      expect({ parse: library.parse, value: library.value }).toEqual({ parse, value });
    },
  );
});
