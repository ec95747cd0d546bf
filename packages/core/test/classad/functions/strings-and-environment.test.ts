// Functions on strings, with regular expressions, and on environments: what HTCondor 25.14
// returns in the odd cases.
import { expect, test } from 'vitest';
import { answer } from '../answer.ts';

test.each([
  ['join of nothing is an empty text', 'size(join())', '0'],
  ['join of nothing is a text', 'strcat("[", join(), "]")', '"[]"'],
  ['an undefined separator of a list is empty', 'join(Missing, Tags)', '"gpussd"'],
  ['an undefined separator of values is empty', 'join(undefined, "p", "q")', '"pq"'],
  ['join of undefined values only is undefined', 'join(",", { Missing })', 'undefined'],
  ['join of one text is empty', 'join("x")', '""'],
  ['no separator stands before the first text', 'join(",", {"", "a", "", ""})', '"a,,"'],
  ['the first UNDEFINED is the result of strcat', 'strcat("p-", Missing, Broken)', 'undefined'],
  ['the first ERROR is the result of strcat', 'strcat(Broken, Missing)', 'error'],
  ['UNDEFINED precedes ERROR in strcmp', 'strcmp(Missing, Broken)', 'undefined'],
  ['UNDEFINED precedes ERROR in stricmp', 'stricmp(Broken, Missing)', 'undefined'],
  ['UNDEFINED precedes ERROR in substr', 'substr(Broken, Missing)', 'undefined'],
  ['substr reads the low 32 bits of a number', 'substr("kilobyte", 4294967298)', '"lobyte"'],
  [
    'a group behind the last match is missing',
    'regexps("(gpu)?-node", "-node", "<\\\\1>")',
    'error',
  ],
  [
    'a group behind the last match is missing in replace',
    'replace("(x)?y", "aya", "<\\\\1>")',
    'error',
  ],
  ['an alternative that took no part is missing', 'regexps("cpu|(gpu)", "cpu", "\\\\1")', 'error'],
  ['a group before a matched one is empty', 'regexps("(c)|(g)", "g", "[\\\\1\\\\2]")', '"[g]"'],
  ['an empty match at the start is replaced', 'replaceAll("^", "node", "@")', '"@node"'],
  ['empty matches inside are replaced', 'replaceAll("(?=o)", "foot", "_")', '"f_o_ot"'],
  ['an empty match at the end is an error', 'replaceAll("$", "end", ".")', 'error'],
  ['empty matches up to the end are an error', 'replaceAll("x*", "axb", "-")', 'error'],
  ['\\G begins where each search does', 'replaceAll("\\\\G", "ab", "-")', 'error'],
  ['a match that \\K empties is tried again', 'replaceAll("\\\\N\\\\K", "aaaa", "-")', 'error'],
  ['a malformed pattern matches no element', 'regexpMember("[a", Tags)', 'false'],
  ['a malformed pattern leaves undefined elements', 'regexpMember("*", { Missing })', 'undefined'],
  ['no items have no member', 'stringList_regexpMember("gpu", " , ")', 'undefined'],
  [
    'options of this function may be upper case',
    'stringList_regexpMember("GPU", "gpu", ",", "I")',
    'true',
  ],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});

test.each([
  [
    'a first character that cannot begin a name is the delimiter',
    'envV1ToV2("^HOME=/h^LANG=C")',
    '"HOME=/h LANG=C"',
  ],
  ['another such character', 'envV1ToV2("#HOME=/h#LANG=C")', '"HOME=/h LANG=C"'],
  ['leading blanks are dropped', 'envV1ToV2("  HOME=/h;LANG=C")', '"HOME=/h LANG=C"'],
  ['blanks before each variable are dropped', 'envV1ToV2("A=1; B=2")', '"A=1 B=2"'],
  ['a line break ends a variable', 'envV1ToV2("A=1\\nB=2")', '"A=1 B=2"'],
  ['a macro is kept', 'envV1ToV2("A=1;$$x")', '"$$x A=1"'],
  [
    'a macro is kept when environments are merged',
    'mergeEnvironment("$$(x)", "A=1")',
    '"$$(x) A=1"',
  ],
  [
    'a vertical tab separates no arguments',
    'string(argsToList("a\\vb c"))',
    '"{ \\"a\\\\vb\\",\\"c\\" }"',
  ],
  ['a vertical tab needs no quotes', 'listToArgs({ "a\\vb", "c d" })', '"a\\vb c\' \'d"'],
  ['an empty argument in the old syntax', 'listToArgs({ "", "a", "" }, 1)', '"a "'],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});
