// Times as text: which texts are a date, and fields that carry over.
import { expect, test } from 'vitest';
import { absTimeText, parseAbsTime } from '../../../src/classad/language/time-text.ts';

test.each([
  ['a date without time is midnight', '2020-01-02', '2020-01-02T00:00:00-00:00'],
  ['no offset is UTC', '2020-01-02T03:04:05', '2020-01-02T03:04:05-00:00'],
  ['digits alone', '20200102030405Z', '2020-01-02T03:04:05-00:00'],
  ['an offset without a colon', '20200102T030405-0500', '2020-01-02T03:04:05-05:00'],
  ['an offset after minutes', '2020-01-02T03:04+01:30', '2020-01-02T03:04:00+01:30'],
  ['a fraction is dropped', '2020-01-02T03:04:05.9Z', '2020-01-02T03:04:05-00:00'],
  ['a month too large is in the next year', '2020-13-02', '2021-01-02T00:00:00-00:00'],
  ['an hour too large is on the next day', '2020-12-31T24:00:00Z', '2021-01-01T00:00:00-00:00'],
  ['no date', 'garbage', undefined],
  ['a year alone', '2020', undefined],
])('%s: %s', (_name, text, expected) => {
  const time = parseAbsTime(text);
  expect(time && absTimeText(time)).toBe(expected);
});
