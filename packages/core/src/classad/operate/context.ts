// The state of an evaluation: the caller's parameters, the function table and the work so
// far.
import type { AdExpr, CallExpr, Expr } from '../language/ast.ts';
import { limitError, type Limits } from '../../regexp/limits.ts';
import type { Budget } from '../../regexp/match.ts';
import type { Semantics } from '../language/parse.ts';
import type { Scope, Value } from '../language/value.ts';

/** A function: takes its unevaluated arguments and the scope of the call. */
export type ClassAdFunction = (call: CallExpr, scope: Scope, context: Context) => Value;

/** Functions by lower-case name. */
export type FunctionTable = ReadonlyMap<string, ClassAdFunction>;

/**
 * The implementation of `userMap()` in bytes: maps `input` in the map `map`; undefined if
 * nothing matches. `budget` limits regular expressions.
 */
export type UserMap = (map: string, input: string, budget: Budget) => string | undefined;

/** The environment of an evaluation. */
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

/**
 * Thrown where the reference's evaluation fails, which is more than the value ERROR: no
 * operator or function around it sees a value. Never leaves `evaluate`.
 */
class FailedEvaluation extends Error {
  override readonly name = 'FailedEvaluation';
}

/** @throws FailedEvaluation */
export function failEvaluation(): never {
  throw new FailedEvaluation('the evaluation fails');
}

/** One evaluation in progress. */
export class Context {
  readonly world: World;
  readonly semantics: Semantics;
  /** The scopes of the ads in a match. */
  readonly places: ReadonlyMap<AdExpr, Scope>;
  readonly functions: FunctionTable;
  readonly limits: Limits;
  readonly run: (expr: Expr, scope: Scope, context: Context) => Value;
  /** Attributes being evaluated; a repeated one is circular. */
  readonly active: Expr[] = [];
  /** The remaining steps for regular expressions. */
  readonly matching: Budget;
  #steps = 0;
  #depth = 0;

  constructor(
    world: World,
    semantics: Semantics,
    places: ReadonlyMap<AdExpr, Scope>,
    functions: FunctionTable,
    limits: Limits,
    run: (expr: Expr, scope: Scope, context: Context) => Value,
  ) {
    this.world = world;
    this.semantics = semantics;
    this.places = places;
    this.functions = functions;
    this.limits = limits;
    this.matching = { left: limits.matchSteps, limits };
    this.run = run;
  }

  /**
   * Counts the start of an evaluation.
   * @throws CLASSAD_LIMIT
   */
  enter(): void {
    this.#steps += 1;
    this.#depth += 1;
    if (this.#steps > this.limits.steps) throw limitError('steps', this.limits);
    if (this.#depth > this.limits.evaluationDepth) throw limitError('evaluationDepth', this.limits);
  }

  /** Counts its end. */
  leave(): void {
    this.#depth -= 1;
  }

  /** Evaluates an expression; undefined if the evaluation fails. */
  attempt(expr: Expr, scope: Scope): Value | undefined {
    const depth = this.#depth;
    const active = this.active.length;
    try {
      return this.run(expr, scope, this);
    } catch (error) {
      if (!(error instanceof FailedEvaluation)) throw error;
      this.#depth = depth;
      this.active.length = active;
      return undefined;
    }
  }

  /**
   * Counts `steps` more, for functions whose work grows with their input.
   * @throws CLASSAD_LIMIT
   */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.limits.steps) throw limitError('steps', this.limits);
  }

  /**
   * Returns `text` if it is not too long.
   * @throws CLASSAD_LIMIT
   */
  bounded(text: string): string {
    if (text.length > this.limits.textLength) throw limitError('textLength', this.limits);
    return text;
  }
}
