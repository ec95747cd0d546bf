// Prints trees and values, in one line or indented.
import { textOf, type Value } from '../language/value.ts';
import type { AdExpr, Entry, Expr } from '../language/ast.ts';
import { longReal, shortReal } from '../language/number-text.ts';
import { absTimeText, relTimeText } from '../language/time-text.ts';

/**
 * `new`: `is`, `%.15E` reals, escapes. `old`: `=?=`, short reals, only quotes escaped.
 */
export type PrintStyle = 'new' | 'old';

/** Options of printing. */
export interface PrintOptions {
  /** Default `new`. */
  readonly style?: PrintStyle;
  /** True: lists and ads over several lines, like Python's `str()` of an ad. */
  readonly pretty?: boolean;
}

/** Prints an expression; parsing the text gives an equal expression. */
export function printExpression(expr: Expr, options: PrintOptions = {}): string {
  return textOf(expressionBytes(expr, options));
}

/** Prints a value. */
export function printValue(value: Value, options: PrintOptions = {}): string {
  return textOf(valueBytes(value, options));
}

/** {@link printExpression} as a byte string. */
export function expressionBytes(expr: Expr, options: PrintOptions = {}): string {
  return new Printer(options).expr(expr);
}

/** {@link printValue} as a byte string. */
export function valueBytes(value: Value, options: PrintOptions = {}): string {
  return new Printer(options).value(value);
}

/**
 * Returns the attributes in HTCondor's order: by length of the name, then by its bytes,
 * case-insensitively.
 */
function orderedEntries(ad: AdExpr): Entry[] {
  const keyed = [...ad.entries].map(([key, entry]) => ({ key, entry }));
  keyed.sort((a, b) => a.key.length - b.key.length || (a.key < b.key ? -1 : 1));
  return keyed.map(({ entry }) => entry);
}

const LIST_INDENT = 3;
const AD_INDENT = 4;

class Printer {
  readonly #style: PrintStyle;
  readonly #pretty: boolean;
  #indent = 0;

  constructor({ style = 'new', pretty = false }: PrintOptions) {
    this.#style = style;
    this.#pretty = pretty;
  }

  expr(expr: Expr): string {
    switch (expr.kind) {
      case 'literal':
        return this.value(expr.shown);
      case 'attribute':
        return this.#attribute(expr);
      case 'unary':
        return ` ${expr.operator}${this.expr(expr.operand)}`;
      case 'binary':
        return `${this.expr(expr.left)} ${this.#operator(expr.operator)} ${this.expr(expr.right)}`;
      case 'conditional':
        return this.#conditional(expr);
      case 'subscript':
        return `${this.expr(expr.base)}[${this.expr(expr.index)}]`;
      case 'call':
        return `${nameText(expr.name, this.#style)}(${expr.args.map((arg) => this.expr(arg)).join(',')})`;
      case 'list':
        return this.#list(expr.items);
      case 'ad':
        return this.#ad(expr);
      case 'paren':
        return `(${this.expr(expr.inner)})`;
    }
  }

  value(value: Value): string {
    switch (value.type) {
      case 'undefined':
      case 'error':
        return value.type;
      case 'boolean':
      case 'integer':
        return String(value.value);
      case 'real':
        return this.#style === 'old' ? shortReal(value.value) : longReal(value.value);
      case 'string':
        return stringText(value.value, this.#style);
      case 'list':
        return this.#list(value.items);
      case 'classad':
        return this.#ad(value.scope.ad);
      case 'abstime':
        return `absTime("${absTimeText(value)}")`;
      case 'reltime':
        return `relTime("${relTimeText(value)}")`;
    }
  }

  #operator(operator: string): string {
    if (this.#style === 'old') return operator;
    return operator === '=?=' ? 'is' : operator === '=!=' ? 'isnt' : operator;
  }

  /** The reference never quotes a name after a dot. */
  #attribute(expr: Expr & { kind: 'attribute' }): string {
    if (expr.base !== undefined) return `${this.expr(expr.base)}.${expr.name}`;
    return `${expr.absolute ? '.' : ''}${nameText(expr.name, this.#style)}`;
  }

  #conditional({ test, yes, no }: Expr & { kind: 'conditional' }): string {
    const middle = yes === undefined ? '?:' : `? ${this.expr(yes)} :`;
    return `${this.expr(test)} ${middle} ${this.expr(no)}`;
  }

  #list(items: readonly Expr[]): string {
    if (!this.#pretty) return `{ ${items.map((item) => this.expr(item)).join(',')} }`;
    return this.#block('{', '}', LIST_INDENT, items, ',', (item) => this.expr(item));
  }

  #ad(ad: AdExpr): string {
    const print = ({ name, expr }: Entry): string =>
      `${nameText(name, this.#style)} = ${this.expr(expr)}`;
    const entries = orderedEntries(ad);
    if (!this.#pretty) return `[ ${entries.map(print).join('; ')} ]`;
    return this.#block('[', ']', AD_INDENT, entries, '; ', print);
  }

  #block<T>(
    open: string,
    close: string,
    step: number,
    items: readonly T[],
    separator: string,
    print: (item: T) => string,
  ): string {
    this.#indent += step;
    const outer = `\n${' '.repeat(this.#indent)}`;
    this.#indent += step;
    const inner = `\n${' '.repeat(this.#indent)}`;
    const body = items.map((item) => inner + print(item)).join(separator);
    this.#indent -= 2 * step;
    return `${outer}${open}${body}${outer}${close}`;
  }
}

// Ads as `Name = value` lines.

/** The order of the lines. */
export interface LongOptions {
  /**
   * `length` (default) as in CredD's key files: by length of the name, then by name
   * without case; `name`: by the bytes of the name.
   */
  readonly order?: 'length' | 'name';
  /**
   * `daemon` (default): every name unchanged. `python`: like `printOld()`, with odd names
   * quoted and one empty line for an empty ad.
   */
  readonly like?: 'daemon' | 'python';
}

/**
 * Prints the ad as `Name = value` lines, each with a newline; only quotes in strings are
 * escaped, so a newline inside a string is written unchanged.
 */
export function printLong(ad: AdExpr, options: LongOptions = {}): string {
  const entries = orderedEntries(ad);
  if (options.order === 'name') {
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  const python = options.like === 'python';
  if (python && entries.length === 0) return '\n';
  const shown = (name: string): string => (python ? nameText(name, 'old') : name);
  const lines = entries.map(
    ({ name, expr }) => `${shown(name)} = ${expressionBytes(expr, { style: 'old' })}\n`,
  );
  return textOf(lines.join(''));
}

// Names and strings between quotes.

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;
const RESERVED = new Set(['error', 'false', 'is', 'isnt', 'parent', 'true', 'undefined']);
const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** Returns an attribute name, quoted if it is not an identifier or is a reserved word. */
function nameText(name: string, style: PrintStyle): string {
  return PLAIN.test(name) && !RESERVED.has(name.toLowerCase()) ? name : quoted(name, "'", style);
}

/** Returns a string literal. */
const stringText = (bytes: string, style: PrintStyle): string => quoted(bytes, '"', style);

/** All escapes in the new style, only that of the quote in the old one. */
const quoted = (bytes: string, quote: string, style: PrintStyle): string =>
  style === 'old'
    ? quote + bytes.replaceAll(quote, `\\${quote}`) + quote
    : quote + escaped(bytes, quote) + quote;

function escaped(bytes: string, quote: string): string {
  return bytes.replace(/[^ -~]|["'\\]/g, (char) => {
    if (char === '"' || char === "'") return char === quote ? `\\${char}` : char;
    return ESCAPES[char] ?? `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
}
