// Regular expressions: PCRE2's meaning of a pattern, and an end for every hostile pattern
// and subject.
import { cpuSeconds } from '@credmon/test-fixtures/clocks/cpu-time';
import { describe, expect, test } from 'vitest';
import { compile, search } from '../../src/regexp/regexp.ts';
import { evaluate, parseExpression } from '../../src/classad/index.ts';
import { DEFAULT_LIMITS } from '../../src/regexp/node.ts';
import { isCoded } from '../../src/base/errors/errors.ts';

/**
 * The texts of the match and of its groups; null without a match, `refused` for a
 * rejected pattern.
 */
function groups(
  pattern: string,
  subject: string,
  options = '',
): (string | undefined)[] | null | 'refused' {
  const regexp = compile(pattern, options, DEFAULT_LIMITS);
  if (regexp === undefined) return 'refused';
  const match = search(regexp, subject, 0, { left: 100_000, limits: DEFAULT_LIMITS });
  if (match === undefined) return null;
  return Array.from({ length: match.length / 2 }, (_, group) => {
    const [start = -1, end = -1] = match.subarray(2 * group);
    return start < 0 ? undefined : subject.slice(start, end);
  });
}

describe('a pattern has the meaning of PCRE2 10.42', () => {
  test.each([
    [
      'a greedy, a lazy and a bounded repeat',
      '(a+)(a+?)(a{2,3})',
      'aaaaaa',
      '',
      ['aaaaaa', 'aaa', 'a', 'aa'],
    ],
    ['a possessive repeat gives nothing back', 'a++a', 'aaa', '', null],
    ['an atomic group gives nothing back', '(?>a|ab)c', 'abc', '', null],
    ['the last round of a group counts', '(?:(a)|b)*', 'ab', '', ['ab', 'a']],
    ['a group without a match is unset', '(a)|b', 'b', '', ['b', undefined]],
    ['a loop over nothing ends', '(?:a*)*b', 'aab', '', ['aab']],
    ['lookahead', 'foo(?=bar)', 'foobar', '', ['foo']],
    ['negative lookahead', 'foo(?!bar)', 'foobar foo', '', ['foo']],
    ['lookbehind with branches of different lengths', '(?<=a|bc)x', 'bcx', '', ['x']],
    [
      'a lookbehind with a reference to a group of fixed length',
      '(ab)c(?<=\\1c)d',
      'abcd',
      '',
      ['abcd', 'ab'],
    ],
    ['one with a reference to another group is rejected', '(a+)b(?<=\\1b)c', 'aabc', '', 'refused'],
    ['one with a reference to its own group is rejected', '(a(?<=\\1))', 'a', '', 'refused'],
    ['one with a reference beside (?|) is rejected', '(a)(?|b)(?<!\\1)', 'ab', '', 'refused'],
    ['a lookbehind that repeats a lookbehind is rejected', '(?<=(?<!b)*a)c', 'ac', '', 'refused'],
    ['one that repeats a lookahead is not', '(?<=(?!b)*a)c', 'ac', '', ['c']],
    ['negative lookbehind', '(?<!a)b', 'abb', '', ['b']],
    ['a lookbehind without fixed length is rejected', '(?<=a+)b', 'ab', '', 'refused'],
    ['a reference', '(a|b)\\1', 'abb', '', ['bb', 'b']],
    ['a caseless reference', '(a)\\1', 'aA', 'i', ['aA', 'a']],
    ['a relative reference', '(a)(b)\\g{-2}', 'aba', '', ['aba', 'a', 'b']],
    [
      'named groups in each spelling',
      "(?<x>a)(?'y'b)(?P<z>c)\\k<x>(?P=y)\\g{z}",
      'abcabc',
      '',
      ['abcabc', 'a', 'b', 'c'],
    ],
    ['a reference to a missing group is rejected', '(a)\\2', 'aa', '', 'refused'],
    ['a duplicate name is rejected', '(?<x>a)(?<x>b)', 'ab', '', 'refused'],
    ['branches with the same group numbers', '(?|(a)|(b))\\1', 'bb', '', ['bb', 'b']],
    ['a condition on a group', '(<)?a(?(1)>|-)', 'a-', '', ['a-', undefined]],
    ['options inside the pattern', '(?i)a(?-i)b(?s:.)', 'Ab\n', '', ['Ab\n']],
    ['extended syntax', 'a b # comment\n c', 'abc', 'x', ['abc']],
    ['a comment', 'a(?# here)b', 'ab', '', ['ab']],
    ['multiline anchors', '^b$', 'a\nb\nc', 'm', ['b']],
    ['the end is also before a last newline', 'a$', 'a\n', '', ['a']],
    ['\\z is the very end', 'a\\z', 'a\n', '', null],
    ['the dot stops at a newline only', 'a.c', 'a\rc', '', ['a\rc']],
    ['literal text', '\\Qa.b*\\E+', 'a.b**', '', ['a.b**']],
    ['the start of the match is moved', 'foo\\Kbar', 'foobar', '', ['bar']],
    ['line breaks', 'a\\Rb', 'a\r\nb', '', ['a\r\nb']],
    ['sets', '\\d\\D\\w\\W\\s\\S\\h\\H\\N', '1a_- b\tcd', '', ['1a_- b\tcd']],
    ['POSIX classes', '[[:alpha:]][[:^alpha:]][^[:space:]]', 'a1-', '', ['a1-']],
    ['a bracket first in a class', '[]a]+', 'a]', '', ['a]']],
    ['bytes by code', '\\x41\\x{42}\\103\\o{104}', 'ABCD', '', ['ABCD']],
    ['word boundaries', '\\bfoo\\b', 'a foo.', '', ['foo']],
    ['braces that are not a quantifier', 'a{,2}{', 'a{,2}{', '', ['a{,2}{']],
    ['letters beyond ASCII have no case', '\xe9', '\xc9', 'i', null],
    ['a range out of order is rejected', '[b-a]', 'a', '', 'refused'],
    ['a quantifier without operand is rejected', '*a', 'a', '', 'refused'],
    ['a repeated anchor is rejected', '^*a', 'a', '', 'refused'],
    ['an unknown escape is rejected', '\\y', 'y', '', 'refused'],
    ['an unclosed group is rejected', '(a', 'a', '', 'refused'],
    ['recursion is rejected', 'a(?R)?b', 'ab', '', 'refused'],
  ])('%s: %s', (_name, pattern, subject, options, expected) => {
    expect(groups(pattern, subject, options)).toEqual(expected);
  });
});

describe('a hostile pattern on a hostile subject ends in milliseconds with CLASSAD_LIMIT', () => {
  const run = 'a'.repeat(5000);
  test.each([
    ['(a+)+$', `${run}!`],
    ['(a|a)*$', `${run}!`],
    ['(a*)*b', run],
    ['(.*)(.*)(.*)(.*)x', run],
    ['(?=(a+)+$)b|(a|aa)+$', `${run}!`],
    ['(a?){60}a{60}', 'a'.repeat(59)],
    ['(\\w+\\s?)+\\1{2}$', 'word '.repeat(1000) + '!'],
  ])('%s', (pattern, subject) => {
    const quote = (text: string): string => `"${text.replaceAll('\\', '\\\\')}"`;
    const expr = parseExpression(`regexp(${quote(pattern)}, ${quote(subject)})`);
    let thrown: unknown;
    const took = cpuSeconds(() => {
      try {
        evaluate(expr, { now: 0 });
      } catch (error) {
        thrown = error;
      }
    });
    expect(isCoded(thrown, 'CLASSAD_LIMIT') && thrown.fields).toEqual({
      limit: 'matchSteps',
      bound: 1_000_000,
    });
    expect(took).toBeLessThan(1);
  });

  test('all matches of one evaluation share the limit', () => {
    const list = Array.from({ length: 200 }, () => `"${'a'.repeat(5000)}"`).join(',');
    const expr = parseExpression(`regexpMember("a*b|a.*c", {${list}})`);
    expect(() => evaluate(expr, { now: 0 })).toThrow('matchSteps');
  });
});

test('a quotation behind a quantifier is a text', () => {
  expect(groups('7+\\Q?\\E', '77?')).toEqual(['77?']);
  expect(groups('(?<=(?=7)*)7', '7')).toEqual(['7']);
});

describe('a pattern that PCRE2 10.42 rejects is rejected even where it does nothing', () => {
  test.each([
    ['a reference to no group, repeated zero times', '\\1{0}', 'a'],
    ['a lookbehind without fixed length, repeated zero times', '(?<=z{1,3}){0}', 'q'],
    ['\\K in a lookahead, repeated zero times', '(?!\\Kq){0}', 'q'],
    ['a collating element around a backslash', '[.x\\.]', '.'],
    ['a collating element around an escaped bracket', '[.x\\]a.]', '.'],
    ['a quantifier behind a lazy one', '7??\\E?', '7'],
    ['an assertion repeated in a lookbehind', '(?<=(?:\\b)*)a', 'a'],
    ['a quantifier of nothing but \\E', '\\E*7', '7'],
  ])('%s', (_title, pattern, subject) => {
    expect(groups(pattern, subject)).toBe('refused');
  });
});

test.each([
  ['\\E before the sign of a lazy quantifier', '7+\\E?', '77', ['7']],
  ['\\Q\\E before it', '7+\\Q\\E?', '77', ['7']],
  ['\\E before the sign of a possessive quantifier', '7*\\E+7', '77', null],
  ['a comment before it', '7+(?#c)?', '77', ['7']],
  ['a blank under x before it', '(?x)7* +7', '77', null],
  ['\\E behind an alternative', '\\e|C+\\E?', 'CC', ['C']],
])('%s is nothing', (_title, pattern, subject, expected) => {
  expect(groups(pattern, subject)).toEqual(expected);
});

test('references that double in a lookbehind take no time', () => {
  const doubling = Array.from({ length: 300 }, (_, i) => `(\\${i + 1}\\${i + 1})`).join('');
  expect(cpuSeconds(() => compile(`(a)${doubling}(?<=\\300)`, '', DEFAULT_LIMITS))).toBeLessThan(2);
});
