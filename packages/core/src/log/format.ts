// The format of a log line as in HTCondor's daemons, and of saved logs. Pure.

/**
 * The prefix of a line, from the knobs DEBUG_TIME_FORMAT, LOGS_USE_TIMESTAMP and the
 * D_PID and D_CAT flags.
 */
export interface LineStyle {
  readonly timeFormat: string;
  readonly useTimestamp: boolean;
  readonly showPid: boolean;
  readonly showCategory: boolean;
}

/** HTCondor's default: `11/23/26 10:00:00 text`. */
export const DEFAULT_STYLE: LineStyle = {
  timeFormat: '%m/%d/%y %H:%M:%S',
  useTimestamp: false,
  showPid: false,
  showCategory: false,
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

const two = (value: number): string => String(value).padStart(2, '0');

const FIELDS: Readonly<Record<string, (time: LocalTime) => string>> = {
  Y: ({ year }) => String(year),
  y: ({ year }) => two(year % 100),
  m: ({ month }) => two(month),
  d: ({ day }) => two(day),
  H: ({ hour }) => two(hour),
  M: ({ minute }) => two(minute),
  S: ({ second }) => two(second),
  T: ({ hour, minute, second }) => `${two(hour)}:${two(minute)}:${two(second)}`,
  D: ({ year, month, day }) => `${two(month)}/${two(day)}/${two(year % 100)}`,
  F: ({ year, month, day }) => `${year}-${two(month)}-${two(day)}`,
  s: ({ epoch }) => String(Math.floor(epoch)),
  '%': () => '%',
};

/** Formats a time like strftime. Unknown fields are kept. */
export function formatTime(format: string, time: LocalTime): string {
  return format.replaceAll(/%(.)/g, (whole, field: string) => FIELDS[field]?.(time) ?? whole);
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

const CATEGORIES: Readonly<Record<string, string>> = { error: 'D_ERROR', debug: 'D_FULLDEBUG' };

/** Removes control characters and line separators; a line break becomes ` | `. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' | ').replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ');
}

/** Returns the name of a saved log if several are kept: `<log>.YYYYMMDDTHHMMSS`. */
export function savedName(path: string, time: LocalTime): string {
  return `${path}.${formatTime('%Y%m%dT%H%M%S', time)}`;
}
