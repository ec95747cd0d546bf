// The tree of a regular expression, the error for a rejected pattern, and the limits of
// parsing and evaluation.
import { CodedError } from '../base/errors/errors.ts';

/** One entry for each byte: 1 if the byte belongs to the set. */
export type ByteSet = Uint8Array;

/**
 * Zero-width assertions. `lineStart` and `lineEnd` are `^` and `$` under the option m,
 * `finalEnd` is `$` without it and `\Z`, `from` is `\G`: where the search began.
 */
export type Assertion =
  'start' | 'from' | 'lineStart' | 'end' | 'lineEnd' | 'finalEnd' | 'word' | 'notWord';

export type RepeatMode = 'greedy' | 'lazy' | 'possessive';

export interface RepeatNode {
  readonly kind: 'repeat';
  readonly inner: RegexpNode;
  readonly least: number;
  readonly most: number;
  readonly mode: RepeatMode;
}

/** `(?=`, `(?!`, `(?<=`, `(?<!`. */
export interface LookNode {
  readonly kind: 'look';
  readonly behind: boolean;
  readonly negative: boolean;
  readonly inner: RegexpNode;
}

/** `(?(group)yes|no)`. */
export interface ConditionNode {
  readonly kind: 'condition';
  readonly group: number | string;
  readonly yes: RegexpNode;
  readonly no: RegexpNode;
}

/** A part of a pattern; references have a group's number or name. */
export type RegexpNode =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'sequence'; readonly items: readonly RegexpNode[] }
  | { readonly kind: 'choice'; readonly branches: readonly RegexpNode[] }
  | { readonly kind: 'group'; readonly number: number; readonly inner: RegexpNode }
  | { readonly kind: 'atomic'; readonly inner: RegexpNode }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'reference'; readonly group: number | string; readonly caseless: boolean }
  | { readonly kind: 'keep' }
  /** Steps `length` bytes back, at the start of a lookbehind's branch. */
  | { readonly kind: 'back'; readonly length: number }
  | RepeatNode
  | LookNode
  | ConditionNode;

/** A parsed pattern. */
export interface Pattern {
  readonly root: RegexpNode;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
  /** Whether `(?|` may give several groups the same number. */
  readonly isNumberedAgain: boolean;
}

/**
 * Thrown inside the parser for a pattern that PCRE2 rejects or that is not supported;
 * never leaves `compile`.
 */
export class RefusedPattern extends Error {
  override readonly name = 'RefusedPattern';
}

/** @throws RefusedPattern */
export function refuse(reason: string): never {
  throw new RefusedPattern(reason);
}

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
