// HTCondor's own functions on environments, arguments, maps and homes.
import { expect, test } from 'vitest';
import { answer } from '../answer.ts';

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
  ['userMap of a map that is not a text', 'userMap(7, "alice")', 'undefined'],
  ['userMap of a user that is not a text', 'userMap("groups", false)', 'undefined'],
  ['an ERROR as preferred item', 'userMap("groups", "alice", Broken)', 'undefined'],
  ['an ERROR as map', 'userMap(Broken, "alice", "x", "y")', 'error'],
  ['the default of userMap', 'userMap(7, "alice", "x", 5)', '5'],
  ['the default of userHome must be a text', 'userHome(Missing, 11)', 'undefined'],
  [
    'the default of userHome for a user that is not a text',
    'userHome(7, "/scratch")',
    '"/scratch"',
  ],
  ['a user that is not a text, without default', 'userHome(7)', 'error'],
  ['userHome without a user fails the evaluation', 'isError(userHome())', 'error'],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});
