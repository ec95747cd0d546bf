// Texts of ads beyond the recorded ones: the end of an ad, what hides the rest, and
// errors.
import { expect, test } from 'vitest';
import { isCoded } from '../../../src/base/errors/errors.ts';
import {
  parseLongLine,
  printExpression,
  readAds,
  readFirstAd,
  textOf,
  type ReadAdsOptions,
} from '../../../src/classad/index.ts';

function read(text: string, options: ReadAdsOptions = {}): string[] {
  const ads: string[] = [];
  try {
    for (const ad of readAds(text, options)) ads.push(printExpression(ad));
  } catch (error) {
    ads.push(isCoded(error) ? error.code : String(error));
  }
  return ads;
}

test.each<[string, string, ReadAdsOptions, string[]]>([
  [
    'a blank line of tabs and CR ends an ad',
    'A = 1\r\n\t\r\nB = 2',
    {},
    ['[ A = 1 ]', '[ B = 2 ]'],
  ],
  ['an invalid line hides the ads after it', 'A = 1\nB\n\nC = 3', {}, ['[ A = 1 ]']],
  ['comments before the first attribute', '# one\n  # two\nA = 1', {}, ['[ A = 1 ]']],
  ['a block of comments before an ad is an error', '# one\n\nA = 1', {}, ['CLASSAD_SYNTAX']],
  ['an indented ad in new syntax', ' \n [ A = 1 ]', {}, ['[ A = 1 ]']],
  ['an ad in new syntax after lines', 'A = 1\n\n[ B = 2 ]', {}, ['[ A = 1 ]', '[ B = 2 ]']],
  ['an incomplete ad is ignored', '[ A = 1', {}, []],
  ['an invalid ad is an error', '[ A = 1 B = 2 ]', {}, ['CLASSAD_SYNTAX']],
  ['names differ in case only', 'Abc = 1\naBC = 2', {}, ['[ Abc = 2 ]']],
  ['any name up to the equals sign', 'a b = 1\né = 2', {}, ["[ '\\303\\251' = 2; 'a b' = 1 ]"]],
  ['a bound', 'A = 1', { limits: { textLength: 3 } }, ['CLASSAD_LIMIT']],
])('%s', (_name, text, options, expected) => {
  expect(read(text, options)).toEqual(expected);
});

test('an invalid line is reported with its position, or not at all', () => {
  expect(() => parseLongLine('Name = (1')).toThrow('line 1, column 10');
  expect(() => parseLongLine('secret')).toThrow('`Name = value` expected\nsecret\n^');
  expect(() => parseLongLine('Key = "secret', { quote: false })).toThrow(/^(?!.*secret)/s);
  expect(textOf(parseLongLine('  Größe  = 1').name)).toBe('Größe');
  expect(readFirstAd('')).toBeUndefined();
});
