// Our answer to a random expression, in the form in which others give theirs.
import { isCoded } from '@credmon/core/base';
import {
  evaluate,
  parseAd,
  parseExpression,
  printExpression,
  printValue,
} from '@credmon/core/classad';
import type { Answer } from './allowed-differences.ts';
import type { RandomExpression } from './random-expressions.ts';

/**
 * Returns the printed expression and its value; undefined if it does not parse.
 * @throws CLASSAD_LIMIT
 */
export function ourAnswer({ ad, target, expression }: RandomExpression): Answer {
  try {
    const tree = parseExpression(expression);
    const my = parseAd(ad);
    const ads = target === undefined ? { my } : { my, target: parseAd(target) };
    const value = evaluate(tree, { ...ads, now: 0 });
    return { printed: printExpression(tree), value: printValue(value) };
  } catch (error) {
    if (isCoded(error, 'CLASSAD_SYNTAX')) return undefined;
    throw error;
  }
}
