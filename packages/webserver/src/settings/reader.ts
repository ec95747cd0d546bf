// Reads knobs as typed values and remembers every mistake, so that all are reported together.
import {
  originText,
  readBoolean,
  readDuration,
  readInteger,
  readList,
  readPath,
  readSize,
  readString,
  type Config,
  type ReadResult,
} from '@credmon/core';
import { CodedError } from '@credmon/core/base';

/** A reader of typed knobs. A wrong value is remembered and answered with the default. */
export interface Reader {
  string(knob: string): string | undefined;
  path(knob: string): string | undefined;
  list(knob: string): readonly string[];
  boolean(knob: string, fallback: boolean): boolean;
  integer(knob: string, fallback: number, min: number, max: number): number;
  /** A duration in seconds. */
  seconds(knob: string, fallback: number, min: number, max: number): number;
  /** A size in bytes. */
  bytes(knob: string, fallback: number): number;
  /** Remembers a mistake in `knob`; `what` continues the sentence that begins with its name. */
  mistake(knob: string, what: string): void;
  /** @throws CodedError `CONFIG_INVALID` with all mistakes, one per line, each with file and line */
  finish(): void;
}

/** A reader over a configuration. */
export function createReader(config: Config): Reader {
  const mistakes: string[] = [];
  const take = <T>(result: ReadResult<T>, fallback: T): T => {
    if (result.ok) return result.value;
    mistakes.push(result.problem.message);
    return fallback;
  };
  return {
    string: (knob) => take(readString(config, knob, undefined), undefined),
    path: (knob) => take(readPath(config, knob, undefined), undefined),
    list: (knob) => take(readList(config, knob, []), []),
    boolean: (knob, fallback) => take(readBoolean(config, knob, fallback), fallback),
    integer: (knob, fallback, min, max) => take(readInteger(config, knob, fallback, { min, max }), fallback),
    seconds: (knob, fallback, min, max) => take(readDuration(config, knob, fallback, { min, max }), fallback),
    bytes: (knob, fallback) => take(readSize(config, knob, fallback, { min: 0 }), fallback),
    mistake: (knob, what) => void mistakes.push(`${originText(config.origin(knob))}: ${knob} ${what}`),
    finish() {
      if (mistakes.length > 0)
        throw new CodedError('CONFIG_INVALID', mistakes.join('\n'), { mistakes: mistakes.length });
    },
  };
}
