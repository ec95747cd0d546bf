// Times of ClassAds as text.
import { civilOf, epochOf } from '../../base/time/calendar.ts';
import { generalReal } from './number-text.ts';
import type { AbsTimeValue, RelTimeValue } from './value.ts';

/** Longer than any time. */
const LONGEST = 200;
const BLANK = /[ \t\n\v\f\r]/;
const DIGIT = /[0-9]/;

/**
 * Parses `2020-01-02T03:04:05+01:00`, `20200102T030405Z` and similar texts: a year of four
 * characters, and then, each optional, month, day, hours, minutes and seconds of two. Each
 * begins at the next digit. A missing month is January, a missing day the last day of the
 * month before. A field that is too large carries over. Without an offset the time is UTC.
 * @returns undefined if `text` does not contain a year, or has digits left, or is one
 * second before the epoch, which the reference takes for an error
 */
export function parseAbsTime(text: string): AbsTimeValue | undefined {
  if (text.length > LONGEST) return undefined;
  const { digits, offset } = withoutZone(text);
  let at = nextDigit(digits, 0);
  if (at > digits.length - 4) return undefined;
  const year = leadingInteger(digits.slice(at, at + 4));
  at = nextDigit(digits, at + 4);
  const fields: number[] = [];
  while (fields.length < 5 && at <= digits.length - 2) {
    fields.push(leadingInteger(digits.slice(at, at + 2)));
    at = nextDigit(digits, at + 2);
  }
  if (at < digits.length) return undefined;
  const [month = 1, day = 0, hours = 0, minutes = 0, seconds = 0] = fields;
  const years = year + Math.floor((month - 1) / 12);
  const local = epochOf({
    year: years,
    month: ((month + 11) % 12) + 1,
    day,
    hours,
    minutes,
    seconds,
  });
  return local === -1 || offset === -1
    ? undefined
    : { type: 'abstime', seconds: local - offset, offset };
}

/** Splits the offset from UTC, in seconds, from the end of `text`. */
function withoutZone(text: string): { digits: string; offset: number } {
  const zulu = /^([^]+)[zZ]([ \t\n\v\f\r]*)$/.exec(text);
  if (zulu !== null) return { digits: `${zulu[1]}${zulu[2]}`, offset: 0 };
  const colon = /^[^]+[-+][^]{2}:[^]{2}$/.test(text);
  const plain = colon && !/^[^]+[-+][^]{4}$/.test(text) ? text.slice(0, -3) + text.slice(-2) : text;
  const zone = /^([^]+)([-+])([0-9]{2})([0-9]{2})$/.exec(plain);
  if (zone === null) return { digits: plain, offset: 0 };
  const seconds = Number(zone[3]) * 3600 + Number(zone[4]) * 60;
  return { digits: zone[1] ?? '', offset: zone[2] === '-' ? 0 - seconds : seconds };
}

function nextDigit(text: string, from: number): number {
  let at = from;
  while (at < text.length && !DIGIT.test(text[at] ?? '')) at += 1;
  return at;
}

const leadingInteger = (text: string): number => Number(/^[0-9]+/.exec(text)?.[0] ?? 0);

/**
 * Parses `days+hh:mm:ss.fff` and `1d2h3m4s`, with an optional leading minus. It is read
 * from its end; each field may be missing, and a unit without a number is zero.
 * @returns undefined if other characters are left
 */
export function parseRelTime(text: string): RelTimeValue | undefined {
  if (text.length > LONGEST) return undefined;
  const reader = new BackwardReader(text);
  const seconds = reader.seconds();
  const minutes = reader.count('mM:');
  const hours = reader.count('hH:');
  const days = reader.count('dD+');
  const negative = reader.accept('-');
  if (!reader.atStart()) return undefined;
  const whole = (Math.imul(days, 86_400) + Math.imul(hours, 3600) + Math.imul(minutes, 60)) | 0;
  const total = whole + seconds;
  return { type: 'reltime', seconds: negative ? 0 - total : total };
}

/** Reads a text from its end. */
class BackwardReader {
  readonly #text: string;
  #end: number;

  constructor(text: string) {
    this.#text = text;
    this.#end = text.length;
  }

  /** Takes one of the characters. */
  accept(chars: string): boolean {
    this.#skip(BLANK);
    const char = this.#text[this.#end - 1];
    if (char === undefined || !chars.includes(char)) return false;
    this.#end -= 1;
    return true;
  }

  /** Takes one of the units and the number before it; 0 if there is none or it is too large. */
  count(units: string): number {
    if (!this.accept(units)) return 0;
    this.#skip(BLANK);
    const number = Number(this.#skip(DIGIT));
    return number > 2 ** 31 - 1 ? 0 : number;
  }

  /** Takes seconds with an optional fraction and an optional `s`. */
  seconds(): number {
    if (this.accept('sS')) this.#skip(BLANK);
    else if (!DIGIT.test(this.#text[this.#end - 1] ?? '')) return 0;
    const last = this.#skip(DIGIT);
    if (this.#text[this.#end - 1] !== '.') return Number(last);
    this.#end -= 1;
    return Number(`0${this.#skip(DIGIT)}.${last}0`);
  }

  atStart(): boolean {
    this.#skip(BLANK);
    return this.#end === 0;
  }

  #skip(chars: RegExp): string {
    const end = this.#end;
    while (this.#end > 0 && chars.test(this.#text[this.#end - 1] ?? '')) this.#end -= 1;
    return this.#text.slice(this.#end, end);
  }
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** Formats `2020-01-02T04:04:05+01:00`; the offset of UTC is `-00:00`. */
export function absTimeText({ seconds, offset }: AbsTimeValue): string {
  const { year, month, day, ...clock } = civilOf(seconds + offset);
  const zone = Math.abs(offset);
  const sign = offset > 0 ? '+' : '-';
  const date = `${year}-${pad(month)}-${pad(day)}`;
  const time = `${pad(clock.hours)}:${pad(clock.minutes)}:${pad(clock.seconds)}`;
  return `${date}T${time}${sign}${pad(Math.floor(zone / 3600))}:${pad(Math.floor((zone % 3600) / 60))}`;
}

/**
 * Formats `1+02:03:04`, without leading fields that are zero. Seconds with a fraction have
 * six digits and are padded to two characters: `01:1.25`. A time beyond 32 bits is
 * meaningless, like in the reference.
 */
export function relTimeText({ seconds }: RelTimeValue): string {
  const positive = Math.abs(seconds);
  const fraction = positive - Math.floor(positive);
  const whole = positive < 2 ** 31 ? Math.trunc(positive) : -(2 ** 31);
  const days = Math.trunc(whole / 86_400);
  const hours = Math.trunc((whole % 86_400) / 3600);
  const minutes = Math.trunc(((whole % 86_400) % 3600) / 60);
  const rest = ((whole % 86_400) % 3600) % 60;
  const last = fraction === 0 ? pad(rest) : shortText(rest + fraction).padStart(2, '0');
  const middle = `${pad(minutes)}:${last}`;
  const sign = seconds < 0 ? '-' : '';
  if (days !== 0) return `${sign}${days}+${pad(hours)}:${middle}`;
  if (hours !== 0) return `${sign}${pad(hours)}:${middle}`;
  return sign + (minutes !== 0 ? middle : last);
}

/** C's `%g`. */
const shortText = (value: number): string =>
  Number.isNaN(value) ? '-nan' : generalReal(value, 6).toLowerCase();
