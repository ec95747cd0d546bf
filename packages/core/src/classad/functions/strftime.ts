// C's strftime in the C locale and UTC, as glibc has it.
import { daysOf } from '../language/time-text.ts';

/**
 * A date and time as in C's `struct tm`: `month` counts from 0, `year` from 1900. The
 * fields may be out of range: they are printed as they are.
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
  s: (time) => number(epochOf(time), 1),
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
  z: () => '+0000',
  Z: () => 'UTC',
  '%': () => '%',
};

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
function epochOf({ seconds, minutes, hours, day, month, year }: BrokenDownTime): number {
  const years = year + 1900 + Math.floor(month / 12);
  const days = daysOf(years, (((month % 12) + 12) % 12) + 1, 1) + day - 1;
  return days * 86_400 + hours * 3600 + minutes * 60 + seconds;
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
