// Times as text: which texts are a date, and fields that carry over.
import { expect, test } from 'vitest';
import {
  absTimeText,
  parseAbsTime,
  parseRelTime,
  relTimeText,
} from '../../../src/classad/language/time-text.ts';

test.each([
  ['a date without time is midnight', '2020-01-02', '2020-01-02T00:00:00-00:00'],
  ['no offset is UTC', '2020-01-02T03:04:05', '2020-01-02T03:04:05-00:00'],
  ['digits alone', '20200102030405Z', '2020-01-02T03:04:05-00:00'],
  ['an offset without a colon', '20200102T030405-0500', '2020-01-02T03:04:05-05:00'],
  ['an offset after minutes', '2020-01-02T03:04+01:30', '2020-01-02T03:04:00+01:30'],
  ['a fraction is an error', '2020-01-02T03:04:05.9Z', undefined],
  ['a month too large is in the next year', '2020-13-02', '2021-01-02T00:00:00-00:00'],
  ['an hour too large is on the next day', '2020-12-31T24:00:00Z', '2021-01-01T00:00:00-00:00'],
  ['no date', 'garbage', undefined],
  ['a year alone is the day before', '2020', '2019-12-31T00:00:00-00:00'],
  ['a month alone is the day before', '2020-05', '2020-04-30T00:00:00-00:00'],
  ['a year of four characters and a month too large', '530722', '5308-09-30T00:00:00-00:00'],
  ['a year with another character in it', '19 5 06 07', '19-06-07T00:00:00-00:00'],
  ['a blank behind an offset', '2020-01-02T03:04:05-0500 ', undefined],
  ['a blank behind a Z', '2020-01-02T03:04:05Z ', '2020-01-02T03:04:05-00:00'],
  ['the second before the epoch', '1969-12-31T23:59:59Z', undefined],
])('%s: %s', (_name, text, expected) => {
  const time = parseAbsTime(text);
  expect(time && absTimeText(time)).toBe(expected);
});

test.each([
  ['days, hours, minutes and seconds', '1+02:03:04.5', 93784.5],
  ['units', '-1d 2h 3m 4s', -93784],
  ['units that are missing', '1d2', 86402],
  ['a unit without a number', 's', 0],
  ['nothing', '', 0],
  ['a plus without days', '+', 0],
  ['days beyond 32 bits', '99999999999d', 0],
  ['seconds beyond 32 bits in days', '30000+0:0:0', -1702967296],
  ['a point without digits behind it', '9.', undefined],
  ['two signs', '--5', undefined],
  ['four clock fields', '1:2:3:4', undefined],
])('a relative time, %s: %s', (_title, text, expected) => {
  expect(parseRelTime(text)?.seconds).toBe(expected);
});

test.each([
  [3.1e-6, '3.1e-06'],
  [61.0000049, '01:01'],
  [61.25, '01:1.25'],
  [-90061, '-1+01:01:01'],
  [Infinity, '-24855+-3:-14:-nan'],
])('%d seconds are %s', (seconds, expected) => {
  expect(relTimeText({ type: 'reltime', seconds })).toBe(expected);
});
