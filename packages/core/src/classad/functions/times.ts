// time, absTime, relTime, getYear ..., splitTime, formatTime, interval.
import { makeAd, type Entry } from '../language/ast.ts';
import { civilOf, dayOfYear, epochOf, weekdayOf, type Civil } from '../language/calendar.ts';
import type { ClassAdFunction, Context, FunctionTable } from '../operate/context.ts';
import { truncated } from '../print/number-text.ts';
import {
  ERROR,
  integerValue,
  realValue,
  stringValue,
  type AbsTimeValue,
  type Scope,
  type Value,
} from '../language/value.ts';
import { taking } from './args.ts';
import { realOf } from './convert.ts';

const now = (context: Context): number => Math.floor(context.world.now);

const numeric = (value: Value): number | undefined =>
  value.type === 'integer' || value.type === 'real' ? Number(value.value) : undefined;

/** A string that is not a literal is returned as a string, like in the reference. */
const absTime = taking(0, 2, ([time, offset], context) => {
  const seconds = time === undefined ? now(context) : numeric(time);
  if (seconds === undefined) {
    const kept = time?.type === 'string' || time?.type === 'abstime' || time?.type === 'undefined';
    return kept && time !== undefined && offset === undefined ? time : ERROR;
  }
  const zone = offset === undefined ? context.world.utcOffset(seconds) : numeric(offset);
  if (zone === undefined) return ERROR;
  return { type: 'abstime', seconds: Math.trunc(seconds), offset: Math.trunc(zone) };
});

/** A string that is not a literal gives the relative time 0, like in the reference. */
const relTime = taking(1, 1, ([time = ERROR]) => {
  if (time.type === 'reltime' || time.type === 'undefined') return time;
  if (time.type === 'string') return { type: 'reltime', seconds: 0 };
  const seconds = numeric(time);
  return seconds === undefined ? ERROR : { type: 'reltime', seconds };
});

/**
 * Returns a field of the calendar at a time in UTC (ignores the offset of an absolute
 * time), or a part of a relative time.
 */
const field = (
  absolute: ((epoch: number) => number) | undefined,
  relative?: (seconds: number) => number,
): ClassAdFunction =>
  taking(1, 1, ([time = ERROR]) => {
    const get = time.type === 'abstime' ? absolute : time.type === 'reltime' ? relative : undefined;
    if (get === undefined || (time.type !== 'abstime' && time.type !== 'reltime')) return ERROR;
    return integerValue(Math.trunc(get(time.seconds)));
  });

const splitTime = taking(1, 1, ([time = ERROR], _context, scope) => {
  if (time.type === 'abstime') return adOf(scope, absoluteParts(time));
  if (time.type !== 'reltime') return ERROR;
  const sign = time.seconds < 0 ? -1 : 1;
  const total = Math.abs(time.seconds);
  const seconds = sign * (total % 60);
  return adOf(scope, {
    Type: stringValue('RelativeTime'),
    Days: integerValue(sign * Math.floor(total / 86_400)),
    Hours: integerValue(sign * Math.floor((total % 86_400) / 3600)),
    Minutes: integerValue(sign * Math.floor((total % 3600) / 60)),
    Seconds: Number.isInteger(seconds) ? integerValue(seconds) : realValue(seconds),
  });
});

function absoluteParts(time: AbsTimeValue): Record<string, Value> {
  const civil = civilOf(time.seconds + time.offset);
  return {
    Type: stringValue('AbsoluteTime'),
    Year: integerValue(civil.year),
    Month: integerValue(civil.month),
    Day: integerValue(civil.day),
    Hours: integerValue(civil.hours),
    Minutes: integerValue(civil.minutes),
    Seconds: integerValue(civil.seconds),
    Offset: integerValue(time.offset),
  };
}

function adOf(scope: Scope, values: Record<string, Value>): Value {
  const entries = Object.entries(values).map(([name, value]): Entry => ({
    name,
    expr: { kind: 'literal', value, shown: value, depth: 1 },
  }));
  return { type: 'classad', scope: { ad: makeAd(entries), parent: scope } };
}

const formatTime = taking(0, 2, ([time, format], context) => {
  if (format !== undefined && format.type !== 'string') return ERROR;
  const local = time === undefined ? now(context) : localSeconds(time, context);
  if (local === undefined) return ERROR;
  return stringValue(context.bounded(strftime(format?.value ?? '%c', local)));
});

function localSeconds(time: Value, context: Context): number | undefined {
  if (time.type === 'abstime') return time.seconds + time.offset;
  if (time.type === 'classad') return secondsOfParts(time.scope, context);
  const seconds = numeric(time);
  return seconds === undefined ? undefined : Math.trunc(seconds) + context.world.utcOffset(seconds);
}

/** Returns the clock time in an ad of the form of `splitTime()`. */
function secondsOfParts(scope: Scope, context: Context): number | undefined {
  const part = (key: string, fallback: number): number => {
    const expr = scope.ad.entries.get(key)?.expr;
    const value = expr === undefined ? undefined : numeric(context.run(expr, scope, context));
    return Math.trunc(value ?? fallback);
  };
  return epochOf({
    year: part('year', 1970),
    month: part('month', 1),
    day: part('day', 1),
    hours: part('hours', 0),
    minutes: part('minutes', 0),
    seconds: part('seconds', 0),
  });
}

const interval = taking(1, 1, ([value = ERROR]) => {
  const real = realOf(value);
  if (real === undefined) return ERROR;
  const total = Number(truncated(real));
  const pad = (part: number): string => String(part).padStart(2, '0');
  const [days, hours] = [Math.trunc(total / 86_400), Math.trunc((total % 86_400) / 3600)];
  const [minutes, seconds] = [Math.trunc((total % 3600) / 60), total % 60];
  if (days > 0) return stringValue(`${days}+${pad(hours)}:${pad(minutes)}:${pad(seconds)}`);
  if (hours > 0) return stringValue(`${hours}:${pad(minutes)}:${pad(seconds)}`);
  return stringValue(minutes > 0 ? `${minutes}:${pad(seconds)}` : String(seconds));
});

const dayTime = taking(0, 0, (_args, context) => {
  const local = now(context) + context.world.utcOffset(context.world.now);
  return { type: 'reltime', seconds: ((local % 86_400) + 86_400) % 86_400 };
});

export const TIME_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['time', taking(0, 0, (_args, context) => integerValue(now(context)))],
  ['timezoneoffset', taking(0, 0, (_args, { world }) => integerValue(world.utcOffset(world.now)))],
  ['daytime', dayTime],
  ['abstime', absTime],
  ['reltime', relTime],
  ['getyear', field((epoch) => civilOf(epoch).year)],
  ['getmonth', field((epoch) => civilOf(epoch).month)],
  ['getdayofyear', field(dayOfYear)],
  ['getdayofmonth', field((epoch) => civilOf(epoch).day)],
  ['getdayofweek', field(weekdayOf)],
  ['getdays', field(undefined, (seconds) => seconds / 86_400)],
  [
    'gethours',
    field(
      (epoch) => civilOf(epoch).hours,
      (seconds) => (seconds % 86_400) / 3600,
    ),
  ],
  [
    'getminutes',
    field(
      (epoch) => civilOf(epoch).minutes,
      (seconds) => (seconds % 3600) / 60,
    ),
  ],
  [
    'getseconds',
    field(
      (epoch) => civilOf(epoch).seconds,
      (seconds) => seconds % 60,
    ),
  ],
  ['splittime', splitTime],
  ['formattime', formatTime],
  ['interval', interval],
]);

// C's strftime in the C locale.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ['January', 'February', 'March', 'April', 'May', 'June'],
  ['July', 'August', 'September', 'October', 'November', 'December'],
].flat();

const pad = (value: number, width = 2, fill = '0'): string => String(value).padStart(width, fill);

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
 * Formats `local`, epoch seconds shifted to the displayed clock; keeps an unknown
 * conversion.
 */
function strftime(format: string, local: number): string {
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
