// What may be said about a log.
import type { LineStyle } from './format.ts';

/**
 * Where and how to log. `maxBytes` and `maxSeconds` of 0 mean never; `maxSaved` 1 means
 * one `.old`; `mode` is that of a new file.
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
}
