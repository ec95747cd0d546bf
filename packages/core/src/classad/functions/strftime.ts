// C's strftime in the C locale.
import { civilOf, dayOfYear, weekdayOf } from '../language/calendar.ts';
import type { Civil } from '../language/calendar.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ['January', 'February', 'March', 'April', 'May', 'June'],
  ['July', 'August', 'September', 'October', 'November', 'December'],
].flat();

const pad = (value: number, width = 2, fill = '0'): string => String(value).padStart(width, fill);

/** What stands for a conversion in terms of others. */
const COMPOSED: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
  h: '%b',
};

type Conversion = (civil: Civil, local: number) => string;

const hour12 = ({ hours }: Civil): number => hours % 12 || 12;
const week = (local: number, first: number): number =>
  Math.floor((dayOfYear(local) + 7 - ((weekdayOf(local) - first + 7) % 7)) / 7);

const SIMPLE: Readonly<Record<string, Conversion>> = {
  a: (_, local) => (DAYS[weekdayOf(local)] ?? '').slice(0, 3),
  A: (_, local) => DAYS[weekdayOf(local)] ?? '',
  b: ({ month }) => (MONTHS[month - 1] ?? '').slice(0, 3),
  B: ({ month }) => MONTHS[month - 1] ?? '',
  C: ({ year }) => pad(Math.floor(year / 100)),
  d: ({ day }) => pad(day),
  e: ({ day }) => pad(day, 2, ' '),
  H: ({ hours }) => pad(hours),
  I: (civil) => pad(hour12(civil)),
  j: (_, local) => pad(dayOfYear(local) + 1, 3),
  k: ({ hours }) => pad(hours, 2, ' '),
  l: (civil) => pad(hour12(civil), 2, ' '),
  m: ({ month }) => pad(month),
  M: ({ minutes }) => pad(minutes),
  n: () => '\n',
  p: ({ hours }) => (hours < 12 ? 'AM' : 'PM'),
  P: ({ hours }) => (hours < 12 ? 'am' : 'pm'),
  s: (_, local) => String(Math.floor(local)),
  S: ({ seconds }) => pad(seconds),
  t: () => '\t',
  u: (_, local) => String(weekdayOf(local) || 7),
  U: (_, local) => pad(week(local, 0)),
  w: (_, local) => String(weekdayOf(local)),
  W: (_, local) => pad(week(local, 1)),
  y: ({ year }) => pad(((year % 100) + 100) % 100),
  Y: ({ year }) => String(year),
  z: () => '+0000',
  Z: () => 'UTC',
  '%': () => '%',
};

/**
 * Formats `local`, epoch seconds shifted to the clock that is shown; an unknown
 * conversion stays as it is.
 */
export function strftime(format: string, local: number): string {
  const civil = civilOf(local);
  const expanded = format.replace(
    /%(%|[EO]?([cDFrRTxXh]))/g,
    (whole: string, _: string, letter: string | undefined) =>
      letter === undefined ? whole : (COMPOSED[letter] ?? whole),
  );
  return expanded.replace(/%([EO]?)([a-zA-Z%])/g, (whole: string, _: string, letter: string) => {
    const convert = Object.hasOwn(SIMPLE, letter) ? SIMPLE[letter] : undefined;
    return convert === undefined ? whole : convert(civil, local);
  });
}
