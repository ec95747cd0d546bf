// The conditions of `if` and `elif`: a number, a boolean word, a version test or a
// `defined` test, optionally after one `!`.
import { trim, trimEnd } from './text.ts';

/** The environment of a condition. */
export interface ConditionContext {
  expand(text: string): string;
  /** True if the knob has a non-empty value or default. */
  isDefined(name: string): boolean;
  /** True if this template exists; without a name, if the category exists. */
  hasTemplate(category: string, name: string | undefined): boolean;
  /** The version for `version` tests, as three numbers. */
  readonly version: readonly [number, number, number];
}

/** The result, or why the text is not a condition. */
export type ConditionResult = { readonly value: boolean } | { readonly refused: string };

const COMPLEX = { refused: 'complex conditionals are not supported' } as const;
const NOT_CONDITIONAL = { refused: 'expression is not a conditional' } as const;

/**
 * Evaluates a condition. Its macros are expanded first; a condition that becomes empty is
 * false.
 */
export function evaluateCondition(text: string, context: ConditionContext): ConditionResult {
  const expanded = text.includes('$') ? trimEnd(context.expand(text)) : trim(text);
  if (expanded === '' && text.includes('$')) return { value: false };
  const negated = trim(expanded).startsWith('!');
  const test = negated ? trim(trim(expanded).slice(1)) : trim(expanded);
  const result =
    test === '' && negated && text.includes('$') ? { value: false } : decide(test, context);
  return negated && 'value' in result ? { value: !result.value } : result;
}

function decide(test: string, context: ConditionContext): ConditionResult {
  if (test === '') return NOT_CONDITIONAL;
  if (/^-?[\d.]+(?:e[-+]?\d*)?$/i.test(test))
    return { value: (Number.parseFloat(test) || 0) !== 0 };
  if (/^(?:true|yes|t)$/i.test(test)) return { value: true };
  if (/^(?:false|no|f)$/i.test(test)) return { value: false };
  if (/^version(?:[ \t<>=!]|$)/i.test(test)) return decideVersion(test, context.version);
  if (/^defined(?:\s|$)/i.test(test)) return decideDefined(trim(test.slice(7)), context);
  return /^[\w./]+$/.test(test) ? NOT_CONDITIONAL : COMPLEX;
}

function decideVersion(test: string, own: readonly [number, number, number]): ConditionResult {
  const invalid = { refused: 'the version literal is invalid' };
  if (/^version$/i.test(test)) return invalid;
  const match = /^version\s*(==?|!=|<=?|>=?)\s*v?(\d.*)$/i.exec(test);
  if (!match || !/\s/.test(test)) return COMPLEX;
  const parts = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(match[2] ?? '');
  if (!parts || Number(parts[1]) < 6) return invalid;
  const order =
    own[0] - Number(parts[1]) ||
    own[1] - Number(parts[2]) ||
    (parts[3] === undefined ? 0 : own[2] - Number(parts[3]));
  return { value: compare(order, match[1] ?? '') };
}

function compare(order: number, operator: string): boolean {
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '!=':
      return order !== 0;
    default:
      return order === 0;
  }
}

function decideDefined(argument: string, context: ConditionContext): ConditionResult {
  if (argument === '') return { value: false };
  const use = /^use\s+(.*)$/i.exec(argument);
  if (use) return decideTemplate(trim(use[1] ?? ''), context);
  if (/[^\w./ \t]/.test(argument)) return COMPLEX;
  if (/\s/.test(argument))
    return { refused: 'defined argument must be param name, boolean, or number' };
  if (/^(?:true|false|yes|no|t|f)$/i.test(argument) || /^[\d.]+(?:e\d*)?$/i.test(argument))
    return { value: true };
  return { value: context.isDefined(argument) };
}

function decideTemplate(argument: string, context: ConditionContext): ConditionResult {
  if (/\s/.test(argument)) {
    return { refused: 'defined use meta argument with internal spaces will never match' };
  }
  const [category = '', name] = argument.split(':', 2);
  return { value: context.hasTemplate(category, name === '' ? undefined : name) };
}
