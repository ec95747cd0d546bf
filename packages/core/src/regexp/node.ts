// The tree of a regular expression, and the error for a rejected pattern.

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
