// Functions that see expressions, and lookups in the caller's maps and user database: which
// expression an attribute stands for, and where.
import { expect, test } from 'vitest';
import { answer } from '../answer.ts';

test.each([
  ['an attribute stands for its expression in countMatches', 'countMatches(Rank3, Jobs)', '2'],
  [
    'an attribute stands for its expression in evalInEachContext',
    'evalInEachContext(Rank3, Jobs)',
    '{ true,false,true }',
  ],
  ['the expression of the own ad comes first', 'evalInEachContext(Prio, Jobs)', '{ 55,55,55 }'],
  [
    'a name that the own ad does not have is one of each ad',
    'evalInEachContext(q + 1, { [ q = 1 ], [ q = 2 ] })',
    '{ 2,3 }',
  ],
  ['MY is each ad in a larger expression', 'countMatches(MY.Prio > 40, Jobs)', '2'],
  ['MY is each ad in a sum', 'evalInEachContext(MY.Prio + 0, Jobs)', '{ 70,10,41 }'],
  ['MY is the innermost ad', 'Nest.Own', '9'],
  [
    'an evaluation that fails is an error of one element',
    'string(evalInEachContext(random(-1), Jobs))',
    '"{ error,error,error }"',
  ],
  ['unresolved of a scoped attribute', 'unresolved(MY.Rank3)', '""'],
  ['unresolved of a selected attribute', 'unresolved(Nest.Inner)', '""'],
  ['unresolved of nothing', 'unresolved(NoSuch)', 'undefined'],
  ['unresolved follows attributes', '[ a = x + y; x = z; r = unresolved(a) ].r', '"y,z"'],
  [
    'unresolved keeps scopes other than TARGET',
    '[ a = q.e + TARGET.z + z[1].k; r = unresolved(a) ].r',
    '"q.e,z,z[1].k"',
  ],
  ['unresolved is empty if something has no names', '[ a = q + (5).e; r = unresolved(a) ].r', '""'],
  [
    'unresolved is empty for circular attributes',
    '[ a = b; b = a + q; r = unresolved(a) ].r',
    '""',
  ],
  [
    'unresolved of a list that a selection makes',
    '[ n = [ i = m; m = 1 ]; l = { [ q = 1 ] }; r = unresolved(l.n) ].r',
    '"m"',
  ],
  ['a pattern is matched with each name', '[ a = x + y; r = unresolved(a, "^Y$") ].r', 'true'],
  ['a pattern must match some text', '[ a = x + y; r = unresolved(a, "") ].r', 'false'],
  ['a malformed pattern is an error', '[ a = x + y; r = unresolved(a, "[") ].r', 'error'],
  ['a pattern that is not a text fails the evaluation', 'isError(unresolved(Prio, 5))', 'error'],
  ['unparse of an absolute attribute', 'unparse(.Rank3)', '""'],
  ['unparse of an attribute of an outer ad', '[ a = 3; n = [ r = unparse(a) ] ].n.r', '""'],
  ['unparse of an own attribute', 'unparse(Rank3)', '"Prio > 40"'],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});

test.each([
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
