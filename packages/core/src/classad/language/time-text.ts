// Parsing and formatting of absolute and relative times.
import { civilOf, epochOf } from './calendar.ts';
import type { AbsTimeValue, RelTimeValue } from './value.ts';

/** Longer than any time; the patterns take quadratic time for some texts. */
const LONGEST = 200;
const ZONE = /(?:[zZ]|([-+])(\d{2}):?(\d{2}))\s*$/;
const ABSOLUTE = /^\D*(\d{4})\D*(\d{2})\D*(\d{2})(?:\D*(\d{2}))?(?:\D*(\d{2}))?(?:\D*(\d{2}))?/;
const CLOCK = /^\s*(-?)\s*(?:(\d+)\+)?(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)\s*$/;
const UNITS =
  /^\s*(-?)\s*(?:(\d+)\s*[dD])?\s*(?:(\d+)\s*[hH])?\s*(?:(\d+)\s*[mM])?\s*(?:(\d+(?:\.\d*)?)\s*[sS])?\s*$/;

/**
 * Parses `2020-01-02T03:04:05+01:00`, `20200102T030405Z` and similar texts: a year, a
 * month, a day, and an optional partial clock time, with any separators. A field that is
 * too large carries over. Without an offset the time is UTC.
 * @returns undefined if `text` does not contain a date
 */
export function parseAbsTime(text: string): AbsTimeValue | undefined {
  if (text.length > LONGEST) return undefined;
  const zone = ZONE.exec(text);
  const found = ABSOLUTE.exec(zone === null ? text : text.slice(0, zone.index));
  if (found === null) return undefined;
  const [year = 0, month = 1, day = 1, hours = 0, minutes = 0, seconds = 0] = found
    .slice(1)
    .map((digits) => Number(digits ?? 0));
  const offset =
    (zone?.[1] === '-' ? -1 : 1) * (Number(zone?.[2] ?? 0) * 3600 + Number(zone?.[3] ?? 0) * 60);
  const years = year + Math.floor((month - 1) / 12);
  const local = epochOf({
    year: years,
    month: ((month + 11) % 12) + 1,
    day,
    hours,
    minutes,
    seconds,
  });
  return { type: 'abstime', seconds: local - offset, offset: offset === 0 ? 0 : offset };
}

/**
 * Parses `days+hh:mm:ss.fff`, of which only the seconds are required, and `1d2h3m4s`,
 * both with an optional leading minus.
 * @returns undefined if `text` is not such a time
 */
export function parseRelTime(text: string): RelTimeValue | undefined {
  if (text.length > LONGEST) return undefined;
  const found = CLOCK.exec(text) ?? UNITS.exec(text);
  if (found === null || !/\d/.test(text)) return undefined;
  const number = (index: number): number => Number(found[index] ?? 0);
  const seconds = number(2) * 86_400 + number(3) * 3600 + number(4) * 60 + number(5);
  return { type: 'reltime', seconds: found[1] === '-' ? -seconds : seconds };
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** Formats `2020-01-02T04:04:05+01:00`; the offset of UTC is `-00:00`. */
export function absTimeText({ seconds, offset }: AbsTimeValue): string {
  const { year, month, day, ...clock } = civilOf(seconds + offset);
  const zone = Math.abs(offset);
  const sign = offset > 0 ? '+' : '-';
  const date = `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
  const time = `${pad(clock.hours)}:${pad(clock.minutes)}:${pad(clock.seconds)}`;
  return `${date}T${time}${sign}${pad(Math.floor(zone / 3600))}:${pad(Math.floor((zone % 3600) / 60))}`;
}

/**
 * Formats `1+02:03:04`, without leading fields that are zero; seconds with a fraction are
 * not padded: `01:1.25`.
 */
export function relTimeText({ seconds }: RelTimeValue): string {
  const whole = Math.trunc(Math.abs(seconds));
  const fraction = Math.abs(seconds) - whole;
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor((whole % 86_400) / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = whole % 60;
  const last = fraction === 0 ? pad(rest) : String(Number((rest + fraction).toPrecision(6)));
  const middle = `${pad(minutes)}:${last}`;
  const clock = days > 0 || hours > 0 ? `${pad(hours)}:${middle}` : minutes > 0 ? middle : last;
  return `${seconds < 0 ? '-' : ''}${days > 0 ? `${days}+` : ''}${clock}`;
}
