// Numbers and strings at the edge of the grammar.
import { expect, test } from 'vitest';
import { answer } from '../answer.ts';

test.each([
  ['a leading zero after a minus is accepted', '-023', '-23'],
  ['a hexadecimal number after a minus is zero', '-0x2B', '0'],
  ['a leading zero without a minus is an error', '023', 'CLASSAD_SYNTAX'],
  ['no octal number has an 8 or 9', '-019', 'CLASSAD_SYNTAX'],
  ['a hexadecimal number with a fraction is a real', '0x1F.5', '3.131250000000000E+01'],
  ['a doubled point begins the real 0', '..5', '0.0'],
  ['a doubled point behind a name is one point', 'Nest..Inner', '9'],
  ['adjacent strings are one', '"a" "b"', '"ab"'],
  ['adjacent names are one', "'Cp' 'us'", '6'],
  ['an escape continues in the next string', '"\\1" "2"', '"\\n"'],
  ['a comment separates strings', '"a" /* x */ "b"', 'CLASSAD_SYNTAX'],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});
