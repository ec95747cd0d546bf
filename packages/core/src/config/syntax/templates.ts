// The `use CATEGORY : NAME(arguments)` statement: known templates, and their text with
// arguments inserted.
import { nearest } from '../../base/values/distance.ts';
import { trim } from '../macros/text.ts';

/**
 * The statements of templates by category and name; `null` is a name that HTCondor
 * rejects: a template of an early version, or one whose text is not valid.
 */
export type TemplateTable = Readonly<
  Record<string, Readonly<Record<string, readonly string[] | null>>>
>;

/** One `NAME(arguments)` of a use statement. */
export interface TemplateUse {
  readonly name: string;
  readonly arguments: string | undefined;
}

/**
 * A template: the spelling `CATEGORY:NAME` of the table and its statements; `null` if
 * HTCondor rejects the name.
 */
export interface Template {
  readonly label: string;
  readonly lines: readonly string[] | null;
}

/** Finds templates, case-insensitively. */
export interface Templates {
  hasCategory(category: string): boolean;
  /** Returns a template; `undefined` for an unknown name. */
  find(category: string, name: string): Template | undefined;
  /** Returns `CATEGORY:NAME` of every template that HTCondor accepts. */
  labels(): readonly string[];
  /**
   * Returns the nearest known `CATEGORY:NAME` for an unknown name, or the nearest
   * category for an unknown one.
   */
  meant(category: string, name: string): string | undefined;
}

/** Indexes a table of templates. */
export function indexTemplates(table: TemplateTable): Templates {
  const index = new Map<string, Template>();
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
 * Splits `A, B(x, (y)) C` into its items; commas and blanks inside parentheses and
 * brackets do not separate. Blanks may precede the arguments. As in HTCondor, an item
 * without arguments has those of the item before it, a second pair of parentheses ends
 * the list, and a parenthesis that is not closed is passed over.
 */
export function parseUses(items: string): TemplateUse[] {
  const uses: TemplateUse[] = [];
  let given: string | undefined;
  for (let at = endOf(SEPARATORS, items, 0); at < items.length;) {
    const end = endOf(NAME, items, at);
    if (end === at) break;
    const open = endOf(BLANKS, items, end);
    const close = items[open] === '(' ? closingBracket(items, open, BRACKET_DEPTH) : -1;
    if (close >= 0) given = items.slice(open + 1, close);
    uses.push({ name: items.slice(at, end), arguments: given });
    at = endOf(SEPARATORS, items, close >= 0 ? close + 1 : items[open] === '(' ? open + 1 : open);
  }
  return uses;
}

const SEPARATORS = /[, \t\n\v\f\r]*/y;
const BLANKS = /[ \t\n\v\f\r]*/y;
const NAME = /[^, \t\n\v\f\r(]*/y;
const COMMAS = /[^,]*/y;

/** Nested brackets in the arguments of a template. */
const BRACKET_DEPTH = 25;

/** Returns the end of the characters of `pattern` that begin at `at`. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  pattern.exec(text);
  return Math.max(at, pattern.lastIndex);
}

/**
 * Returns the position of the bracket that closes the one at `open`, or -1; nested
 * parentheses and brackets must be closed too.
 */
function closingBracket(text: string, open: number, depth: number): number {
  const wanted = text[open] === '(' ? ')' : ']';
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === wanted) return at;
    if (text[at] !== '(' && text[at] !== '[') continue;
    const inner = depth === 0 ? -1 : closingBracket(text, at, depth - 1);
    if (inner < 0) return -1;
    at = inner;
  }
  return -1;
}

/**
 * Inserts arguments into a template line. Commas separate arguments, also inside
 * parentheses; empty ones do not count. Other macros are kept.
 *
 *     $(0)  all       $(N)  one, without blanks around it
 *     $(0#) how many  $(N?) 1 if it is given, otherwise 0
 *                     $(N+) all behind the argument before it
 *
 * A colon begins a default text: `$(N:text)`.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/introduction-to-configuration.html
 */
export function fillArguments(line: string, text: string | undefined): string {
  let result = '';
  let done = 0;
  for (const match of line.matchAll(/\$\((\d+)([?+#]?)(?=[:)])/g)) {
    if (match.index < done) continue;
    const close = closingBracket(line, match.index + 1, BRACKET_DEPTH);
    if (close < 0) break;
    const rest = line.slice(match.index + match[0].length, close);
    const fallback = rest.startsWith(':') ? rest.slice(1) : undefined;
    const mark = match[2] ?? '';
    const given = argumentText(Number(match[1]), mark, text ?? '');
    const value = trim(given ?? fillArguments(fallback ?? '', text));
    result += line.slice(done, match.index);
    result += mark === '?' ? String(Number(value !== '')) : value;
    done = close + 1;
  }
  return result + line.slice(done);
}

/** Returns the text for a reference; `undefined` if its default is wanted. */
function argumentText(number: number, mark: string, text: string): string | undefined {
  const given = text.split(',').map(trim).filter(Boolean);
  const isRest = mark === '+' || mark === '#';
  if (number === 0) return isRest ? String(given.length) : text;
  return isRest ? behindArguments(text, number - 1) || undefined : given[number - 1];
}

/** Returns what follows the first `count` arguments, without the comma before it. */
function behindArguments(text: string, count: number): string {
  let at = 0;
  for (let passed = 0; passed < count; passed += 1)
    at = endOf(COMMAS, text, endOf(SEPARATORS, text, at));
  return text.slice(text[at] === ',' ? at + 1 : at);
}
