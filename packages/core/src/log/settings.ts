// The logging knobs of an HTCondor daemon, for any subsystem; and the format of a log
// line as in HTCondor's daemons, and of saved logs. Pure.
import { utcText } from '../base/time/clock.ts';
import { knob, ownKnob } from '../config/typed/declarations.ts';
import type { KnobReader } from '../config/typed/knob-reader.ts';

/**
 * Overrides on the command line: the file, debug messages, and standard error in addition
 * to the file.
 */
export interface LogOverrides {
  readonly logFile: string | undefined;
  readonly debug: boolean;
  readonly verbose: boolean;
}

/** The default destination without a knob, and the mode of a new log file. */
export interface LogHabits {
  readonly unnamed: 'file' | 'standard error';
  readonly mode: number;
}

/**
 * Reads `<SUBSYS>_LOG`, `MAX_<SUBSYS>_LOG`, `MAX_NUM_<SUBSYS>_LOG`,
 * `TRUNC_<SUBSYS>_LOG_ON_OPEN`, the debug flags and the time format.
 */
export function logSettings(
  read: KnobReader,
  subsystem: string,
  overrides: LogOverrides,
  { unnamed, mode }: LogHabits,
): LogOptions {
  const flags = debugFlags(read, subsystem);
  const full = fullAt(read, subsystem);
  const named =
    overrides.logFile ?? read.path(knob('<SUBSYS>_LOG', subsystem)) ?? olderPath(read, subsystem);
  const path = named ?? (unnamed === 'file' ? defaultPath(read, subsystem) : undefined);
  return {
    path,
    mode,
    stderr: overrides.verbose || (path === undefined && unnamed === 'standard error'),
    debug: overrides.debug || flags.has('D_FULLDEBUG') || flags.has('D_ALL'),
    maxBytes: full.bytes,
    maxSeconds: full.seconds,
    maxSaved: read.integer(knob('MAX_NUM_<SUBSYS>_LOG', subsystem)),
    truncate: read.boolean(knob('TRUNC_<SUBSYS>_LOG_ON_OPEN', subsystem)),
    style: lineStyle(read, flags),
    audit: auditDestination(read, subsystem),
  };
}

function auditDestination(read: KnobReader, subsystem: string): LogOptions['audit'] {
  const path = read.path('CREDMON_AUDIT_LOG');
  return path === undefined ? undefined : { path, subsystem };
}

/** The names of CREDMON_OAUTH_LOG before HTCondor 8.9.13. */
function olderPath(read: KnobReader, subsystem: string): string | undefined {
  if (subsystem !== 'CREDMON_OAUTH') return undefined;
  return read.path('SEC_CREDENTIAL_MONITOR_OAUTH_LOG') ?? read.path('SEC_CREDENTIAL_MONITOR_LOG');
}

/** Returns `$(LOG)/CredmonOauthLog` for CREDMON_OAUTH, like the Python daemon. */
function defaultPath(read: KnobReader, subsystem: string): string | undefined {
  const directory = read.path('LOG');
  const camel = subsystem
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join('');
  return directory === undefined ? undefined : `${directory}/${camel}Log`;
}

function debugFlags(read: KnobReader, subsystem: string): Set<string> {
  const specific =
    read.string(ownKnob('DEFAULT_DEBUG', subsystem)) ?? read.string('DEFAULT_DEBUG') ?? '';
  const words = `${specific} ${read.string('ALL_DEBUG') ?? ''}`.toUpperCase().split(/[\s,|]+/);
  return new Set(words.map((word) => word.replace(/:\d$/, '')));
}

function lineStyle(read: KnobReader, flags: ReadonlySet<string>): LineStyle {
  return {
    timeFormat: read.string('DEBUG_TIME_FORMAT').replaceAll(/^"|"$/g, '').trim(),
    useTimestamp: read.boolean('LOGS_USE_TIMESTAMP'),
    showPid: flags.has('D_PID'),
    showCategory: flags.has('D_CAT') || flags.has('D_CATEGORY'),
    json: isJson(read),
  };
}

function isJson(read: KnobReader): boolean {
  const format = read.string('CREDMON_LOG_FORMAT').toLowerCase();
  if (format !== 'json' && format !== 'htcondor')
    read.mistake('CREDMON_LOG_FORMAT', `must be htcondor or json, but is ${format}`);
  return format === 'json';
}

function fullAt(read: KnobReader, subsystem: string): { bytes: number; seconds: number } {
  const byDefault = read.sizeOrTime('MAX_DEFAULT_LOG');
  const limit = read.sizeOrTime(ownKnob('MAX_DEFAULT_LOG', subsystem)) ?? byDefault;
  return 'seconds' in limit
    ? { bytes: 0, seconds: limit.seconds }
    : { bytes: 'bytes' in limit ? limit.bytes : limit.plain, seconds: 0 };
}

// The options of a log.

/**
 * The destination and format of a log. `maxBytes` and `maxSeconds` of 0 mean never;
 * `maxSaved` 1 means one `.old`; `mode` is that of a new file.
 */
export interface LogOptions {
  readonly path: string | undefined;
  readonly stderr: boolean;
  readonly debug: boolean;
  readonly maxBytes: number;
  readonly maxSeconds: number;
  readonly maxSaved: number;
  readonly truncate: boolean;
  readonly mode: number;
  readonly style: LineStyle;
  /** The file of the audit log, if any, and the daemon that its entries name. */
  readonly audit?: { readonly path: string; readonly subsystem: string } | undefined;
}

/**
 * The prefix of a line, from the knobs DEBUG_TIME_FORMAT, LOGS_USE_TIMESTAMP and the
 * D_PID and D_CAT flags.
 */
export interface LineStyle {
  readonly timeFormat: string;
  readonly useTimestamp: boolean;
  readonly showPid: boolean;
  readonly showCategory: boolean;
  /** A JSON object for each line, with the time in UTC; the other members do not count. */
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

/** The last result of {@link formatTime}: many lines are of the same second. */
let last = { format: '', epoch: Number.NaN, hour: -1, minute: -1, text: '' };

/** Formats a time like strftime. Unknown fields are kept. */
export function formatTime(format: string, time: LocalTime): string {
  const { hour, minute } = time;
  const epoch = Math.floor(time.epoch);
  const same = last.epoch === epoch && last.hour === hour && last.minute === minute;
  if (same && last.format === format) return last.text;
  const text = format.replaceAll(/%(.)/g, (whole, field: string) => FIELDS[field]?.(time) ?? whole);
  last = { format, epoch, hour, minute, text };
  return text;
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

/** Returns an object as one line; a reader finds no raw line break or control character. */
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
