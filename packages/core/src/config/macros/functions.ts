// The function macros: `$ENV`, `$INT`, `$CHOICE`... each takes the text between its
// parentheses and returns what replaces it.
import { problem, splitFirst, valueOf } from './argument.ts';
import { choose, randomChoice, randomInteger } from './choice.ts';
import type { ExpressionValue } from './evaluate.ts';
import type { Expansion } from './expansion.ts';
import { baseName, filePart } from './file-part.ts';
import { formatOne } from './printf.ts';
import { splitDefault } from './scan.ts';
import { decodeText, encodeText, trim } from './text.ts';
import { parseInteger, parseReal } from './values.ts';

type MacroFunction = (body: string, expansion: Expansion) => string;

const FUNCTIONS: Readonly<Record<string, MacroFunction>> = {
  ENV: environment,
  INT: integer,
  REAL: real,
  STRING: string,
  EVAL: evaluated,
  CHOICE: choose,
  RANDOM_CHOICE: randomChoice,
  RANDOM_INTEGER: randomInteger,
  SUBSTR: substring,
  BASENAME: (body, expansion) => {
    const [name, suffix] = splitFirst(body);
    return baseName(valueOf(name, expansion), trim(suffix ?? ''));
  },
  DIRNAME: (body, expansion) => filePart(valueOf(body, expansion), 'p'),
};

/** The text that `$name(body)` stands for. `name` is one that the scanner accepts. */
export function callFunction(name: string, body: string, expansion: Expansion): string {
  const call = FUNCTIONS[name];
  return call ? call(body, expansion) : filePart(valueOf(body, expansion), name.slice(1));
}

function environment(body: string, expansion: Expansion): string {
  const { name, fallback } = splitDefault(body);
  return expansion.context.environment(name) ?? fallback ?? 'UNDEFINED';
}

function integer(body: string, expansion: Expansion): string {
  const [argument, format] = splitFirst(body);
  const text = valueOf(trim(argument), expansion);
  const value = parseInteger(text, expansion.context.evaluate);
  if (value === undefined)
    return problem(expansion, `$INT() macro: ${text} does not evaluate to an integer!`, '');
  if (format === undefined) return value.toString();
  return formatOne(format, 'diouxX', value) ?? badFormat(expansion, '$INT()', format);
}

function real(body: string, expansion: Expansion): string {
  const [argument, format] = splitFirst(body);
  const text = valueOf(trim(argument), expansion);
  const value = parseReal(text, expansion.context.evaluate);
  if (value === undefined)
    return problem(expansion, `$REAL() macro: ${text} does not evaluate to a real!`, '');
  if (format === undefined) return formatOne('%.16G', 'G', value) ?? '';
  const printed = formatOne(format, 'eEfFgGaA', value);
  if (printed === undefined) return badFormat(expansion, '$REAL()', format);
  return printed.includes('.') || /[a-z]/i.test(printed.replace(/e[-+]\d/i, ''))
    ? printed
    : `${printed}.0`;
}

function string(body: string, expansion: Expansion): string {
  const [argument, format] = splitFirst(body);
  const text = valueOf(trim(argument), expansion);
  const value = expansion.context.evaluate(text);
  const plain = value?.kind === 'string' ? value.value : text;
  if (format === undefined) return plain;
  return formatOne(format, 's', plain) ?? badFormat(expansion, '$STRING', format);
}

function evaluated(body: string, expansion: Expansion): string {
  const text = valueOf(body, expansion);
  if (text.startsWith('$')) return text;
  return printed(expansion.context.evaluate(text));
}

function printed(value: ExpressionValue | undefined): string {
  switch (value?.kind) {
    case undefined:
      return '';
    case 'string':
      return value.value;
    case 'other':
      return value.text;
    case 'real':
      return realText(value.value);
    case 'boolean':
    case 'integer':
      return String(value.value);
    case 'undefined':
    case 'error':
      return value.kind;
  }
}

/** A real in ClassAd syntax. */
function realText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  return formatOne('%.15E', 'E', value) ?? '';
}

function substring(body: string, expansion: Expansion): string {
  const [name = '', start, length] = body.split(',', 3);
  if (start === undefined) return problem(expansion, '$SUBSTR() macro: no length specified!', '');
  const raw = expansion.context.lookup(name);
  if (raw === undefined) return '';
  const bytes = encodeText(expansion.nested(raw));
  const first = wholeNumber(start, expansion);
  const from = first < 0 ? Math.max(0, bytes.length + first) : Math.min(first, bytes.length);
  const count = length === undefined ? bytes.length : wholeNumber(length, expansion);
  const to = count < 0 ? bytes.length + count : Math.min(bytes.length, from + count);
  return to <= from ? '' : decodeText(bytes.subarray(from, to));
}

/**
 * The digits that an argument, or the knob it names, begins with; 0 when there are none.
 */
function wholeNumber(argument: string, expansion: Expansion): number {
  return Number(/^\s*([-+]?\d+)/.exec(valueOf(trim(argument), expansion))?.[1] ?? 0);
}

function badFormat(expansion: Expansion, macro: string, format: string): string {
  return problem(expansion, `${macro} macro: '${format}' is not a valid format specifier!`, format);
}
