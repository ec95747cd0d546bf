// floor, ceiling, round, pow, quantize, random.
import type { ClassAdFunction, FunctionTable } from '../operate/context.ts';
import { truncated } from '../print/number-text.ts';
import { ERROR, integerValue, realValue } from '../language/value.ts';
import type { Value } from '../language/value.ts';
import { elements, taking } from './args.ts';
import { realOf } from './convert.ts';

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

/**
 * Two integers with an exponent of at least 0 give an integer, which the reference rounds
 * by adding one half and truncating.
 */
function pow([base = ERROR, exponent = ERROR]: readonly Value[]): Value {
  const a = realOf(base);
  const b = realOf(exponent);
  if (a === undefined || b === undefined) return ERROR;
  const whole = base.type === 'integer' && exponent.type === 'integer' && exponent.value >= 0n;
  return whole ? integerValue(truncated(a ** b + 0.5)) : realValue(a ** b);
}

/**
 * Returns the smallest multiple of the quantum, or the first element of a list, that is
 * not less than the value.
 */
const quantize = taking(2, 2, ([value = ERROR, quantum = ERROR], context, scope) => {
  const real = realOf(value);
  if (real === undefined) return ERROR;
  if (quantum.type !== 'list') return multiple(value, real, quantum);
  let last: Value | undefined;
  for (const element of elements(quantum, scope, context)) {
    const bound = realOf(element);
    if (bound === undefined) return ERROR;
    if (real <= bound) return element;
    last = element;
  }
  return last === undefined ? value : multiple(value, real, last);
});

function multiple(value: Value, real: number, quantum: Value): Value {
  const step = realOf(quantum);
  if (step === undefined) return ERROR;
  if (value.type === 'integer' && quantum.type === 'integer') {
    return step === 0 ? value : integerValue(truncated(Math.ceil(real / step) * step));
  }
  return realValue(step === 0 ? real : Math.ceil(real / step) * step);
}

const random = taking(0, 1, ([bound], context) => {
  const chance = context.world.random();
  if (Number.isNaN(chance)) return ERROR;
  if (bound === undefined) return realValue(chance);
  if (bound.type !== 'integer' && bound.type !== 'real') return ERROR;
  if (Number(bound.value) <= 0) return ERROR;
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
