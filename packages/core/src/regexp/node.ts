// The tree of a regular expression, and the one way in which a pattern is refused.

/** One entry per byte: 1 when the byte belongs to the set. */
export type ByteSet = Uint8Array;

/**
 * Assertions of no width. `lineStart` and `lineEnd` are `^` and `$` under the option m,
 * `finalEnd` is `$` without it and `\Z`.
 */
export type Assertion = 'start' | 'lineStart' | 'end' | 'lineEnd' | 'finalEnd' | 'word' | 'notWord';

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

/** A part of a pattern; references hold a group's number or name. */
export type RegexpNode =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'sequence'; readonly items: readonly RegexpNode[] }
  | { readonly kind: 'choice'; readonly branches: readonly RegexpNode[] }
  | { readonly kind: 'group'; readonly number: number; readonly inner: RegexpNode }
  | { readonly kind: 'atomic'; readonly inner: RegexpNode }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'reference'; readonly group: number | string; readonly caseless: boolean }
  | { readonly kind: 'keep' }
  /** Goes `length` bytes back, at the beginning of a lookbehind's branch. */
  | { readonly kind: 'back'; readonly length: number }
  | RepeatNode
  | LookNode
  | ConditionNode;

/** A pattern that was read. */
export interface Pattern {
  readonly root: RegexpNode;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
}

/**
 * Thrown inside the reader for a pattern that PCRE2 refuses or that we do not follow;
 * never leaves `compile`.
 */
export class RefusedPattern extends Error {
  override readonly name = 'RefusedPattern';
}

/** @throws RefusedPattern */
export function refuse(reason: string): never {
  throw new RefusedPattern(reason);
}
