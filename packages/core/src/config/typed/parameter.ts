// A knob as returned by HTCondor's Python module: with the type of its built-in default,
// or text.
import defaults from '../table/defaults.json' with { type: 'json' };
import type { Config } from '../table/config.ts';
import { evaluateExpression } from '../macros/expressions.ts';
import type { EvaluateExpression } from '../macros/evaluate.ts';
import { parseBoolean, parseInteger, parseReal } from '../macros/values.ts';

/** A knob's value by type; `undefined` when it is not set or empty. */
export type Parameter =
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'integer' | 'real'; readonly value: number }
  | { readonly type: 'string'; readonly value: string };

/** Knobs with another type than their default. */
const TYPES = new Map<string, Parameter['type']>([
  ['shared_port_port', 'integer'],
  ['priority_halflife', 'real'],
]);

const standard = new Map(
  Object.entries(defaults).map(([name, value]) => [name.toLowerCase(), value]),
);
const LARGEST = 2_147_483_647;

/**
 * Returns a knob with the type of its built-in default. An invalid value gives the
 * default; integers are limited to 32 bits, reals to finite numbers. Knobs without a default are strings, without
 * evaluation of expressions.
 */
export function parameter(
  config: Config,
  name: string,
  evaluate: EvaluateExpression = evaluateExpression,
): Parameter | undefined {
  const text = config.get(name);
  const base = standard.get(name.toLowerCase());
  const type = base === undefined ? 'string' : (TYPES.get(name.toLowerCase()) ?? typeOf(base));
  const fallback = base === undefined || type === 'string' ? '' : config.expand(base);
  switch (type) {
    case 'boolean':
      return {
        type,
        value: parseBoolean(text ?? fallback, evaluate) ?? fallback.toLowerCase() === 'true',
      };
    case 'integer': {
      const value = Number(parseInteger(text ?? fallback, evaluate) ?? fallback);
      return { type, value: Math.max(-LARGEST - 1, Math.min(LARGEST, value)) };
    }
    case 'real':
      return { type, value: finite(parseReal(text ?? fallback, evaluate) ?? Number(fallback)) };
    case 'string':
      return text === undefined ? undefined : { type, value: text };
  }
}

/** The largest number stands for infinity. */
function finite(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}

function typeOf(standardText: string): Parameter['type'] {
  if (/^(?:true|false)$/i.test(standardText)) return 'boolean';
  if (/^-?\d+$/.test(standardText)) return 'integer';
  return /^-?\d*\.\d+$/.test(standardText) ? 'real' : 'string';
}
