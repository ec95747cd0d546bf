// Reads knobs by type and collects all errors, so that an administrator sees them at
// once.
import { CodedError } from '../../base/errors/errors.ts';
import { originText, type Config, type Origin } from '../table/config.ts';
import {
  readBoolean,
  readDuration,
  readInteger,
  readList,
  readLogLimit,
  readPath,
  readReal,
  readString,
  type Bounds,
  type ReadResult,
} from './typed.ts';
import { evaluateExpression } from '../macros/conditions.ts';
import { quotesAround, REMOVE_QUOTES } from '../mistakes/quoted-values.ts';
import { parseAmount, type Amount } from '../macros/values.ts';
import {
  KNOBS,
  type DefaultOf,
  type KnobDeclaration,
  type KnobName,
  type KnobType,
  type NamedKnob,
  type OwnKnob,
  type PlainKnobName,
} from './declarations.ts';

/** What is read: a declared name without places, or one whose places are filled. */
export type Knob = PlainKnobName | NamedKnob | OwnKnob;

/**
 * `undefined` where a knob that is not set has no value: it has no declared default, or
 * the shared knob counts instead.
 */
export type Unset<K extends Knob> = K extends OwnKnob
  ? undefined
  : K extends NamedKnob<infer Name>
    ? NoDefault<Name>
    : K extends KnobName
      ? NoDefault<K>
      : undefined;

type NoDefault<Name extends KnobName> = undefined extends DefaultOf<Name> ? undefined : never;

/**
 * Typed access to a configuration. Type, default and bounds are the declared ones. A knob
 * that is not set, or set wrongly, answers with its default; the latter is remembered.
 */
export interface KnobReader {
  string<K extends Knob>(knob: K): string | Unset<K>;
  /** An absolute path. */
  path<K extends Knob>(knob: K): string | Unset<K>;
  list<K extends Knob>(knob: K): readonly string[] | Unset<K>;
  boolean<K extends Knob>(knob: K): boolean | Unset<K>;
  integer<K extends Knob>(knob: K): number | Unset<K>;
  number<K extends Knob>(knob: K): number | Unset<K>;
  /** A duration in seconds. */
  duration<K extends Knob>(knob: K): number | Unset<K>;
  /** When a log is rotated: a size in bytes, or an age in seconds. */
  sizeOrTime<K extends Knob>(knob: K): Amount | Unset<K>;
  /** Returns whether a knob has a value that is not empty, of its own or HTCondor's. */
  isSet(knob: Knob): boolean;
  /**
   * Returns the origin of the value of `knob`: `file, line N`, `<Environment>`, or
   * `default` if it is not set. Returns `undefined` for an invalid value: its error is
   * already recorded, and no further one should be derived from the default.
   */
  place(knob: string): string | undefined;
  /**
   * Records an error of `knob`: `what` completes the sentence. Rank `first` is for an
   * error that causes others.
   */
  mistake(knob: string, what: string, rank?: 'first'): void;
  /** Records a warning about `knob`; it does not make the configuration invalid. */
  warning(knob: string, what: string): void;
  readonly warnings: readonly string[];
  /**
   * @throws CodedError `CONFIG_INVALID` with all recorded errors, each once, at the start
   * of a line, with file and line; further lines of an error are indented
   */
  finish(): void;
}

/**
 * Creates a reader of `config` for a program's settings: read all knobs, then call
 * `finish`.
 */
export function createKnobReader(config: Config): KnobReader {
  const mistakes: Mistake[] = [];
  const warnings: string[] = [];
  const unusable = new Set<string>();
  const sentence = (knob: string, what: string): string => {
    const origin = config.origin(knob);
    return origin === undefined ? `${knob} ${what}` : `${originText(origin)}: ${knob} ${what}`;
  };
  /** Quotes are the usual reason why a value cannot be used. */
  const withAdvice = (knob: string, text: string): string =>
    text.includes('fix: ') || !isQuoted(config, knob) ? text : `${text}; ${REMOVE_QUOTES}`;
  const take = <Value>(result: ReadResult<Value>, byDefault: Value): Value => {
    if (result.ok) return result.value;
    const { name, message, origin } = result.problem;
    mistakes.push({ text: withAdvice(name, message), origin, first: false });
    unusable.add(name);
    return byDefault;
  };
  /** A method for one type: with the declared default, of that type, and bounds. */
  const reads =
    <Value>(type: KnobType, readOne: ReadOne<Value>) =>
    <K extends Knob>(knob: K): Value | Unset<K> => {
      const { name, declaration, byDefault } = lookUp(config, knob);
      if (declaration.type !== type)
        throw new Error(`${name} is declared as ${declaration.type}, not as ${type}`);
      const fallback = byDefault as Value | undefined;
      return take(readOne(config, name, fallback, declaration), fallback) as Value | Unset<K>;
    };
  return {
    string: reads('string', readString),
    path: reads('path', readPath),
    list: reads('list', readList),
    boolean: reads('boolean', readBoolean),
    integer: reads('integer', readInteger),
    number: reads('number', readReal),
    duration: reads('duration', readDuration),
    sizeOrTime: reads('size or time', readLogLimit),
    isSet: (knob) => {
      const result = readString(config, nameOf(knob), undefined);
      return !result.ok || result.value !== undefined;
    },
    place: (knob) => {
      if (unusable.has(knob)) return undefined;
      return config.get(knob) === undefined ? 'default' : originText(config.origin(knob));
    },
    mistake: (knob, what, rank) => {
      mistakes.push({
        text: withAdvice(knob, sentence(knob, what)),
        origin: config.origin(knob),
        first: rank === 'first',
      });
    },
    warning: (knob, what) => {
      const text = sentence(knob, what);
      if (!warnings.includes(text)) warnings.push(text);
    },
    warnings,
    finish: () => {
      if (mistakes.length === 0) return;
      // Two readers of one knob record the same error.
      const texts = [...new Set(mistakes.sort(byPlace).map(({ text }) => text))];
      const count = texts.length === 1 ? 'an error' : `${texts.length} errors`;
      const lines = texts.map((text) => text.replaceAll('\n', '\n    '));
      throw new CodedError(
        'CONFIG_INVALID',
        `The configuration has ${count}:\n${lines.join('\n')}`,
        {
          mistakes: texts.length,
        },
      );
    },
  };
}

/** False for a value that cannot be expanded: this is the error. */
function isQuoted(config: Config, knob: string): boolean {
  const value = readString(config, knob, undefined);
  return value.ok && quotesAround(knob, value.value) !== undefined;
}

type ReadOne<Value> = (
  config: Config,
  name: string,
  fallback: Value | undefined,
  bounds: Bounds,
) => ReadResult<Value | undefined>;

function nameOf(knob: Knob): string {
  return typeof knob === 'string' ? knob : knob.name;
}

/** The name of a knob, its declaration, and the value that counts where it is not set. */
function lookUp(
  config: Config,
  knob: Knob,
): { name: string; declaration: KnobDeclaration; byDefault: unknown } {
  const name = nameOf(knob);
  const declaration = KNOBS[typeof knob === 'string' ? knob : knob.declared];
  const shared = typeof knob === 'object' && 'shared' in knob;
  return { name, declaration, byDefault: shared ? undefined : valueOf(config, declaration) };
}

/** The declared default as a value of its type. */
function valueOf(config: Config, { type, default: byDefault }: KnobDeclaration): unknown {
  if (typeof byDefault !== 'string') return byDefault;
  if (type === 'size or time') return parseAmount(byDefault, evaluateExpression);
  return byDefault.includes('$') ? config.expand(byDefault) : byDefault;
}

interface Mistake {
  readonly text: string;
  readonly origin: Origin | undefined;
  readonly first: boolean;
}

/**
 * Orders errors: causes of others first, then knobs that are not set, then by file and
 * line.
 */
function byPlace(a: Mistake, b: Mistake): number {
  if (a.first !== b.first) return a.first ? -1 : 1;
  const [left, right] = [placeOf(a), placeOf(b)];
  return left.file === right.file ? left.line - right.line : left.file < right.file ? -1 : 1;
}

function placeOf({ origin }: Mistake): { file: string; line: number } {
  return origin?.kind === 'file' ? origin : { file: '', line: 0 };
}
