// The function macros, such as `$ENV`, `$INT` and `$CHOICE`: each takes the text between
// its parentheses and returns the replacement.
import { problem, splitFirst, valueOf } from './argument.ts';
import type { ExpressionValue } from './evaluate.ts';
import type { Expansion } from './expansion.ts';
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

/**
 * Returns the replacement of `$name(body)`. `name` is a name that the scanner accepts.
 */
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

/** Formats a real in ClassAd syntax. */
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
 * Returns the leading number of an argument or of the knob that it names; 0 if there is
 * none.
 */
function wholeNumber(argument: string, expansion: Expansion): number {
  return Number(/^\s*([-+]?\d+)/.exec(valueOf(trim(argument), expansion))?.[1] ?? 0);
}

function badFormat(expansion: Expansion, macro: string, format: string): string {
  return problem(expansion, `${macro} macro: '${format}' is not a valid format specifier!`, format);
}

// `$CHOICE`, `$RANDOM_CHOICE` and `$RANDOM_INTEGER`: selection of one item.

/** `$CHOICE(index,item,...)` or `$CHOICE(index,KNOB)`: the item at `index`, from 0. */
function choose(body: string, expansion: Expansion): string {
  const [first, list] = splitFirst(body);
  const index = indexOf(trim(first), expansion);
  if (list === undefined) return problem(expansion, '$CHOICE() error: no list', '');
  const items = itemsOf(list, expansion);
  if (!items) return problem(expansion, `$CHOICE() macro: no list named "${trim(list)}"!`, '');
  const item = items[index];
  if (item === undefined)
    expansion.context.problem(`$CHOICE() config macro: index ${index} is out of range!`);
  return item ?? '';
}

function indexOf(text: string, expansion: Expansion): number {
  const value = parseInteger(valueOf(text, expansion), expansion.context.evaluate);
  if (value !== undefined && value >= 0n) return Number(value);
  expansion.context.problem(`$CHOICE() error: '${text}' is invalid index`);
  return 0;
}

/**
 * Returns the given items, or the items of the one knob named; `undefined` if there is no
 * such knob.
 */
function itemsOf(list: string, expansion: Expansion): string[] | undefined {
  if (list.includes(',')) return list.split(',').map(trim);
  const raw = expansion.context.lookup(trim(list));
  return raw === undefined ? undefined : splitItems(expansion.nested(raw));
}

function splitItems(value: string): string[] {
  if (value.includes(',')) return value.split(',').map(trim);
  return trim(value).split(/[ \t\n]+/);
}

/**
 * `$RANDOM_CHOICE(item,...)` or `$RANDOM_CHOICE(KNOB)`: a random item at each expansion.
 */
function randomChoice(body: string, expansion: Expansion): string {
  expansion.chance = true;
  const items = itemsOf(body, expansion) ?? splitItems(body);
  if (trim(body) === '') expansion.context.problem('$RANDOM_CHOICE() macro is empty!');
  return items[expansion.context.random(items.length)] ?? '';
}

/**
 * `$RANDOM_INTEGER(min,max[,step])`: a random value of min, min + step, ... up to max.
 */
function randomInteger(body: string, expansion: Expansion): string {
  expansion.chance = true;
  const [min, max, step] = ['min', 'max', 'step'].map((what, position) =>
    bound(body, position, what, expansion),
  );
  const low = min ?? 0;
  const high = max ?? low;
  const width = Math.max(1, step ?? 1);
  if (low > high) {
    expansion.context.problem('$RANDOM_INTEGER() config macro: min > max!');
    return String(high);
  }
  return String(low + width * expansion.context.random(Math.floor((high - low) / width) + 1));
}

function bound(
  body: string,
  position: number,
  what: string,
  expansion: Expansion,
): number | undefined {
  const text = body.split(',')[position];
  if (text === undefined && what === 'step') return undefined;
  const value = parseInteger(valueOf(trim(text ?? ''), expansion), expansion.context.evaluate);
  if (value === undefined || (what === 'step' && value <= 0n)) {
    expansion.context.problem(`$RANDOM_INTEGER() config macro: invalid ${what}!`);
  }
  return value === undefined ? 0 : Number(BigInt.asIntN(53, value));
}

// `$F...(path)`: parts of a file name, selected by letters.

interface Region {
  readonly start: number;
  readonly end: number;
}

/**
 * Returns the selected parts of `value`. Letters in any order and case: `p` directory,
 * `d` last directory (once per level), `n` name, `x` extension; `b` omits the slash or
 * dot at the edge, `q` adds quotes (`a`: single quotes), `w` and `u` convert slashes.
 * Without a part letter, the whole value. Quotes around `value` are removed first.
 */
function filePart(value: string, letters: string): string {
  const wanted = letters.toLowerCase();
  const path = turnSlashes(unquote(value), wanted);
  const region = chooseRegion(path, wanted);
  const part = path.slice(region.start, region.end);
  if (!wanted.includes('q')) return part;
  const quote = wanted.includes('a') ? "'" : '"';
  return part === '' && !closesEmpty(path, wanted) ? quote : quote + part + quote;
}

function turnSlashes(path: string, wanted: string): string {
  if (wanted.includes('w')) return path.replaceAll('/', '\\');
  return wanted.includes('u') ? path.replaceAll('\\', '/') : path;
}

function unquote(value: string): string {
  const first = value[0];
  if (first !== '"' && first !== "'") return value;
  return value.length > 1 && value.endsWith(first) ? value.slice(1, -1) : value.slice(1);
}

/**
 * The selected parts are contiguous: from the first existing one to the end of the last
 * selected one.
 */
function chooseRegion(path: string, wanted: string): Region {
  const base = path.lastIndexOf('/') + 1;
  const dot = path.lastIndexOf('.');
  const extension = dot > base ? dot : path.length;
  const has = (letter: string): boolean => wanted.includes(letter);
  const levels = wanted.split('d').length - 1;
  if (!has('p') && !has('n') && !has('x') && levels === 0) return { start: 0, end: path.length };
  const bare = has('b');
  const end = has('x') ? path.length : has('n') ? extension : base;
  if (base > 0 && (has('p') || levels > 0)) {
    const slash = bare && !has('n') && !has('x') ? 1 : 0;
    return { start: levels > 0 ? parentStart(path, base, levels) : 0, end: end - slash };
  }
  if (has('n')) return { start: base, end };
  if (has('x')) return { start: extension + (bare && extension < path.length ? 1 : 0), end };
  return { start: base, end: base };
}

/** Returns the start of the directory `levels` above the name, within the path. */
function parentStart(path: string, base: number, levels: number): number {
  let start = base;
  for (let level = 0; level < levels && start > 0; level += 1) {
    start = start < 2 ? 0 : path.lastIndexOf('/', start - 2) + 1;
  }
  return start;
}

/**
 * HTCondor closes the quotes around an empty text only in these cases; otherwise it
 * leaves one quote.
 */
function closesEmpty(path: string, wanted: string): boolean {
  if (path === '') return wanted.includes('n') || !/[pdx]/.test(wanted);
  return wanted.includes('d');
}

/** `$BASENAME(path[,suffix])`: the last part, without `suffix`. */
function baseName(value: string, suffix: string): string {
  const name = filePart(value, 'nx');
  return suffix !== '' && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}
