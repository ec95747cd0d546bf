// Names and their order in printed ads.
import { expect, test } from 'vitest';
import { parseAd, printExpression, printLong } from '../../../src/classad/index.ts';

const ad = parseAd("[ Zeta = 2; alpha = 1; Beta = 5; 'Größe' = 'a\\\\b'; 'it\\'s' = 3 ]");

test.each([
  [
    'Python prints the bytes of a name between quotes',
    printLong(ad, { like: 'python' }),
    "Beta = 5\n'it\\'s' = 3\nZeta = 2\nalpha = 1\n'Größe' = 'a\\b'\n",
  ],
  [
    'a daemon prints names without quotes',
    printLong(ad),
    "Beta = 5\nit's = 3\nZeta = 2\nalpha = 1\nGröße = 'a\\b'\n",
  ],
  [
    'the order by name is that of bytes',
    printLong(ad, { order: 'name' }),
    "Beta = 5\nGröße = 'a\\b'\nZeta = 2\nalpha = 1\nit's = 3\n",
  ],
  [
    'the new style escapes names like strings',
    printExpression(ad),
    "[ Beta = 5; 'it\\'s' = 3; Zeta = 2; alpha = 1; 'Gr\\303\\266\\303\\237e' = 'a\\\\b' ]",
  ],
])('%s', (_title, printed, expected) => {
  expect(printed).toBe(expected);
});
