// time, absTime, relTime, getYear ..., splitTime, formatTime, interval.
import { makeAd, type Entry } from '../language/ast.ts';
import {
  type BrokenDownTime,
  civilOf,
  dayOfYear,
  daysOf,
  strftime,
  weekdayOf,
} from '../../base/time/calendar.ts';
import {
  failEvaluation,
  type ClassAdFunction,
  type Context,
  type FunctionTable,
} from '../operate/context.ts';
import { truncated, truncated32 } from '../language/number-text.ts';
import {
  ERROR,
  int32,
  integerValue,
  literalOf,
  realValue,
  stringValue,
  type AbsTimeValue,
  type Scope,
  type Value,
} from '../language/value.ts';
import { taking } from './args.ts';
import { realOf } from './numbers-and-versions.ts';

const now = (context: Context): number => Math.floor(context.world.now);

const literal = (name: string, value: Value): Entry => ({ name, expr: literalOf(value) });

/** Returns the absolute time at `seconds`, on the local clock unless an offset is given. */
function absoluteAt(seconds: number, offset: number | undefined, context: Context): Value {
  return { type: 'abstime', seconds, offset: offset ?? context.world.utcOffset(seconds) };
}

const currentTime = taking(0, 0, (_args, context) => absoluteAt(now(context), undefined, context));

/** Returns the second argument of absTime(): an offset in seconds. */
function offsetOf(value: Value): number | undefined {
  switch (value.type) {
    case 'integer':
      return int32(value.value);
    case 'real':
      return truncated32(value.value);
    case 'reltime':
      return Math.trunc(value.seconds);
    default:
      return undefined;
  }
}

/** A string that is not a literal is returned as a string, like in the reference. */
const absTime = taking(0, 2, ([time, second], context) => {
  const offset = second === undefined ? undefined : offsetOf(second);
  if (second !== undefined && offset === undefined) return ERROR;
  switch (time?.type) {
    case undefined:
      return absoluteAt(now(context), undefined, context);
    case 'undefined':
    case 'string':
    case 'abstime':
      return time ?? ERROR;
    case 'integer':
      if (offset === -1) failEvaluation();
      return absoluteAt(int32(time?.value ?? 0n), offset, context);
    case 'real':
      return absoluteAt(truncated32(time?.value ?? 0), offset, context);
    case 'reltime':
      return absoluteAt(Math.trunc(time?.seconds ?? 0), offset, context);
    default:
      return ERROR;
  }
});

/** A string that is not a literal gives the relative time 0, like in the reference. */
const relTime = taking(1, 1, ([time = ERROR]) => {
  switch (time.type) {
    case 'undefined':
    case 'reltime':
      return time;
    case 'string':
      return { type: 'reltime', seconds: 0 };
    case 'abstime':
      return { type: 'reltime', seconds: time.seconds };
    case 'integer':
      return { type: 'reltime', seconds: int32(time.value) };
    case 'real':
      return { type: 'reltime', seconds: time.value };
    default:
      return ERROR;
  }
});

/**
 * Returns a field of the local calendar at an absolute time, whose own offset is ignored,
 * or a part of a relative time in whole seconds.
 */
const field = (
  absolute: ((epoch: number) => number) | undefined,
  relative?: (seconds: number) => number,
): ClassAdFunction =>
  taking(1, 1, ([time = ERROR], { world }) => {
    if (time.type === 'abstime' && absolute !== undefined) {
      return integerValue(absolute(time.seconds + world.utcOffset(time.seconds)));
    }
    if (time.type !== 'reltime' || relative === undefined) return ERROR;
    return integerValue(Math.trunc(relative(Math.trunc(time.seconds))));
  });

const splitTime = taking(1, 1, ([time = ERROR], context) => {
  if (time.type === 'undefined') return time;
  if (time.type === 'reltime') return partsAd('RelativeTime', relativeParts(time.seconds));
  const absolute = absoluteOf(time, context);
  return absolute === undefined ? ERROR : partsAd('AbsoluteTime', absoluteParts(absolute));
});

/** Returns the absolute time that a value means; numbers are on the local clock. */
function absoluteOf(value: Value, context: Context): AbsTimeValue | undefined {
  if (value.type === 'abstime') return value;
  if (value.type !== 'integer' && value.type !== 'real') return undefined;
  const seconds = value.type === 'integer' ? int32(value.value) : truncated32(value.value);
  return { type: 'abstime', seconds, offset: context.world.utcOffset(seconds) };
}

function absoluteParts(time: AbsTimeValue): Entry[] {
  const civil = civilOf(time.seconds + time.offset);
  return [
    literal('Year', integerValue(civil.year)),
    literal('Month', integerValue(civil.month)),
    literal('Day', integerValue(civil.day)),
    literal('Hours', integerValue(civil.hours)),
    literal('Minutes', integerValue(civil.minutes)),
    literal('Seconds', integerValue(civil.seconds)),
    literal('Offset', integerValue(time.offset)),
  ];
}

/** Of a negative time only the first field that is not zero is negative. */
function relativeParts(seconds: number): Entry[] {
  const total = Math.abs(seconds);
  const whole = Math.floor(total);
  const parts = [
    Math.floor(whole / 86_400),
    Math.floor((whole % 86_400) / 3600),
    Math.floor((whole % 3600) / 60),
    (whole % 60) + (total - whole),
  ];
  const first = parts.findIndex((part) => part !== 0);
  const [days = 0, hours = 0, minutes = 0, rest = 0] = parts.map((part, at) =>
    seconds < 0 && at === first ? -part : part,
  );
  return [
    literal('Days', integerValue(days)),
    literal('Hours', integerValue(hours)),
    literal('Minutes', integerValue(minutes)),
    literal('Seconds', realValue(rest)),
  ];
}

function partsAd(type: string, parts: readonly Entry[]): Value {
  const ad = makeAd([literal('Type', stringValue(type)), ...parts]);
  return { type: 'classad', scope: { ad, parent: undefined } };
}

const formatTime = taking(0, 2, ([time, format], context) => {
  const parts = time === undefined ? localParts(now(context), context) : partsOf(time, context);
  if (parts === undefined) return ERROR;
  if (format !== undefined && format.type !== 'string') return ERROR;
  return stringValue(context.bounded(strftime(format?.value ?? '%c', parts)));
});

const localParts = (epoch: number, context: Context): BrokenDownTime =>
  partsAt(epoch + context.world.utcOffset(epoch));

function partsOf(time: Value, context: Context): BrokenDownTime | undefined {
  if (time.type === 'classad') return partsOfAd(time.scope, context);
  const absolute = absoluteOf(time, context);
  return absolute === undefined ? undefined : partsAt(absolute.seconds + absolute.offset);
}

function partsAt(local: number): BrokenDownTime {
  const { year, month, day, ...clock } = civilOf(local);
  return onCalendar({ ...clock, day, month: month - 1, year: year - 1900 });
}

/** Returns the parts in an ad of the form of `splitTime()`; a missing part is zero. */
function partsOfAd(scope: Scope, context: Context): BrokenDownTime {
  const part = (key: string, base: number): number => {
    const expr = scope.ad.entries.get(key)?.expr;
    const value = expr === undefined ? undefined : context.attempt(expr, scope);
    return value?.type === 'integer' ? int32(value.value) - base : 0;
  };
  return onCalendar({
    year: part('year', 1900),
    month: part('month', 1),
    day: part('day', 0),
    hours: part('hours', 0),
    minutes: part('minutes', 0),
    seconds: part('seconds', 0),
  });
}

/** Adds the day of the week and of the year; fields that are too large stay as they are. */
function onCalendar(time: Omit<BrokenDownTime, 'weekday' | 'dayOfYear'>): BrokenDownTime {
  const year = time.year + 1900;
  const first = daysOf(year, 1, 1);
  const dayOfYear = daysBeforeMonth(year, time.month) + time.day - 1;
  return { ...time, weekday: weekdayOf((first + dayOfYear) * 86_400), dayOfYear };
}

/** The formula of the reference, which also has an answer for months that do not exist. */
function daysBeforeMonth(year: number, month: number): number {
  const leap = daysOf(year, 3, 1) - daysOf(year, 2, 1) === 29;
  const correction = month <= 1 ? 0 : leap ? -1 : -2;
  return Math.trunc((367 * (month + 1) - 362) / 12) + correction;
}

/** Only the first number has a sign. */
const interval = taking(1, 1, ([value = ERROR]) => {
  const real = realOf(value);
  if (real === undefined) return ERROR;
  const total = int32(value.type === 'integer' ? value.value : truncated(real));
  const pad = (part: number): string => String(Math.abs(part)).padStart(2, '0');
  const [days, hours] = [Math.trunc(total / 86_400), Math.trunc((total % 86_400) / 3600)];
  const [minutes, seconds] = [Math.trunc((total % 3600) / 60), total % 60];
  if (days !== 0) return stringValue(`${days}+${pad(hours)}:${pad(minutes)}:${pad(seconds)}`);
  if (hours !== 0) return stringValue(`${hours}:${pad(minutes)}:${pad(seconds)}`);
  return stringValue(minutes !== 0 ? `${minutes}:${pad(seconds)}` : String(seconds));
});

const timeZoneOffset = taking(0, 0, (_args, { world }) => ({
  type: 'reltime',
  seconds: world.utcOffset(world.now),
}));

const dayTime = taking(0, 0, (_args, context) => {
  const local = now(context) + context.world.utcOffset(context.world.now);
  return { type: 'reltime', seconds: ((local % 86_400) + 86_400) % 86_400 };
});

export const TIME_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['time', taking(0, 0, (_args, context) => integerValue(now(context)))],
  ['currenttime', currentTime],
  ['timezoneoffset', timeZoneOffset],
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
