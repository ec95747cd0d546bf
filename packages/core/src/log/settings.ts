// The logging knobs of an HTCondor daemon, for any subsystem. Pure.
import { knob, ownKnob } from '../config/typed/declarations.ts';
import type { KnobReader } from '../config/typed/knob-reader.ts';
import type { LineStyle } from './line-format.ts';

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
