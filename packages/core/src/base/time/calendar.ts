// The days of the calendar, and C's strftime in the C locale, as glibc has it. Pure.

const DAYS_OF_ERA = 146_097; // 400 years
const EPOCH_DAYS = 719_468; // from 0000-03-01 to 1970-01-01

/** Returns the days since 1970-01-01 in the Gregorian calendar; `month` from 1. */
export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_OF_ERA + dayOfEra - EPOCH_DAYS;
}

/** A date and a time of day; `month` and `day` count from 1. */
export interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

const DAY = 86_400;

/** Returns the epoch seconds of a date and time in UTC. */
export function epochOf(civil: Civil): number {
  const days = daysOf(civil.year, civil.month, civil.day);
  return days * DAY + civil.hours * 3600 + civil.minutes * 60 + civil.seconds;
}

/** Returns the date and time of day in UTC at `epoch` seconds. */
export function civilOf(epoch: number): Civil {
  const whole = Math.floor(epoch);
  const days = Math.floor(whole / DAY);
  const rest = whole - days * DAY;
  const shifted = days + EPOCH_DAYS;
  const era = Math.floor(shifted / DAYS_OF_ERA);
  const dayOfEra = shifted - era * DAYS_OF_ERA;
  const leaps =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
    hours: Math.floor(rest / 3600),
    minutes: Math.floor((rest % 3600) / 60),
    seconds: rest % 60,
  };
}

/** Returns the day of the week at `epoch` seconds in UTC; Sunday is 0. */
export const weekdayOf = (epoch: number): number => (((Math.floor(epoch / DAY) + 4) % 7) + 7) % 7;

/** Returns the days since the first of January at `epoch` seconds in UTC, from 0. */
export function dayOfYear(epoch: number): number {
  return Math.floor(epoch / DAY) - daysOf(civilOf(epoch).year, 1, 1);
}

/**
 * A date and time as in C's `struct tm`: `month` counts from 0, `year` from 1900. A field
 * that is out of range is printed without a change. `offset`: seconds that this time is
 * ahead of UTC, 0 by default.
 */
export interface BrokenDownTime {
  readonly seconds: number;
  readonly minutes: number;
  readonly hours: number;
  readonly day: number;
  readonly month: number;
  readonly year: number;
  readonly weekday: number;
  readonly dayOfYear: number;
  readonly offset?: number;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ['January', 'February', 'March', 'April', 'May', 'June'],
  ['July', 'August', 'September', 'October', 'November', 'December'],
].flat();

/** Conversions defined by others. */
const COMPOSED: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
};

/** A number: its value, its least width and what fills it. */
interface NumberField {
  readonly value: number;
  readonly width: number;
  readonly fill: '0' | ' ';
}

const number = (value: number, width: number, fill: '0' | ' ' = '0'): NumberField => ({
  value,
  width,
  fill,
});
const hour12 = ({ hours }: BrokenDownTime): number => (hours > 12 ? hours - 12 : hours || 12);
const week = ({ dayOfYear, weekday }: BrokenDownTime, first: number): number =>
  Math.trunc((dayOfYear - ((weekday - first + 7) % 7) + 7) / 7);

const NUMBERS: Readonly<Record<string, (time: BrokenDownTime) => NumberField>> = {
  C: ({ year }) => number(Math.floor((year + 1900) / 100), 2),
  d: ({ day }) => number(day, 2),
  e: ({ day }) => number(day, 2, ' '),
  g: (time) => number(((isoWeek(time).year % 100) + 100) % 100, 2),
  G: (time) => number(isoWeek(time).year, 1),
  H: ({ hours }) => number(hours, 2),
  I: (time) => number(hour12(time), 2),
  j: ({ dayOfYear }) => number(dayOfYear + 1, 3),
  k: ({ hours }) => number(hours, 2, ' '),
  l: (time) => number(hour12(time), 2, ' '),
  m: ({ month }) => number(month + 1, 2),
  M: ({ minutes }) => number(minutes, 2),
  s: (time) => number(epochOfTime(time), 1),
  S: ({ seconds }) => number(seconds, 2),
  u: ({ weekday }) => number(((weekday - 1 + 7) % 7) + 1, 1),
  U: (time) => number(week(time, 0), 2),
  V: (time) => number(isoWeek(time).week, 2),
  w: ({ weekday }) => number(weekday, 1),
  W: (time) => number(week(time, 1), 2),
  y: ({ year }) => number(((year % 100) + 100) % 100, 2),
  Y: ({ year }) => number(year + 1900, 1),
};

const TEXTS: Readonly<Record<string, (time: BrokenDownTime) => string>> = {
  a: ({ weekday }) => DAYS[weekday]?.slice(0, 3) ?? '?',
  A: ({ weekday }) => DAYS[weekday] ?? '?',
  b: ({ month }) => MONTHS[month]?.slice(0, 3) ?? '?',
  B: ({ month }) => MONTHS[month] ?? '?',
  h: ({ month }) => MONTHS[month]?.slice(0, 3) ?? '?',
  n: () => '\n',
  p: ({ hours }) => (hours < 12 ? 'AM' : 'PM'),
  P: ({ hours }) => (hours < 12 ? 'am' : 'pm'),
  t: () => '\t',
  z: zoneOf,
  Z: (time) => ((time.offset ?? 0) === 0 ? 'UTC' : zoneOf(time)),
  '%': () => '%',
};

/** The offset from UTC, such as `+0100`. */
function zoneOf({ offset = 0 }: BrokenDownTime): string {
  const minutes = Math.round(Math.abs(offset) / 60);
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${hours}${String(minutes % 60).padStart(2, '0')}`;
}

/** The fields that `#` changes to lower case; others it changes to upper case. */
const LOWERED = new Set(['p', 'Z']);

/** Formats a time; keeps an unknown conversion. */
export function strftime(format: string, time: BrokenDownTime): string {
  return format.replace(
    /%([-_0^#]*)(\d*)[EO]?([a-zA-Z%])/g,
    (whole: string, flags: string, width: string, letter: string) =>
      converted(letter, flags, Number(width), time) ?? whole,
  );
}

function converted(
  letter: string,
  flags: string,
  width: number,
  time: BrokenDownTime,
): string | undefined {
  const padding = flags.match(/[-_0]/g)?.at(-1);
  if (Object.hasOwn(NUMBERS, letter)) {
    const { value, width: least, fill } = NUMBERS[letter]?.(time) ?? number(0, 1);
    if (padding === '-') return String(value);
    const char = padding === '_' ? ' ' : padding === '0' ? '0' : fill;
    return padded(value, Math.max(least, Math.min(width, 1000)), char);
  }
  const composed = Object.hasOwn(COMPOSED, letter) ? COMPOSED[letter] : undefined;
  const plain = Object.hasOwn(TEXTS, letter) ? TEXTS[letter] : undefined;
  if (composed === undefined && plain === undefined) return undefined;
  const text = composed === undefined ? (plain?.(time) ?? '') : strftime(composed, time);
  const cased = flags.includes('#') && LOWERED.has(letter) ? text.toLowerCase() : text;
  const shown =
    flags.includes('^') || (flags.includes('#') && cased === text) ? text.toUpperCase() : cased;
  return shown.padStart(Math.min(width, 1000), padding === '0' ? '0' : ' ');
}

const padded = (value: number, width: number, fill: string): string =>
  value < 0 && fill === '0'
    ? `-${String(-value).padStart(width - 1, '0')}`
    : String(value).padStart(width, fill);

/** The seconds since the epoch; fields out of range carry over. */
function epochOfTime(time: BrokenDownTime): number {
  const { seconds, minutes, hours, day, month, year, offset = 0 } = time;
  const years = year + 1900 + Math.floor(month / 12);
  const days = daysOf(years, (((month % 12) + 12) % 12) + 1, 1) + day - 1;
  return days * 86_400 + hours * 3600 + minutes * 60 + seconds - offset;
}

/** Returns the week of ISO 8601 and the year that it belongs to. */
function isoWeek({ dayOfYear, weekday, year }: BrokenDownTime): { week: number; year: number } {
  const full = year + 1900;
  const days = isoDays(dayOfYear, weekday);
  if (days < 0) {
    const before = isoDays(dayOfYear + lengthOfYear(full - 1), weekday);
    return { week: Math.floor(before / 7) + 1, year: full - 1 };
  }
  const after = isoDays(dayOfYear - lengthOfYear(full), weekday);
  return after >= 0
    ? { week: Math.floor(after / 7) + 1, year: full + 1 }
    : { week: Math.floor(days / 7) + 1, year: full };
}

/** Returns the days since the Monday of the first week of the year. */
function isoDays(dayOfYear: number, weekday: number): number {
  const MONDAY = 1;
  const THURSDAY = 4;
  const shift = 3 * 7;
  return dayOfYear - ((dayOfYear - weekday + THURSDAY + shift * 100) % 7) + THURSDAY - MONDAY;
}

const lengthOfYear = (year: number): number => daysOf(year + 1, 1, 1) - daysOf(year, 1, 1);
