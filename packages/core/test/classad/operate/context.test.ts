// What names stand for: elements, ads in ads, and the ads of a match.
import { expect, test } from 'vitest';
import { evaluate, parseAd, parseExpression, printValue } from '../../../src/classad/index.ts';
import { answer } from '../answer.ts';

const AROUND = '[ ad = .LEFT; my = .LEFT; other = .RIGHT; target = .RIGHT ]';

test.each([
  ['a selection from undefined elements', '{ Missing, [ Inner = 1 ] }.Inner', '{ undefined,1 }'],
  ['a selection from lists in a list', '{ { [ p = 1 ] }, 5, { } }.p', '{ { 1 },error,{  } }'],
  [
    'a selection takes the names of the selecting ad',
    '[ x = [ p = 7 ]; n = [ x = [ p = 1 ]; l = { x } ]; r = n.l.p ].r',
    '{ 7 }',
  ],
  [
    'a selected ad has no ads around it',
    '[ y = 5; l = { [ p = [ q = y ] ] }; r = l.p[0].q ].r',
    'undefined',
  ],
  [
    'a selected list has no ads around it',
    '[ y = 5; l = { [ p = { 1, y } ] }; r = l.p[0][1] ].r',
    'undefined',
  ],
  [
    'an ad by subscript has no ads around it',
    '[ a = [ b = [ c = x ] ]; x = 4; r = a["b"]["c"] ].r',
    'undefined',
  ],
  [
    'a list by subscript has no ads around it',
    '[ x = 5; a = [ b = { x, 2 } ]; r = a["b"][0] ].r',
    'undefined',
  ],
  ['a subscript reads the low 32 bits of a number', 'Slots[4294967297]', '8'],
  ['a negative subscript', 'Slots[-1]', 'error'],
  ['the parent of the outermost ad', 'parent =?= undefined', 'true'],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});

test.each([
  ['TARGET is the other ad', 'TARGET.i', '2', '2'],
  ['MY is the own ad', 'MY.i', '1', '1'],
  ['a name that only the other ad has', 'only', '"t"', 'undefined'],
  ['such a name from an ad in an ad', '[ r = only ].r', 'undefined', 'undefined'],
  ['the ad around the own one', 'parent', AROUND, AROUND],
  ['its names', 'parent.target.i', '2', '2'],
  ['the other ad seen from itself', 'TARGET.TARGET.i', '1', '1'],
  ['an attribute of the outermost ad', '.RIGHT.i', '2', '2'],
  ['the outermost ad has no user attributes', '.i', 'undefined', 'undefined'],
  [
    'a list behind a name that no ad has',
    'evalInEachContext(none, jobs)',
    'undefined',
    'undefined',
  ],
  ['the rank of the other ad', 'rightRankValue', '7', '7'],
])('in a match: %s', (_title, text, old, strict) => {
  const ads = {
    my: parseAd('[ i = 1; jobs = { [ none = 3 ] } ]'),
    target: parseAd('[ i = 2; only = "t"; rank = 7 ]'),
  };
  const answers = (['old', 'new'] as const).map((semantics) =>
    printValue(evaluate(parseExpression(text, { semantics }), { ...ads, semantics, now: 0 })),
  );
  expect(answers).toEqual([old, strict]);
});
