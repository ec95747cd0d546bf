// The limits of parsing and evaluation, and the error for an exceeded one.
import { CodedError } from '../base/errors/errors.ts';

/** Limits of the work for one text. Lengths in bytes. */
export interface Limits {
  /** The maximum length of a parsed text and of a string built by an evaluation. */
  readonly textLength: number;
  /** The maximum nesting of an expression. */
  readonly depth: number;
  /**
   * The maximum chain of attribute references, function calls and operators in one
   * evaluation.
   */
  readonly evaluationDepth: number;
  /** The maximum number of expressions in one evaluation. */
  readonly steps: number;
  /** The maximum length of a regular expression. */
  readonly patternLength: number;
  /** The maximum length of a text matched by a regular expression. */
  readonly subjectLength: number;
  /** The maximum steps of all regular expressions in one evaluation. */
  readonly matchSteps: number;
}

/** The default limits. The reference parser's own depth limit is 500. */
export const DEFAULT_LIMITS: Limits = {
  textLength: 1 << 20,
  depth: 500,
  evaluationDepth: 1000,
  steps: 1_000_000,
  patternLength: 4096,
  subjectLength: 1 << 16,
  matchSteps: 1_000_000,
};

/**
 * Creates the error for an exceeded limit.
 * @returns a `CLASSAD_LIMIT` error with the fields `limit` (a key of {@link Limits}) and
 * `bound`
 */
export function limitError(limit: keyof Limits, limits: Limits): CodedError {
  const bound = limits[limit];
  const message = `ClassAd limit exceeded: ${limit} is ${bound}; simplify the ClassAd or raise the limit`;
  return new CodedError('CLASSAD_LIMIT', message, { limit, bound });
}
