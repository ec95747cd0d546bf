// What an evaluation carries along: the caller's parameters, the function table and the
// work done so far.
import type { CallExpr, Expr } from '../language/ast.ts';
import { limitError } from '../../regexp/limits.ts';
import type { Limits } from '../../regexp/limits.ts';
import type { Budget } from '../../regexp/match.ts';
import type { Semantics } from '../language/parse.ts';
import type { Scope, Value } from '../language/value.ts';

/** A function: gets its unevaluated arguments and where the call stands. */
export type ClassAdFunction = (call: CallExpr, scope: Scope, context: Context) => Value;

/** Functions by lower-case name. */
export type FunctionTable = ReadonlyMap<string, ClassAdFunction>;

/**
 * Answers `userMap()` in bytes: what `input` maps to in the map `map`; undefined when
 * nothing does. `budget` bounds regular expressions.
 */
export type UserMap = (map: string, input: string, budget: Budget) => string | undefined;

/** What the world outside contributes to an evaluation. */
export interface World {
  /** Epoch seconds. */
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Offset of local time from UTC at `epoch` seconds, in seconds. */
  readonly utcOffset: (epoch: number) => number;
  readonly userMap: UserMap | undefined;
  readonly userHome: ((name: string) => string | undefined) | undefined;
}

/** One evaluation under way. */
export class Context {
  readonly world: World;
  readonly semantics: Semantics;
  readonly functions: FunctionTable;
  readonly limits: Limits;
  readonly run: (expr: Expr, scope: Scope, context: Context) => Value;
  /** Attributes whose evaluation is under way; one that is met again is circular. */
  readonly active: Expr[] = [];
  /** The steps that regular expressions may still take. */
  readonly matching: Budget;
  #steps = 0;
  #depth = 0;

  constructor(
    world: World,
    semantics: Semantics,
    functions: FunctionTable,
    limits: Limits,
    run: (expr: Expr, scope: Scope, context: Context) => Value,
  ) {
    this.world = world;
    this.semantics = semantics;
    this.functions = functions;
    this.limits = limits;
    this.matching = { left: limits.matchSteps, limits };
    this.run = run;
  }

  /** Counts one evaluation that begins. @throws CLASSAD_LIMIT */
  enter(): void {
    this.#steps += 1;
    this.#depth += 1;
    if (this.#steps > this.limits.steps) throw limitError('steps', this.limits);
    if (this.#depth > this.limits.evaluationDepth) throw limitError('evaluationDepth', this.limits);
  }

  /** Counts it as ended. */
  leave(): void {
    this.#depth -= 1;
  }

  /**
   * Counts `steps` more, for functions whose work grows with their input.
   * @throws CLASSAD_LIMIT
   */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.limits.steps) throw limitError('steps', this.limits);
  }

  /** `text`, if it is not longer than allowed. @throws CLASSAD_LIMIT */
  bounded(text: string): string {
    if (text.length > this.limits.textLength) throw limitError('textLength', this.limits);
    return text;
  }
}
