// The state and limits of an expansion, shared by the expander and the functions.
import { CodedError } from '../../base/errors/errors.ts';
import type { EvaluateExpression } from './expressions.ts';

/**
 * The environment of an expansion. `random` returns a whole number from 0 to below its
 * argument.
 */
export interface ExpandContext {
  /**
   * Returns the stored text of a knob, in the scope of the reader; `undefined` if it is
   * not set.
   */
  lookup(name: string): string | undefined;
  environment(name: string): string | undefined;
  readonly evaluate: EvaluateExpression;
  readonly random: (below: number) => number;
  /**
   * Called with the error of a function macro; the expansion continues, like HTCondor's.
   */
  problem(message: string): void;
}

/** The state of one expansion, shared by nested expansions. */
export interface Expansion {
  readonly context: ExpandContext;
  /** Expands a value for a function macro; `$(DOLLAR)` is kept. */
  nested(text: string): string;
  steps: number;
  work: number;
  depth: number;
  /** True if the result depends on random numbers, so that it must not be cached. */
  chance: boolean;
}

/** Creates the error for an exceeded limit. */
export function limitError(reason: string): CodedError {
  return new CodedError('CONFIG_LIMIT', `macro expansion aborted: ${reason}`, { reason });
}

// Limits that prevent a configuration from hanging a daemon or filling its memory.

/** Limits of reading and expansion; each one throws `CONFIG_LIMIT` when exceeded. */
export const LIMITS = {
  /** Substitutions in one expansion. */
  steps: 20_000,
  /** Characters that one expansion may copy or search. */
  work: 1_000_000_000,
  /** Characters of one value. */
  valueLength: 4_194_304,
  /** Nested expansions of knobs through function macros. */
  depth: 32,
  /** Nested includes of files and templates. */
  includeDepth: 20,
  /** Nested `if` statements. */
  ifDepth: 63,
  /** Bytes of one source. */
  sourceBytes: 67_108_864,
  /** Sources read in one configuration. */
  sources: 10_000,
} as const;
