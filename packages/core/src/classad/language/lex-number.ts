// Number literals: digits, leading zeros, hexadecimal, fraction and exponent.
import { ERROR, integerValue, realValue } from './value.ts';
import type { Value } from './value.ts';

/** A number literal that was read, or what is wrong with it. */
export interface NumberRead {
  readonly value: Value;
  readonly end: number;
  readonly problem?: string;
}

const HEXADECIMAL = /-?0[xX]([0-9a-fA-F]*)/y;
const DECIMAL = /-?(\d*)(\.\d*)?([eE][-+]?\d*)?/y;
const GREATEST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);

/**
 * Reads the number at `at`; the caller has seen that a digit, `.digit` or a minus
 * directly before one of them is there.
 * @param leadingZeros whether `010` (ten) and `0x1F` (zero, as the reference has it) are
 * accepted
 */
export function readNumber(source: string, at: number, leadingZeros: boolean): NumberRead {
  HEXADECIMAL.lastIndex = at;
  const hexadecimal = HEXADECIMAL.exec(source);
  if (hexadecimal !== null) {
    const problem = hexadecimal[1] === '' || !leadingZeros ? 'a hexadecimal number' : undefined;
    return finish(integerValue(0n), HEXADECIMAL.lastIndex, problem);
  }
  DECIMAL.lastIndex = at;
  const found = DECIMAL.exec(source);
  const [text = '', whole = '', fraction, exponent] = found ?? [];
  const end = at + text.length;
  if (fraction === '.') return finish(ERROR, end, 'a digit is missing after the decimal point');
  if (exponent !== undefined && !/\d/.test(exponent))
    return finish(ERROR, end, 'an exponent without digits');
  if (fraction !== undefined || exponent !== undefined) return finish(realValue(Number(text)), end);
  const zeros = whole.length > 1 && whole.startsWith('0');
  const problem =
    zeros && (!leadingZeros || /[89]/.test(whole)) ? 'a number with a leading zero' : undefined;
  return finish(integerInRange(text), end, problem);
}

function integerInRange(text: string): Value {
  const value = BigInt(text);
  return integerValue(value > GREATEST || value < LEAST ? 0n : value);
}

const finish = (value: Value, end: number, problem?: string): NumberRead =>
  problem === undefined ? { value, end } : { value, end, problem };
