// The `use CATEGORY : NAME(arguments)` statement: known templates, and their text with
// arguments inserted.
import { nearest } from '../../base/values/distance.ts';
import { isBlank, trim } from '../macros/text.ts';

/**
 * Templates by category and name. A text of `null` is a template of HTCondor that this
 * table does not contain.
 */
export type TemplateTable = Readonly<
  Record<string, Readonly<Record<string, readonly string[] | null>>>
>;

/** One `NAME(arguments)` of a use statement. */
export interface TemplateUse {
  readonly name: string;
  readonly arguments: string | undefined;
}

/** Finds templates, case-insensitively. */
export interface Templates {
  hasCategory(category: string): boolean;
  /**
   * Returns the spelling of the table and the lines, `null` for a template without a
   * text; `undefined` for an unknown template.
   */
  find(
    category: string,
    name: string,
  ): { readonly label: string; readonly lines: readonly string[] | null } | undefined;
  /** Returns `CATEGORY:NAME` of every template with a text. */
  labels(): readonly string[];
  /**
   * Returns the nearest known `CATEGORY:NAME` for an unknown name, or the nearest
   * category for an unknown one.
   */
  meant(category: string, name: string): string | undefined;
}

/** Indexes a table of templates. */
export function indexTemplates(table: TemplateTable): Templates {
  const index = new Map<
    string,
    { readonly label: string; readonly lines: readonly string[] | null }
  >();
  for (const [category, templates] of Object.entries(table)) {
    for (const [name, lines] of Object.entries(templates)) {
      index.set(`${category}:${name}`.toLowerCase(), { label: `${category}:${name}`, lines });
    }
  }
  const categories = new Set(Object.keys(table).map((category) => category.toLowerCase()));
  return {
    hasCategory: (category) => categories.has(category.toLowerCase()),
    find: (category, name) => index.get(`${category}:${name}`.toLowerCase()),
    labels: () =>
      [...index.values()].filter(({ lines }) => lines !== null).map(({ label }) => label),
    meant: (category, name) => {
      const known = Object.keys(table).find((one) => one.toLowerCase() === category.toLowerCase());
      const elsewhere = [...index.values()].find(({ label }) =>
        label.toLowerCase().endsWith(`:${name.toLowerCase()}`),
      );
      if (elsewhere || known === undefined)
        return elsewhere?.label ?? nearest(category, Object.keys(table));
      const near = nearest(name, Object.keys(table[known] ?? {}));
      return near === undefined ? undefined : `${known}:${near}`;
    },
  };
}

/**
 * Splits `A, B(x, (y)) C` into its items; commas and blanks inside parentheses do not
 * separate.
 */
export function parseUses(items: string): TemplateUse[] {
  const uses: TemplateUse[] = [];
  let at = 0;
  while (at < items.length) {
    if (isBlank(items[at]) || items[at] === ',') {
      at += 1;
      continue;
    }
    const start = at;
    while (at < items.length && !isBlank(items[at]) && items[at] !== ',' && items[at] !== '(')
      at += 1;
    const name = items.slice(start, at);
    const close = items[at] === '(' ? closingParenthesis(items, at) : -1;
    uses.push({ name, arguments: close < 0 ? undefined : items.slice(at + 1, close) });
    if (close >= 0) at = close + 1;
    else if (items[at] === '(') at = items.length;
  }
  return uses;
}

function closingParenthesis(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '(' || text[at] === '[') depth += 1;
    else if (text[at] === ')' || text[at] === ']') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

/** One argument, and the text from it to the end of all arguments. */
interface Argument {
  readonly value: string;
  readonly rest: string;
}

/**
 * Splits arguments at commas outside parentheses and brackets, without blanks around
 * them.
 */
function splitArguments(text: string): Argument[] {
  const found: Argument[] = [];
  const add = (start: number, end: number): void =>
    void found.push({ value: trim(text.slice(start, end)), rest: trim(text.slice(start)) });
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(' || text[at] === '[') depth += 1;
    else if (text[at] === ')' || text[at] === ']') depth -= 1;
    else if (text[at] === ',' && depth === 0) {
      add(start, at);
      start = at + 1;
    }
  }
  add(start, text.length);
  return found;
}

/**
 * Inserts arguments into a template line: `$(0)` all, `$(N)` one, `$(N?)` 1 or 0 for
 * given or not, `$(N+)` that one and all after it, `$(0#)` their number, `$(N:text)` with
 * a default text. Other macros are kept.
 */
export function fillArguments(line: string, text: string | undefined): string {
  const values = text === undefined || trim(text) === '' ? [] : splitArguments(text);
  const all = trim(text ?? '');
  let result = '';
  let done = 0;
  for (const match of line.matchAll(/\$\((\d+)([?+#]?)(?=[:)])/g)) {
    if (match.index < done) continue;
    const close = closingParenthesis(line, match.index + 1);
    if (close < 0) break;
    const rest = line.slice(match.index + match[0].length, close);
    const value = argumentText(Number(match[1]), match[2] ?? '', values, all);
    result += line.slice(done, match.index);
    result += value === '' && rest.startsWith(':') ? fillArguments(rest.slice(1), text) : value;
    done = close + 1;
  }
  return result + line.slice(done);
}

function argumentText(
  number: number,
  mark: string,
  values: readonly Argument[],
  all: string,
): string {
  const value = number === 0 ? all : (values[number - 1]?.value ?? '');
  switch (mark) {
    case '?':
      return value === '' ? '0' : '1';
    case '+':
      return number === 0 ? all : (values[number - 1]?.rest ?? '');
    case '#':
      return String(Math.max(0, values.length - Math.max(0, number - 1)));
    default:
      return value;
  }
}
