// Reads knobs as typed values and remembers every mistake, so that all are reported together.
import { isAbsolute } from 'node:path';
import { originText, type Config } from '@credmon/core';
import { CodedError } from '@credmon/core/base';

/** A reader of typed knobs. A wrong value is remembered and answered with the default. */
export interface Reader {
  string(knob: string): string | undefined;
  path(knob: string): string | undefined;
  list(knob: string): readonly string[];
  boolean(knob: string, fallback: boolean): boolean;
  integer(knob: string, fallback: number, least: number, most: number): number;
  /** Remembers a mistake in `knob`; `what` continues the sentence that begins with its name. */
  mistake(knob: string, what: string): void;
  /** @throws CodedError `CONFIG_INVALID` with all mistakes, one per line, each with file and line */
  finish(): void;
}

/** A reader over a configuration. */
export function createReader(config: Config): Reader {
  const mistakes: string[] = [];
  const mistake = (knob: string, what: string): void =>
    void mistakes.push(`${originText(config.origin(knob))}: ${knob} ${what}`);
  const string = (knob: string): string | undefined => config.get(knob)?.trim();
  return {
    string,
    mistake,
    path(knob) {
      const value = string(knob);
      if (value !== undefined && !isAbsolute(value)) mistake(knob, `= ${value} is not an absolute path`);
      return value;
    },
    list: (knob) => (string(knob) ?? '').split(/[\s,]+/).filter((item) => item !== ''),
    boolean(knob, fallback) {
      const value = string(knob)?.toLowerCase();
      if (value === undefined) return fallback;
      if (['true', 't', '1'].includes(value)) return true;
      if (!['false', 'f', '0'].includes(value))
        mistake(knob, `= ${value} is not a boolean: write true or false`);
      return false;
    },
    integer(knob, fallback, least, most) {
      const text = string(knob);
      if (text === undefined) return fallback;
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (value >= least && value <= most) return value;
      mistake(knob, `= ${text} is not a whole number from ${least} to ${most}`);
      return fallback;
    },
    finish() {
      if (mistakes.length > 0)
        throw new CodedError('CONFIG_INVALID', mistakes.join('\n'), { count: mistakes.length });
    },
  };
}
