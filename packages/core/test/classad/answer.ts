// The ad in which the differences from HTCondor 25.14 were measured, and the answer to an
// expression in it.
import { isCoded } from '../../src/base/errors/errors.ts';
import {
  evaluate,
  parseAd,
  parseExpression,
  printValue,
  type ParseOptions,
  type UserMap,
} from '../../src/classad/index.ts';

const my =
  parseAd(`[ Cpus = 6; Name = "node-17"; Missing = undefined; Broken = error; Slots = { 4, 8, 12 };
  Tags = { "gpu", "ssd" }; Prio = 55; Rank3 = Prio > 40; When = absTime("2026-03-04T10:20:30+02:00");
  Nest = [ Inner = 9; Own = MY.Inner ]; Jobs = { [ Prio = 70 ], [ Prio = 10 ], [ Prio = 41 ] } ]`);

/** What an evaluation may need in addition. */
export interface AnswerOptions extends ParseOptions {
  readonly userMap?: UserMap;
}

/** Returns the printed value, or the code of the error. */
export function answer(text: string, { userMap, ...options }: AnswerOptions = {}): string {
  try {
    const expression = parseExpression(text, options);
    const world = { my, now: 1_700_000_000, random: () => 0.25 };
    return printValue(evaluate(expression, userMap === undefined ? world : { ...world, userMap }));
  } catch (error) {
    if (isCoded(error)) return error.code;
    throw error;
  }
}
