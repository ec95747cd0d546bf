// Functions on lists and on lists in strings: what HTCondor 25.14 returns in the odd cases.
import { expect, test } from 'vitest';
import { answer } from '../answer.ts';

test.each([
  ['a single boolean keeps its type in max', 'max({ false })', 'false'],
  ['a single boolean keeps its type in sum', 'sum({ true })', 'true'],
  ['a single boolean among undefined values keeps its type', 'min({ undefined, true })', 'true'],
  ['several booleans are numbers', 'max({ true, false })', '1'],
  ['an integer next to a real is a real', 'max({ 3, 3.0 })', '3.000000000000000E+00'],
  ['an infinite sum is an error', 'sum({ 1e308, 1e308, 5 })', 'error'],
  ['UNDEFINED precedes ERROR in member', 'member(Missing, Broken)', 'undefined'],
  ['an undefined list precedes an ERROR', 'member(Broken, Missing)', 'undefined'],
  ['the operator is checked first', 'anyCompare("=!=", Missing, 7)', 'error'],
  ['a list is checked after a bad operator', 'anyCompare("~", Missing, 1)', 'error'],
  ['an undefined operator precedes an ERROR', 'anyCompare(Missing, Broken, 7)', 'undefined'],
  ['an UNDEFINED comparison ends the search', 'anyCompare(">=", { Missing, 9 }, 7)', 'false'],
  ['an UNDEFINED comparison hides an ERROR', 'anyCompare(">", { Missing, Nest }, 3)', 'false'],
  [
    'names in a list are those of the calling ad',
    '[ x = 7; n = [ x = 1; l = { x } ]; r = sum(n.l) ].r',
    '7',
  ],
  [
    'a subscript takes the names of the list',
    '[ x = 7; n = [ x = 1; l = { x } ]; r = n.l[0] ].r',
    '1',
  ],
  ['the first leading delimiter is dropped', 'split("/usr/local/", "/")', '{ "usr","local" }'],
  ['a repeated leading delimiter is not', 'split(",,z")', '{ "","z" }'],
  ['each repetition gives an empty item', 'split("::n::m", "::")', '{ "","n","","m" }'],
  ['different delimiters give no empty item', 'split("a;,b", ";,")', '{ "a","b" }'],
  ['blanks stay', 'split(" k , m ", ",")', '{ " k "," m " }'],
  ['line breaks stay', 'split("B\\n c")', '{ "B\\n","c" }'],
  ['a part without text is one item', 'stringListSubsetMatch(",", "gpu")', 'false'],
  ['a part of blanks is one item', 'stringListSubsetMatch("  ", "ssd, gpu", ",")', 'false'],
  ['an empty part is a subset', 'stringListSubsetMatch("", "gpu")', 'true'],
  ['tabs separate members', 'stringListMember("a", "x\\ta")', 'true'],
  [
    'the maximum begins at the least 32-bit real',
    'stringListMax("-7.5,-2")',
    '1.175494350822288E-38',
  ],
  [
    'the minimum begins at the greatest 32-bit real',
    'stringListMin("1e300")',
    '3.402823466385289E+38',
  ],
  [
    'no delimiters are the default ones in intersect',
    'stringListsIntersect("ib,eth", "eth", "")',
    'true',
  ],
  ['blanks belong to the items in intersect', 'stringListsIntersect("a ; b", "b;c", ";")', 'false'],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});
