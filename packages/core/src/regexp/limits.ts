// The bounds of parsing and evaluating, and the one error that says which of them was
// reached.
import { CodedError } from '../base/errors/errors.ts';

/** Bounds on the work that a text may cause. Lengths in bytes. */
export interface Limits {
  /** Longest text that is parsed, and longest string that an evaluation may build. */
  readonly textLength: number;
  /** Deepest nesting of an expression. */
  readonly depth: number;
  /**
   * Deepest chain of attribute references, function calls and operators in one
   * evaluation.
   */
  readonly evaluationDepth: number;
  /** Expressions evaluated in one evaluation. */
  readonly steps: number;
  /** Longest regular expression. */
  readonly patternLength: number;
  /** Longest text that a regular expression is matched against. */
  readonly subjectLength: number;
  /** Steps of all regular expressions in one evaluation. */
  readonly matchSteps: number;
}

/**
 * Bounds used when the caller gives none; the reference parser's own depth limit is 500.
 */
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
 * The error for a bound that was reached.
 * @returns a `CLASSAD_LIMIT` error with the fields `limit` (a key of {@link Limits}) and
 * `bound`
 */
export function limitError(limit: keyof Limits, limits: Limits): CodedError {
  const bound = limits[limit];
  const message = `a ClassAd needs more than the ${bound} allowed by the limit ${limit}; simplify it or raise the limit`;
  return new CodedError('CLASSAD_LIMIT', message, { limit, bound });
}
