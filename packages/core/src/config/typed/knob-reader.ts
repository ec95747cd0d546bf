// Reads knobs by type and collects every mistake, so that an administrator sees them all
// at once.
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
  readSize,
  readString,
  type ReadResult,
} from './typed.ts';
import type { Amount } from '../macros/values.ts';

/**
 * Typed access to a configuration. A knob that is not set, or set wrongly, answers with
 * its default; the latter is remembered.
 */
export interface KnobReader {
  string(knob: string): string | undefined;
  path(knob: string): string | undefined;
  list(knob: string): readonly string[] | undefined;
  boolean(knob: string, byDefault: boolean): boolean;
  integer(knob: string, byDefault: number, min: number, max: number): number;
  real(knob: string, byDefault: number, min: number, max: number): number;
  /** A duration in seconds. */
  seconds(knob: string, byDefault: number, min: number, max: number): number;
  /** A size in bytes. */
  bytes(knob: string, byDefault: number): number;
  logLimit(knob: string, byDefault: Amount): Amount;
  /**
   * Returns where the value that was read for `knob` is from: `file, line N`,
   * `<Environment>`, or `default` when it is not set. `undefined` when it is set to a
   * value that cannot be used: that mistake is noted already, and no other should be
   * derived from the default.
   */
  place(knob: string): string | undefined;
  /**
   * Notes that `knob` is wrong: `what` completes the sentence. One that others may follow
   * from is told `first`.
   */
  mistake(knob: string, what: string, rank?: 'first'): void;
  /** Notes that `knob` is odd, but no reason to refuse the configuration. */
  warning(knob: string, what: string): void;
  readonly warnings: readonly string[];
  /**
   * @throws CodedError `CONFIG_INVALID` when there was a mistake, listing all, each once
   * and beginning a line, with file and line; further lines of one are indented.
   */
  finish(): void;
}

/** A reader of `config`, for a program's settings: read all knobs, then `finish`. */
export function createKnobReader(config: Config): KnobReader {
  const mistakes: Mistake[] = [];
  const warnings: string[] = [];
  const unusable = new Set<string>();
  const said = (knob: string, what: string): string => {
    const origin = config.origin(knob);
    return origin === undefined ? `${knob} ${what}` : `${originText(origin)}: ${knob} ${what}`;
  };
  const take = <Value>(result: ReadResult<Value>, byDefault: Value): Value => {
    if (result.ok) return result.value;
    const { name, message, origin } = result.problem;
    mistakes.push({ text: message, origin, first: false });
    unusable.add(name);
    return byDefault;
  };
  return {
    string: (knob) => take(readString(config, knob, undefined), undefined),
    path: (knob) => take(readPath(config, knob, undefined), undefined),
    list: (knob) =>
      config.get(knob) === undefined ? undefined : take(readList(config, knob, []), []),
    boolean: (knob, byDefault) => take(readBoolean(config, knob, byDefault), byDefault),
    integer: (knob, byDefault, min, max) =>
      take(readInteger(config, knob, byDefault, { min, max }), byDefault),
    real: (knob, byDefault, min, max) =>
      take(readReal(config, knob, byDefault, { min, max }), byDefault),
    seconds: (knob, byDefault, min, max) =>
      take(readDuration(config, knob, byDefault, { min, max }), byDefault),
    bytes: (knob, byDefault) => take(readSize(config, knob, byDefault, { min: 0 }), byDefault),
    logLimit: (knob, byDefault) => take(readLogLimit(config, knob, byDefault), byDefault),
    place: (knob) => {
      if (unusable.has(knob)) return undefined;
      return config.get(knob) === undefined ? 'default' : originText(config.origin(knob));
    },
    mistake: (knob, what, rank) => {
      mistakes.push({
        text: said(knob, what),
        origin: config.origin(knob),
        first: rank === 'first',
      });
    },
    warning: (knob, what) => {
      const text = said(knob, what);
      if (!warnings.includes(text)) warnings.push(text);
    },
    warnings,
    finish: () => {
      if (mistakes.length === 0) return;
      // Two readers of one knob make the same mistake.
      const texts = [...new Set(mistakes.sort(byPlace).map(({ text }) => text))];
      const count = texts.length === 1 ? 'a mistake' : `${texts.length} mistakes`;
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

interface Mistake {
  readonly text: string;
  readonly origin: Origin | undefined;
  readonly first: boolean;
}

/**
 * What others may follow from, then what was not set at all, then by file and line, as an
 * administrator goes through them.
 */
function byPlace(a: Mistake, b: Mistake): number {
  if (a.first !== b.first) return a.first ? -1 : 1;
  const [left, right] = [placeOf(a), placeOf(b)];
  return left.file === right.file ? left.line - right.line : left.file < right.file ? -1 : 1;
}

function placeOf({ origin }: Mistake): { file: string; line: number } {
  return origin?.kind === 'file' ? origin : { file: '', line: 0 };
}
