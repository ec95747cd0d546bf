// Where the answers of HTCondor 23.9.6, asked through Python's module classad2, may differ
// from ours, which are those of HTCondor 25.14.
import type { RandomExpression } from './random-expressions.ts';

/**
 * What a program says about an expression: the text that it prints for it, and that of
 * the value; undefined if it does not parse. `failed`: the evaluation ends without a
 * value. `crashed`: so does the program.
 */
export type Answer =
  { readonly printed: string; readonly value: string } | 'failed' | 'crashed' | undefined;

interface AllowedDifference {
  readonly reason: string;
  readonly applies: (asked: RandomExpression, theirs: Answer, ours: Answer) => boolean;
}

const valueOf = (answer: Answer): string | undefined =>
  typeof answer === 'object' ? answer.value : undefined;

const ALLOWED: readonly AllowedDifference[] = [
  {
    reason:
      'the module crashes on lists and ads that an evaluation has made; then their text is asked for',
    applies: (_asked, theirs) => theirs === 'crashed',
  },
  {
    reason: 'an evaluation that fails is the value ERROR here, or UNDEFINED if it is circular',
    applies: (_asked, theirs, ours) =>
      theirs === 'failed' && ['error', 'undefined'].includes(valueOf(ours) ?? ''),
  },
  {
    reason: 'the module cannot always return lists and ads that an evaluation has made',
    applies: (_asked, theirs, ours) => theirs === 'failed' && /^[{[]/.test(valueOf(ours) ?? ''),
  },
  {
    reason: 'the module reads `[ expression = text ]`, in which the text may end early',
    applies: ({ damaged, expression }, theirs, ours) =>
      damaged && theirs !== undefined && ours === undefined && /[;\]]/.test(expression),
  },
  {
    reason: '`?:` binds loosely in 23.9.6; where it matters, the text is damaged',
    applies: ({ damaged, expression }) => damaged && expression.includes('?:'),
  },
  {
    reason: '23.9.6 evaluates the second operand of `?:` in any case',
    applies: ({ expression }, theirs) => theirs === 'failed' && expression.includes('?:'),
  },
  {
    reason: 'names behind these calls are looked up where the search of the call has ended',
    applies: ({ expression }) =>
      /(?:countMatches|evalInEachContext|unresolved)\s*\([^]*\)[^]*[A-Za-z]/i.test(expression),
  },
  {
    reason: 'relTime() drops the fraction of a real in 23.9.6',
    applies: ({ expression }) => /reltime\s*\(/i.test(expression),
  },
  {
    reason: 'the C library rounds pow() wrongly in one of some thousand cases',
    applies: ({ expression }, theirs, ours) => {
      const [a, b] = [Number(valueOf(theirs)), Number(valueOf(ours))];
      return /pow\s*\(/i.test(expression) && Math.abs(a - b) <= Math.abs(a) * 2e-15;
    },
  },
  {
    reason:
      'PCRE2 of Debian 13 accepts lookbehinds without a fixed length, that of HTCondor does not',
    applies: ({ expression }, theirs, ours) =>
      valueOf(ours) === 'error' && valueOf(theirs) !== undefined && /\(\?<[=!]/.test(expression),
  },
];

/** Returns why two answers may differ; undefined if they may not. */
export function allowedDifference(
  asked: RandomExpression,
  theirs: Answer,
  ours: Answer,
): string | undefined {
  return ALLOWED.find(({ applies }) => applies(asked, theirs, ours))?.reason;
}
