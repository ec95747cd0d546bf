// The format of a log line: as in HTCondor's daemons, or as JSON. Pure.
import { type BrokenDownTime, daysOf, strftime } from '../base/time/calendar.ts';
import { utcText } from '../base/time/clock.ts';

/**
 * The prefix of a line, from the knobs DEBUG_TIME_FORMAT, LOGS_USE_TIMESTAMP and the
 * D_PID and D_CAT flags.
 */
export interface LineStyle {
  readonly timeFormat: string;
  readonly useTimestamp: boolean;
  readonly showPid: boolean;
  readonly showCategory: boolean;
  /**
   * If true, a line is a JSON object with the time in UTC; the other members are ignored.
   */
  readonly json: boolean;
}

/** HTCondor's default: `11/23/26 10:00:00 text`. */
export const DEFAULT_STYLE: LineStyle = {
  timeFormat: '%m/%d/%y %H:%M:%S',
  useTimestamp: false,
  showPid: false,
  showCategory: false,
  json: false,
};

/** Local time in parts, as in `Date`; `year` with four digits, `month` from 1. */
export interface LocalTime {
  readonly epoch: number;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** The last result of {@link formatTime}: many lines are of the same second. */
let last = { format: '', epoch: Number.NaN, hour: -1, minute: -1, text: '' };

/** Formats a time like strftime(3) in the C locale. Unknown fields are kept. */
export function formatTime(format: string, time: LocalTime): string {
  const { hour, minute } = time;
  const epoch = Math.floor(time.epoch);
  const same = last.epoch === epoch && last.hour === hour && last.minute === minute;
  if (same && last.format === format) return last.text;
  const text = strftime(format, brokenDown(time));
  last = { format, epoch, hour, minute, text };
  return text;
}

function brokenDown({ epoch, year, month, day, hour, minute, second }: LocalTime): BrokenDownTime {
  const days = daysOf(year, month, day);
  return {
    seconds: second,
    minutes: minute,
    hours: hour,
    day,
    month: month - 1,
    year: year - 1900,
    weekday: (((days + 4) % 7) + 7) % 7,
    dayOfYear: days - daysOf(year, 1, 1),
    offset: days * 86_400 + hour * 3600 + minute * 60 + second - Math.floor(epoch),
  };
}

/**
 * Returns one line with its newline. Line breaks in the text are replaced, so that a text
 * cannot forge a line.
 */
export function formatLine(
  style: LineStyle,
  time: LocalTime,
  pid: number,
  level: string,
  text: string,
): string {
  if (style.json) return jsonLine({ time: utcText(time.epoch), level, pid, message: text });
  const when = style.useTimestamp
    ? String(Math.floor(time.epoch))
    : formatTime(style.timeFormat, time);
  const who = style.showPid ? ` (pid:${pid})` : '';
  const category = style.showCategory ? ` (${CATEGORIES[level] ?? 'D_ALWAYS'})` : '';
  return (
    `${when}${who}${category} ` +
    `${level === 'error' || level === 'warn' ? `${level.toUpperCase()}: ` : ''}${oneLine(text)}\n`
  );
}

/** Returns an object as one line of JSON without line breaks and control characters. */
export function jsonLine(value: object): string {
  const text = JSON.stringify(value).replaceAll(
    /[\u007F-\u009F\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}

const CATEGORIES: Readonly<Record<string, string>> = { error: 'D_ERROR', debug: 'D_FULLDEBUG' };

/** Removes control characters and line separators; a line break becomes ` | `. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' | ').replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ');
}
