// Functions on times: what HTCondor 25.14 returns in the odd cases.
import { expect, test } from 'vitest';
import { answer } from '../answer.ts';

test.each([
  ['currentTime is an absolute time', 'getYear(currentTime()) > 2000', 'true'],
  ['timeZoneOffset is a relative time', 'timeZoneOffset() + relTime(60)', 'relTime("01:00")'],
  ['absTime of an absolute time', 'absTime(When, 60)', 'absTime("2026-03-04T10:20:30+02:00")'],
  ['absTime of UNDEFINED', 'absTime(Missing, 60)', 'undefined'],
  ['absTime of a text', 'absTime("noon", 60)', '"noon"'],
  ['absTime of a relative time', 'absTime(relTime(86400))', 'absTime("1970-01-02T00:00:00-00:00")'],
  ['a relative time as offset', 'absTime(5, relTime(60))', 'absTime("1970-01-01T00:01:05+00:01")'],
  ['an offset that is none of these', 'absTime(Missing, "x")', 'error'],
  ['an offset of -1 fails the evaluation', 'isError(absTime(5, -1))', 'error'],
  [
    'absTime reads the low 32 bits of a number',
    'absTime(2147483648)',
    'absTime("1901-12-13T20:45:52-00:00")',
  ],
  ['relTime of an absolute time', 'relTime(When)', 'relTime("20516+08:20:30")'],
  ['is compares the offset, too', 'When =?= absTime(1772612430, 0)', 'false'],
  ['a comparison does not', 'When == absTime(1772612430, 0)', 'true'],
  ['splitTime of UNDEFINED', 'splitTime(Missing)', 'undefined'],
  ['splitTime of a number', 'splitTime(1700000000).Year', '2023'],
  [
    'the seconds of a relative time are a real',
    'splitTime(relTime(42)).Seconds',
    '4.200000000000000E+01',
  ],
  [
    'only the first field that is not zero is negative',
    'string(splitTime(relTime(-7384.25)))',
    '"[ Days = 0; Type = \\"RelativeTime\\"; Hours = -2; Minutes = 3; Seconds = 4.250000000000000E+00 ]"',
  ],
  ['the ad of splitTime has no ads around it', 'splitTime(When).Cpus', 'undefined'],
  [
    'real drops the fraction of a relative time',
    'real(relTime(3605) / 2)',
    '1.802000000000000E+03',
  ],
  ['string drops the fraction of a relative time', 'string(relTime(125.5))', '"02:05"'],
  ['a relative time is multiplied by numbers only', 'relTime(5) * true', 'error'],
  ['interval of a negative number', 'interval(-3725)', '"-1:02:05"'],
  ['interval reads the low 32 bits of a number', 'interval(-1e22)', '"0"'],
  [
    'fields of an ad do not carry over',
    'formatTime([ Year = 2025; Month = 4; Day = 31 ], "%d/%m")',
    '"31/04"',
  ],
  ['missing fields of an ad are zero', 'formatTime([], "%c")', '"Sun Jan  0 00:00:00 1900"'],
  ['fields that are not integers are missing', 'formatTime([ Month = 5.5 ], "%b %m")', '"Jan 01"'],
  ['a month that does not exist', 'formatTime([ Month = 13 ], "%b %m")', '"? 13"'],
  [
    'hours beyond a day',
    'formatTime([ Year = 2025; Month = 4; Day = 31; Hours = 30 ], "%H %I %p %k %l %s")',
    '"30 18 PM 30 18 1746165600"',
  ],
  [
    'weeks of the year',
    'formatTime([ Year = 2025; Month = 4; Day = 31 ], "%U %W %V %G %g %j %u")',
    '"17 17 18 2025 25 121 4"',
  ],
  [
    'the first week of ISO 8601 may begin in the year before',
    'formatTime(absTime("2024-12-30T00:00:00Z"), "%G-%V")',
    '"2025-01"',
  ],
  [
    'the last one may end in the year after',
    'formatTime(absTime("2027-01-02T00:00:00Z"), "%G-%V")',
    '"2026-53"',
  ],
  [
    'flags and widths',
    'formatTime(0, "%-d|%_d|%05d|%^a|%#Z|%10Y|%-H|%8a")',
    '"1| 1|00001|THU|utc|0000001970|0|     Thu"',
  ],
  ['unknown conversions stay', 'formatTime(0, "%Q %+ %E %")', '"%Q %+ %E %"'],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});
