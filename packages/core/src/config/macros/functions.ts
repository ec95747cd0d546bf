// The function macros, such as `$ENV`, `$INT` and `$CHOICE`: each takes the text between
// its parentheses and returns the replacement. `$F...(path)` comes last.
import { type Expansion, splitDefault } from './expansion.ts';
import type { ExpressionValue } from './conditions.ts';
import { formatOne, parseFormat, printFormat } from './printf.ts';
import { decodeText, encodeText, splitList, trim } from './text.ts';
import { parseInteger, parseReal, problem, saturated, splitFirst, valueOf } from './values.ts';

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
  BASENAME: baseName,
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
  const [name, format] = splitFirst(body);
  const parsed = format === undefined ? undefined : parseFormat(format, 'diouxXcCp');
  if (format !== undefined && !parsed) return badFormat(expansion, '$INT()', format);
  const text = valueOf(name, expansion);
  const value = parseInteger(text, expansion.context.evaluate);
  if (value === undefined)
    return problem(expansion, `$INT() macro: ${text} does not evaluate to an integer!`, '');
  return parsed ? shortened(printFormat(parsed, value)) : value.toString();
}

function real(body: string, expansion: Expansion): string {
  const [name, format] = splitFirst(body);
  const parsed = parseFormat(format ?? '%.16G', 'eEfFgGaA');
  if (!parsed) return badFormat(expansion, '$REAL()', format ?? '');
  const text = valueOf(name, expansion);
  const value = parseReal(text, expansion.context.evaluate);
  if (value === undefined)
    return problem(expansion, `$REAL() macro: ${text} does not evaluate to a real!`, '');
  const printed = shortened(printFormat(parsed, value));
  return format === undefined || printed.includes('.') ? printed : `${printed}.0`;
}

/** HTCondor keeps 55 bytes of a formatted number, and ends a text at a NUL. */
function shortened(text: string): string {
  return decodeText(encodeText(text).subarray(0, 55)).split('\0', 1)[0] ?? '';
}

function string(body: string, expansion: Expansion): string {
  const [name, format] = splitFirst(body);
  const parsed = parseFormat(format ?? '%s', 's');
  if (!parsed) return badFormat(expansion, '$STRING', format ?? '');
  const text = valueOf(name, expansion);
  const value = expansion.context.evaluate(text);
  return printFormat(parsed, value?.kind === 'string' ? value.value : text);
}

/** The value of an expression; another text is kept if it contained a macro. */
function evaluated(body: string, expansion: Expansion): string {
  const raw = expansion.context.lookup(body) ?? body;
  const text = expansion.nested(raw);
  const value = expansion.context.evaluate(text);
  return value === undefined && raw.includes('$') ? text : printed(value);
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

/** `$SUBSTR(KNOB,start[,length])`, in bytes. */
function substring(body: string, expansion: Expansion): string {
  const [name, position] = splitFirst(body);
  if (position === undefined)
    return problem(expansion, '$SUBSTR() macro: no length specified!', '');
  const [start, length] = splitFirst(position);
  const first = wholeNumber(start, expansion);
  // HTCondor does not accept the largest integer here.
  if (first === undefined || first === 2 ** 31 - 1)
    return problem(expansion, `$SUBSTR() macro: ${start} is invalid start index!`, '');
  const count = length === undefined ? Infinity : wholeNumber(length, expansion);
  if (count === undefined)
    return problem(expansion, `$SUBSTR() macro: ${length} is invalid length !`, '');
  const raw = expansion.context.lookup(name);
  if (raw === undefined) return '';
  const bytes = encodeText(expansion.nested(raw));
  const from = first < 0 ? Math.max(0, bytes.length + first) : Math.min(first, bytes.length);
  const to = count < 0 ? bytes.length + count : Math.min(bytes.length, from + count);
  return to <= from ? '' : decodeText(bytes.subarray(from, to));
}

/** Returns the value of an argument or of the knob that it names, within 32 bits. */
function wholeNumber(argument: string, expansion: Expansion): number | undefined {
  const value = parseInteger(valueOf(argument, expansion), expansion.context.evaluate);
  return value === undefined || value !== BigInt.asIntN(32, value) ? undefined : Number(value);
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
  if (value !== undefined && value >= 0n && value < 2n ** 31n - 1n) return Number(value);
  expansion.context.problem(`$CHOICE() error: '${text}' is invalid index`);
  return 0;
}

/**
 * Returns the given items, or those of the one knob named, cut at commas; `undefined` if
 * there is no such knob.
 */
function itemsOf(list: string, expansion: Expansion): string[] | undefined {
  if (list.includes(',')) return list.split(',').map(trim);
  return expansion.context.lookup(trim(list)) === undefined
    ? undefined
    : valueOf(trim(list), expansion).split(',').map(trim);
}

/**
 * `$RANDOM_CHOICE(item,...)` or `$RANDOM_CHOICE(KNOB)`: a random item at each expansion.
 * Blanks separate the items of a knob, too.
 */
function randomChoice(body: string, expansion: Expansion): string {
  expansion.chance = true;
  const given = itemsIn(body);
  const [name = ''] = given;
  const named = given.length === 1 && expansion.context.lookup(name) !== undefined;
  const items = named ? splitList(valueOf(name, expansion)) : given;
  if (items.length === 0) return problem(expansion, '$RANDOM_CHOICE() macro is empty!', '');
  return items[expansion.context.random(items.length)] ?? '';
}

/** Splits a text at commas; drops empty items. */
function itemsIn(text: string): string[] {
  return text
    .split(',')
    .map(trim)
    .filter((item) => item !== '');
}

/**
 * `$RANDOM_INTEGER(min,max[,step])`: a random value of min, min + step, ... up to max.
 * Without a maximum it is the minimum.
 */
function randomInteger(body: string, expansion: Expansion): string {
  expansion.chance = true;
  const [min, max, step = '1'] = itemsIn(body);
  const low = bound(min, 'min', 0n, expansion);
  const high = bound(max, 'max', low, expansion);
  const width = bound(step, 'step', 1n, expansion);
  if (low > high)
    return problem(expansion, '$RANDOM_INTEGER() config macro: min > max!', `${high}`);
  const count = (high - low) / width + 1n;
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  const chosen = expansion.context.random(Number(count < most ? count : most));
  return String(low + width * BigInt(chosen));
}

/** Returns the number at the start of an argument; a step must be positive. */
function bound(
  argument: string | undefined,
  what: 'min' | 'max' | 'step',
  instead: bigint,
  expansion: Expansion,
): bigint {
  const digits = /^[-+]?\d+/.exec(argument ?? '')?.[0];
  const value = digits === undefined ? undefined : saturated(digits);
  if (value !== undefined && (what !== 'step' || value > 0n)) return value;
  expansion.context.problem(`$RANDOM_INTEGER() config macro: invalid ${what}!`);
  return instead;
}

/** `$BASENAME(path[,suffix])`: the last part, without `suffix` in any case. */
function baseName(body: string, expansion: Expansion): string {
  const comma = body.lastIndexOf(',');
  const name = filePart(valueOf(comma < 0 ? body : body.slice(0, comma), expansion), 'nx');
  const suffix = comma < 0 ? '' : trim(body.slice(comma + 1)).toLowerCase();
  return suffix !== '' && name.toLowerCase().endsWith(suffix)
    ? name.slice(0, -suffix.length)
    : name;
}

/** The selected part: from `start` to `end` of the quoted text. */
interface Part {
  readonly start: number;
  readonly end: number;
}

/** What the letters ask for. */
interface Wanted {
  readonly directory: boolean;
  /** The number of directories before the name. */
  readonly levels: number;
  readonly name: boolean;
  readonly extension: boolean;
  readonly bare: boolean;
  /** The quote to add; empty for none. */
  readonly quote: string;
  /** The only slash in the result; empty to keep both. */
  readonly slash: string;
}

/**
 * Returns the selected parts of `value`. Letters in any order and case: `p` directory,
 * `d` last directory (once per level), `n` name, `x` extension; `b` omits the slash or
 * dot at the edge, `q` adds quotes (`a`: single quotes), `w` and `u` convert slashes.
 * Without a part letter, the whole value. Quotes around `value` are removed first.
 */
export function filePart(value: string, letters: string): string {
  const wanted = wantedBy(letters.toLowerCase());
  const { quote, slash } = wanted;
  const path = withSlashes(unquoted(value, quote), slash);
  const text = quote + path + quote;
  return closed(text, select(text, wanted), quote);
}

function wantedBy(letters: string): Wanted {
  const has = (letter: string): boolean => letters.includes(letter);
  const slashes = letters.replace(/[^wu]/g, '').at(-1);
  return {
    directory: has('p'),
    levels: letters.split('d').length - 1,
    name: has('n'),
    extension: has('x'),
    bare: has('b'),
    quote: has('q') ? (has('a') ? "'" : '"') : '',
    slash: slashes === undefined ? '' : slashes === 'w' ? '\\' : '/',
  };
}

/**
 * Removes a pair of quotes, then one more double quote or quote of the wanted kind at the
 * start, with its partner at the end if there is one.
 */
function unquoted(value: string, quote: string): string {
  const first = value[0] ?? '';
  const paired = value.length > 1 && (first === '"' || first === "'") && value.endsWith(first);
  const inner = paired ? value.slice(1, -1) : value;
  const open = inner[0] ?? '';
  if (open !== '"' && (open === '' || open !== quote)) return inner;
  const rest = inner.slice(1);
  return rest.endsWith(open) ? rest.slice(0, -1) : rest;
}

function withSlashes(path: string, slash: string): string {
  return slash === '' ? path : path.replaceAll(slash === '/' ? '\\' : '/', slash);
}

function select(text: string, wanted: Wanted): Part {
  const name = text.lastIndexOf('/') + 1;
  const dot = text.lastIndexOf('.');
  // A dot at the start of a name does not begin an extension.
  const extension = dot > name ? dot : text.length;
  const file = wanted.name || wanted.extension;
  const directories = wanted.directory || wanted.levels > 0;
  if (!file && !directories) return { start: 0, end: text.length };
  if (name === 0 && file) return fileOnly(text, 0, extension, wanted);
  if (!directories) return fileOnly(text, name, extension, wanted);
  if (name === 0 && wanted.levels > 0) return { start: 1, end: 1 };
  const directoryEnd = wanted.bare && name > 0 ? name - 1 : name;
  return {
    start: wanted.levels > 0 ? levelStart(text, wanted.levels) : 0,
    end: wanted.extension ? text.length : wanted.name ? extension : directoryEnd,
  };
}

function fileOnly(text: string, name: number, extension: number, wanted: Wanted): Part {
  if (wanted.name) return { start: name, end: wanted.extension ? text.length : extension };
  const skipped = wanted.bare && extension < text.length ? 1 : 0;
  return { start: extension + skipped, end: text.length };
}

/**
 * Returns the start of the directory `levels` above the name. Both slashes separate; two
 * backslashes at the start, or `\\.\`, count once.
 */
function levelStart(text: string, levels: number): number {
  const starts = [...text.matchAll(/^\\\\(?:\.\\)?|[/\\]/g)].map(
    ({ index, 0: slash }) => index + slash.length,
  );
  return starts.slice(0, -levels).at(-1) ?? 0;
}

/**
 * Returns the part with a quote at its start and at its end: a missing quote is added. If
 * a part ends before its start, the result is the rest of the text.
 */
function closed(text: string, { start, end }: Part, quote: string): string {
  if (quote === '') return text.slice(start, end < start ? text.length : end);
  const characters = text.split('');
  const first = characters[start] === quote ? start : start - 1;
  characters[first] = quote;
  const last = end > 1 && characters[end - 1] === quote ? end - 1 : end;
  characters[last] = quote;
  return characters.slice(first, last < first - 1 ? undefined : last + 1).join('');
}
