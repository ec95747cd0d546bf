// Expressions in the configuration: the interface of a ClassAd evaluator, how a value is
// read as one, and the conditions of `if` and `elif`: a number, a boolean word, a version
// test or a `defined` test, optionally after one `!`.
import { isCoded } from '../../base/errors/errors.ts';
import { systemClock } from '../../base/time/clock.ts';
import { evaluate } from '../../classad/evaluate/evaluate.ts';
import type { Expr } from '../../classad/language/ast.ts';
import { textOf, type Value } from '../../classad/language/value.ts';
import { type ParseOptions, parseExpression } from '../../classad/language/parse.ts';
import { printValue } from '../../classad/print/print.ts';
import { isBlank, trim, trimEnd } from './text.ts';

/**
 * Knobs follow the rules of `Name = value` lines: a backslash is an ordinary character,
 * except before a quote.
 */
const OPTIONS: ParseOptions = { lexer: 'old', semantics: 'old', textAfterConditional: true };

/** Returns an evaluator in an empty ad; `now` returns epoch seconds for `time()`. */
export function expressionEvaluator(now: () => number): EvaluateExpression {
  return (text) => {
    const expr = parse(text);
    return expr === undefined ? undefined : valueOf(expr, now());
  };
}

/** The default evaluator of the configuration, an {@link EvaluateExpression}. */
export function evaluateExpression(text: string): ExpressionValue | undefined {
  return expressionEvaluator(() => systemClock.now())(text);
}

function parse(text: string): Expr | undefined {
  try {
    return parseExpression(text, OPTIONS);
  } catch (error) {
    if (isCoded(error, 'CLASSAD_SYNTAX') || isCoded(error, 'CLASSAD_LIMIT')) return undefined;
    throw error;
  }
}

function valueOf(expr: Expr, now: number): ExpressionValue {
  try {
    return convert(evaluate(expr, { now }));
  } catch (error) {
    if (isCoded(error, 'CLASSAD_LIMIT')) return { kind: 'error' };
    throw error;
  }
}

function convert(value: Value): ExpressionValue {
  switch (value.type) {
    case 'undefined':
    case 'error':
      return { kind: value.type };
    case 'boolean':
      return { kind: 'boolean', value: value.value };
    case 'integer':
      return { kind: 'integer', value: value.value };
    case 'real':
      return { kind: 'real', value: value.value };
    case 'string':
      return { kind: 'string', value: textOf(value.value) };
    default:
      return { kind: 'other', text: printValue(value) };
  }
}

/**
 * The value of an expression. `other` is a list, an ad or a time, printed in ClassAd
 * syntax.
 */
export type ExpressionValue =
  | { readonly kind: 'undefined' | 'error' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'real'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'other'; readonly text: string };

/**
 * Evaluates an expression in an empty ad; `undefined` for an invalid one. Text after a
 * conditional `? :` that is not in parentheses is ignored, like HTCondor does.
 */
export type EvaluateExpression = (text: string) => ExpressionValue | undefined;

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
const INVALID_VERSION = { refused: 'the version literal is invalid' } as const;

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

/** What kinds of characters a text has; blanks at its ends do not count. */
type Kind = 'blank' | 'digit' | 'letter' | 'name' | 'comparison' | 'colon' | 'real' | 'other';

/**
 * Returns the kinds of the characters of a text, after one sign. A point or an `e` is
 * part of a real number by what is before or after it, so `1.2.3` and `2e1.5` are
 * numbers, but `.` and `9.0.x` are not.
 */
function kindsOf(text: string): ReadonlySet<Kind> {
  const kinds = new Set<Kind>();
  const onlyDigits = (): boolean => kinds.has('digit') && kinds.size === 1;
  const numeric = (): boolean => kinds.has('digit') && [...kinds].every(isNumeric);
  const digits = text.replace(/^-/, '');
  for (const [at, character] of digits.split('').entries()) {
    const next = digits[at + 1] ?? '';
    if (/\d/.test(character)) kinds.add('digit');
    else if (character === '.')
      kinds.add(onlyDigits() || next === '' || /\d/.test(next) ? 'real' : 'name');
    else if (/e/i.test(character)) kinds.add(numeric() ? 'real' : 'letter');
    else if (/[-+]/.test(character)) {
      if (!numeric() || onlyDigits()) kinds.add('other');
    } else if (/[a-z]/i.test(character)) kinds.add('letter');
    else if (/[_/]/.test(character)) kinds.add('name');
    else if (/[<=>]/.test(character) || (character === '!' && next === '='))
      kinds.add('comparison');
    else if (isBlank(character)) kinds.add('blank');
    else kinds.add(character === ':' ? 'colon' : 'other');
  }
  return kinds;
}

function isNumeric(kind: Kind): boolean {
  return kind === 'digit' || kind === 'real';
}

type Form = 'empty' | 'number' | 'name' | 'version' | 'defined' | 'complex';

/** The kinds that a form may have; each has the first ones. */
const FORMS: readonly (readonly [Form, readonly Kind[], readonly Kind[]])[] = [
  ['number', ['digit'], ['real']],
  ['name', ['letter'], ['digit', 'name', 'real']],
  ['version', ['letter', 'blank', 'comparison', 'digit'], ['real']],
  ['defined', ['letter', 'blank'], ['digit', 'name', 'real']],
  ['defined', ['letter', 'blank', 'colon'], ['name']],
];

function formOf(text: string): Form {
  const kinds = kindsOf(text);
  if (kinds.size === 0) return 'empty';
  // A point that is part of a number needs its digit.
  if (kinds.has('real') && !kinds.has('digit')) return 'complex';
  const found = FORMS.find(
    ([, needed, allowed]) =>
      needed.every((kind) => kinds.has(kind)) &&
      [...kinds].every((kind) => needed.includes(kind) || allowed.includes(kind)),
  );
  return found?.[0] ?? 'complex';
}

function decide(test: string, context: ConditionContext): ConditionResult {
  const form = formOf(test);
  if (form === 'number') return { value: (Number.parseFloat(test) || 0) !== 0 };
  const word = booleanWord(test);
  if (word !== undefined) return { value: word };
  if (/^version$/i.test(test)) return INVALID_VERSION;
  if (form === 'version' && /^version(?![a-z\d])/i.test(test))
    return decideVersion(test.slice(7), context.version);
  if (/^defined$/i.test(test)) return { value: false };
  if (form === 'defined' && /^defined(?![a-z\d])/i.test(test))
    return decideDefined(trim(test.slice(7)), context);
  return form === 'empty' || form === 'name' ? NOT_CONDITIONAL : COMPLEX;
}

function booleanWord(text: string): boolean | undefined {
  if (/^(?:true|yes|t)$/i.test(text)) return true;
  return /^(?:false|no|f)$/i.test(text) ? false : undefined;
}

/** Text after the version is ignored; without an operator, the versions must be equal. */
function decideVersion(test: string, own: readonly [number, number, number]): ConditionResult {
  const match = /^\s*(!=|==?|[<>]=?|)\s*v?(\d+)\.(\d+)(?:\.(\d+))?/i.exec(test);
  if (!match || Number(match[2]) < 6) return INVALID_VERSION;
  const [, operator = '', major, minor, micro = own[2]] = match;
  const order = own[0] - Number(major) || own[1] - Number(minor) || own[2] - Number(micro);
  return { value: compare(order, operator) };
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
  const form = formOf(argument);
  if (form === 'number' || booleanWord(argument) !== undefined) return { value: true };
  if (form === 'name') return { value: context.isDefined(argument) };
  if (/^use /i.test(argument)) return decideTemplate(trim(argument.slice(4)), context);
  return { refused: 'defined argument must be param name, boolean, or number' };
}

function decideTemplate(argument: string, context: ConditionContext): ConditionResult {
  if (/\s/.test(argument)) {
    return { refused: 'defined use meta argument with internal spaces will never match' };
  }
  const [category = '', name] = argument.split(':', 2);
  return { value: context.hasTemplate(category, name === '' ? undefined : name) };
}
