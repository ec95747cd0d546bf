// Typed reads of knobs.
import { isCoded } from '../../base/errors/errors.ts';
import type { NamedTrust } from '../../base/http/trust-files.ts';
import { type EvaluateExpression, evaluateExpression } from '../macros/conditions.ts';
import { splitList } from '../macros/text.ts';
import {
  type Amount,
  parseAmount,
  parseBoolean,
  parseInteger,
  parseReal,
} from '../macros/values.ts';
import { type Config, type Origin, originText, standardDefaults } from '../table/config.ts';
import type { KnobReader } from './knob-reader.ts';
import { isAbsolute } from 'node:path';

/** An invalid knob: `message` has its name, the reason and its origin. */
export interface KnobProblem {
  readonly name: string;
  readonly message: string;
  readonly origin: Origin | undefined;
}

/** A value or its error. */
export type ReadResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: KnobProblem };

/** Limits of a number, both inclusive. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** Limits, and an evaluator of expressions in place of the default one. */
export interface NumberOptions extends Bounds {
  readonly evaluate?: EvaluateExpression;
}

/** Returns the text of a knob, or `fallback` if it is not set. */
export function readString<F extends string | undefined>(
  config: Config,
  name: string,
  fallback: F,
): ReadResult<string | F> {
  return read<string | F>(config, name, fallback, (text) => ({ value: text }));
}

/** Returns an absolute path. */
export function readPath<F extends string | undefined>(
  config: Config,
  name: string,
  fallback: F,
): ReadResult<string | F> {
  return read<string | F>(config, name, fallback, (text) =>
    isAbsolute(text) ? { value: text } : { wrong: 'is not an absolute path' },
  );
}

/** The items of a list that commas or blanks separate. */
export function readList<F extends readonly string[] | undefined>(
  config: Config,
  name: string,
  fallback: F,
): ReadResult<readonly string[] | F> {
  return read<readonly string[] | F>(config, name, fallback, (text) => ({
    value: splitList(text),
  }));
}

/** Returns a boolean; `yes` and `on` are errors, like in HTCondor. */
export function readBoolean<F extends boolean | undefined>(
  config: Config,
  name: string,
  fallback: F,
  options: NumberOptions = {},
): ReadResult<boolean | F> {
  return read<boolean | F>(config, name, fallback, (text) => {
    const value = parseBoolean(text, options.evaluate ?? evaluateExpression);
    return value === undefined ? { wrong: 'is not a boolean: must be true or false' } : { value };
  });
}

/** Returns an integer, written as digits or as an expression such as `60 * 20`. */
export function readInteger<F extends number | undefined>(
  config: Config,
  name: string,
  fallback: F,
  options: NumberOptions = {},
): ReadResult<number | F> {
  return read<number | F>(config, name, fallback, (text) => {
    const value = parseInteger(text, options.evaluate ?? evaluateExpression);
    return value === undefined ? { wrong: 'is not an integer' } : within(Number(value), options);
  });
}

/** Returns a real number, written as digits or as an expression. */
export function readReal<F extends number | undefined>(
  config: Config,
  name: string,
  fallback: F,
  options: NumberOptions = {},
): ReadResult<number | F> {
  return read<number | F>(config, name, fallback, (text) => {
    const value = parseReal(text, options.evaluate ?? evaluateExpression);
    return value === undefined ? { wrong: 'is not a number' } : within(value, options);
  });
}

/** Returns a size in bytes: `10 Mb`, `512 Kb`, `1000`. */
export function readSize<F extends number | undefined>(
  config: Config,
  name: string,
  fallback: F,
  options: NumberOptions = {},
): ReadResult<number | F> {
  return read<number | F>(config, name, fallback, (text) => {
    const amount = parseAmount(text, options.evaluate ?? evaluateExpression);
    if (amount === undefined || 'seconds' in amount)
      return { wrong: 'is not a size such as 10 Mb' };
    return within('bytes' in amount ? amount.bytes : amount.plain, options);
  });
}

/** Returns a duration in seconds: `90`, `90 s`, `15 min`, `2 h`, `1 day`. */
export function readDuration<F extends number | undefined>(
  config: Config,
  name: string,
  fallback: F,
  options: NumberOptions = {},
): ReadResult<number | F> {
  return read<number | F>(config, name, fallback, (text) => {
    const amount = parseAmount(text, options.evaluate ?? evaluateExpression);
    if (amount === undefined || 'bytes' in amount)
      return { wrong: 'is not a duration: must be a number of seconds or, for example, 15 min' };
    return within('seconds' in amount ? amount.seconds : amount.plain, options);
  });
}

/**
 * Returns the limit for a log rotation: a size in bytes, or an age in seconds. A plain
 * number is bytes.
 */
export function readLogLimit<F extends Amount | undefined>(
  config: Config,
  name: string,
  fallback: F,
  options: NumberOptions = {},
): ReadResult<Amount | F> {
  return read<Amount | F>(config, name, fallback, (text) => {
    const amount = parseAmount(text, options.evaluate ?? evaluateExpression);
    if (amount === undefined)
      return { wrong: 'is neither a size such as 10 Mb nor a time such as 1 day' };
    return { value: 'plain' in amount ? { bytes: amount.plain } : amount };
  });
}

/** Knobs for the path of a secret. People write the secret itself, which no log may have. */
const SECRET_FILE = /(?:SECRET|PASSWORD)_FILE$/i;

type Parsed<Value> = { readonly value: Value } | { readonly wrong: string };

function within(
  value: number,
  { min = -Number.MAX_VALUE, max = Number.MAX_VALUE }: Bounds,
): Parsed<number> {
  if (Number.isNaN(value)) return { wrong: 'is not a number' };
  if (value < min) return { wrong: `is too small: must be at least ${min}` };
  return value > max ? { wrong: `is too large: must be at most ${max}` } : { value };
}

function read<Value>(
  config: Config,
  name: string,
  fallback: Value,
  parse: (text: string) => Parsed<Value>,
): ReadResult<Value> {
  const origin = config.origin(name);
  const wrong = (what: string): ReadResult<Value> => ({
    ok: false,
    problem: { name, origin, message: `${originText(origin)}: ${name} ${what}` },
  });
  try {
    const text = config.get(name);
    if (text === undefined) return { ok: true, value: fallback };
    const parsed = parse(text);
    if ('value' in parsed) return { ok: true, value: parsed.value };
    return wrong(
      SECRET_FILE.test(name)
        ? `(value not shown) ${parsed.wrong}: it must be the path of a file that contains the secret`
        : `= ${text} ${parsed.wrong}`,
    );
  } catch (error) {
    if (!isCoded(error, 'CONFIG_LIMIT')) throw error;
    return wrong(`cannot be expanded: ${String(error.fields['reason'])}`);
  }
}

/** A knob's value by type; `undefined` when it is not set or empty. */
export type Parameter =
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'integer' | 'real'; readonly value: number }
  | { readonly type: 'string'; readonly value: string };

/** Knobs with another type than their default. */
const TYPES = new Map<string, Parameter['type']>([
  ['shared_port_port', 'integer'],
  ['priority_halflife', 'real'],
]);

const LARGEST = 2_147_483_647;

/**
 * Returns a knob with the type of its built-in default. An invalid value gives the
 * default; integers are limited to 32 bits, reals to finite numbers. Knobs without a default are strings, without
 * evaluation of expressions.
 */
export function parameter(
  config: Config,
  name: string,
  evaluate: EvaluateExpression = evaluateExpression,
): Parameter | undefined {
  const text = config.get(name);
  const base = standardDefaults().get(name.toLowerCase())?.raw;
  const type = base === undefined ? 'string' : (TYPES.get(name.toLowerCase()) ?? typeOf(base));
  const fallback = base === undefined || type === 'string' ? '' : config.expand(base);
  switch (type) {
    case 'boolean':
      return {
        type,
        value: parseBoolean(text ?? fallback, evaluate) ?? fallback.toLowerCase() === 'true',
      };
    case 'integer': {
      const value = Number(parseInteger(text ?? fallback, evaluate) ?? fallback);
      return { type, value: Math.max(-LARGEST - 1, Math.min(LARGEST, value)) };
    }
    case 'real':
      return { type, value: finite(parseReal(text ?? fallback, evaluate) ?? Number(fallback)) };
    case 'string':
      return text === undefined ? undefined : { type, value: text };
  }
}

/** The largest number stands for infinity. */
function finite(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}

function typeOf(standardText: string): Parameter['type'] {
  if (/^(?:true|false)$/i.test(standardText)) return 'boolean';
  if (/^-?\d+$/.test(standardText)) return 'integer';
  return /^-?\d*\.\d+$/.test(standardText) ? 'real' : 'string';
}

/** A user id with its group id. */
export interface AccountIds {
  readonly uid: number;
  readonly gid: number;
}

const REFERENCE = '$ENV(CONDOR_IDS)';
/** The values of a reference to an unset variable, expanded and unexpanded. */
const NOT_SET: readonly string[] = ['UNDEFINED', REFERENCE];

/**
 * Returns the ids of the environment variable CONDOR_IDS, else of the knob. Returns
 * `undefined` if neither is set: then the user condor is used. Records an invalid value.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#CONDOR_IDS
 */
export function readCondorIds(config: Config, read: KnobReader): AccountIds | undefined {
  const fromEnvironment = config.expand(REFERENCE);
  const text = NOT_SET.includes(fromEnvironment) ? read.string('CONDOR_IDS') : fromEnvironment;
  if (text === undefined || text === '') return undefined;
  const [, uid, gid] = /^\s*(\d{1,10})\.(\d{1,10})\s*$/.exec(text) ?? [];
  if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  read.mistake(
    'CONDOR_IDS',
    `is ${JSON.stringify(text)}; must be a user id and a group id, such as 64.64`,
  );
  return undefined;
}

// The certificate authorities named in the configuration, for all programs of this
// project.

/** The knobs of {@link readNamedTrust}, for messages. */
export const AUTH_SSL_KNOBS = 'AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR';

/**
 * Reads AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#AUTH_SSL_CLIENT_CAFILE
 */
export function readNamedTrust(read: KnobReader): NamedTrust {
  return {
    caFile: read.path('AUTH_SSL_CLIENT_CAFILE'),
    caDirectory: read.path('AUTH_SSL_CLIENT_CADIR'),
    knobs: AUTH_SSL_KNOBS,
  };
}

// The directory that CredD and every program of this project meet in.

/**
 * Reads SEC_CREDENTIAL_DIRECTORY_OAUTH, else its older names. Empty, with a mistake noted,
 * when none is set.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#SEC_CREDENTIAL_DIRECTORY_OAUTH
 */
export function readCredentialDirectory(read: KnobReader): string {
  const path =
    read.path('SEC_CREDENTIAL_DIRECTORY_OAUTH') ??
    read.path('SEC_CREDENTIAL_DIRECTORY') ??
    read.path('SEC_CREDENTIAL_DIR');
  if (path === undefined)
    read.mistake(
      'SEC_CREDENTIAL_DIRECTORY_OAUTH',
      'is not set; add "use feature : OAUTH", or set it to the credential directory',
    );
  return path ?? '';
}
