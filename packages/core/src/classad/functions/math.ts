// floor, ceiling, round, pow, quantize, random.
import {
  failEvaluation,
  type ClassAdFunction,
  type Context,
  type FunctionTable,
} from '../operate/context.ts';
import { truncated } from '../print/number-text.ts';
import { ERROR, integerValue, realValue } from '../language/value.ts';
import type { Value } from '../language/value.ts';
import { elements, taking } from './args.ts';
import { realOf } from './convert.ts';
import { power } from './power.ts';

const rounding = (round: (value: number) => number): ClassAdFunction =>
  taking(1, 1, ([value = ERROR]) => {
    if (value.type === 'integer') return value;
    const real = realOf(value);
    return real === undefined ? ERROR : integerValue(truncated(round(real)));
  });

/** Rounds to the nearest integer, halves to the even one. */
function nearestEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** A power takes about as long as so many other steps. */
const POWER_STEPS = 20;

/**
 * Two integers with an exponent of at least 0 give an integer, which the reference rounds
 * by adding one half and truncating.
 */
function pow([base = ERROR, exponent = ERROR]: readonly Value[], context: Context): Value {
  context.spend(POWER_STEPS);
  const a = realOf(base);
  const b = realOf(exponent);
  if (a === undefined || b === undefined) return ERROR;
  const whole = base.type === 'integer' && exponent.type === 'integer' && exponent.value >= 0n;
  return whole ? integerValue(truncated(power(a, b) + 0.5)) : realValue(power(a, b));
}

/**
 * Returns the smallest multiple of the quantum, or the first element of a list, that is
 * not less than the value. Of a list that has none the last element is the quantum.
 */
const quantize = taking(2, 2, ([value = ERROR, quantum = ERROR], context, scope) => {
  const real = realOf(value);
  if (real === undefined) return ERROR;
  if (quantum.type !== 'list') return multiple(value, real, quantum);
  let last: Value = realValue(0);
  for (const element of elements(quantum, scope, context)) {
    const bound = realOf(element);
    if (bound === undefined) return ERROR;
    if (real <= bound) return element;
    last = element;
  }
  return multiple(value, real, last);
});

/** Smaller quanta count as zero, which leaves the value as it is. */
const LEAST_QUANTUM = 1e-8;

function multiple(value: Value, real: number, quantum: Value): Value {
  const step = realOf(quantum);
  if (step === undefined) return ERROR;
  if (Math.abs(step) <= LEAST_QUANTUM) return value;
  if (value.type !== 'integer' || quantum.type !== 'integer')
    return realValue(Math.ceil(real / step) * step);
  const sum = BigInt.asIntN(64, value.value + quantum.value - 1n);
  return integerValue((sum / quantum.value) * quantum.value);
}

const random = taking(0, 1, ([bound], context) => {
  const chance = context.world.random();
  if (bound === undefined) return Number.isNaN(chance) ? ERROR : realValue(chance);
  if (bound.type !== 'integer' && bound.type !== 'real') return ERROR;
  if (Number(bound.value) <= 0) failEvaluation();
  if (Number.isNaN(chance)) return ERROR;
  const value = chance * Number(bound.value);
  return bound.type === 'integer' ? integerValue(Math.floor(value)) : realValue(value);
});

export const MATH_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['floor', rounding(Math.floor)],
  ['ceil', rounding(Math.ceil)],
  ['ceiling', rounding(Math.ceil)],
  ['round', rounding(nearestEven)],
  ['pow', taking(2, 2, pow)],
  ['quantize', quantize],
  ['random', random],
]);
