// Random ClassAd expressions from a seed, for comparisons with other implementations.
import { seededRandom, type Chance } from './seeded-random.ts';
import {
  CALLS,
  INTEGERS,
  REALS,
  WORDS,
  ESCAPES,
  ITEMS,
  DELIMITERS,
  PATTERNS,
  REPLACEMENTS,
  OPTIONS,
  VERSIONS,
  ZONES,
  SPANS,
  NAMES,
  SCOPES,
  FIELDS,
  OPERATORS,
  UNARY,
  SOUP,
} from './vocabulary.ts';

/**
 * An expression, the ad in which it is evaluated, and in a match the other ad; all in new
 * syntax. `damaged`: characters were added or removed at random.
 */
export interface RandomExpression {
  readonly ad: string;
  readonly target: string | undefined;
  readonly expression: string;
  readonly damaged: boolean;
}

/** The ads in which the expressions are evaluated. */
export const RANDOM_EXPRESSION_ADS: readonly string[] = [
  `[ Cpus = 6; Name = "node-17"; Missing = undefined; Broken = error; Slots = { 4, 8, 12 };
     Tags = { "gpu", "ssd" }; Prio = 55; Rank3 = Prio > 40; Load = 0.25; Up = true;
     When = absTime("2026-03-04T10:20:30+02:00"); Span = relTime("1+02:03:04");
     Nest = [ Inner = 9; Outer = Prio; Own = MY.Inner; Up = parent.Prio; Deep = [ Inner = Prio - 1 ] ];
     Jobs = { [ Prio = 70; Name = "a" ], [ Prio = 10 ], [ Prio = 41; Name = undefined ] }; Text = "Prio + 1" ]`,
  `[ Cpus = "8"; Name = "Ab c,d"; Slots = { 1.5, true, undefined, "7" }; Tags = { }; Prio = -3.75; Rank3 = Cpus =?= "8";
     Load = 1e300; Up = false; When = 86399; Span = -90061.5; Nest = [ Inner = Nest2; Nest2 = { 1, 2 } ];
     Jobs = { [ Prio = "x" ], 5, undefined }; Text = "strcat(Name, Prio)" ]`,
];

type Kind = keyof typeof MAKERS;

const MAKERS = {
  integer: (from: Chance) => from.pick(INTEGERS),
  real: (from: Chance) => from.pick(REALS),
  number: (from: Chance) => from.pick(from.one(2) ? INTEGERS : REALS),
  small: (from: Chance) => String(from.below(9) - 3),
  text: (from: Chance) =>
    quoted(
      from.one(4) ? from.pick(WORDS) + from.pick(ESCAPES) + from.pick(WORDS) : from.pick(WORDS),
    ),
  items: (from: Chance) => quoted(from.pick(ITEMS)),
  delimiters: (from: Chance) => quoted(from.pick(DELIMITERS)),
  pattern: (from: Chance) => quoted(from.pick(PATTERNS)),
  replacement: (from: Chance) => quoted(from.pick(REPLACEMENTS)),
  options: (from: Chance) => quoted(from.pick(OPTIONS)),
  version: (from: Chance) => quoted(from.pick(VERSIONS)),
  comparison: (from: Chance) =>
    quoted(from.pick(['<', '<=', '==', '!=', '>', '>=', 'is', 'isnt', '=?=', '~'])),
  environment: (from: Chance) =>
    quoted(
      from.pick([
        'A=1;B=2',
        '^X=1^Y=2',
        "A=1 'B=x y'",
        ' A=1;',
        'A',
        '',
        '=1',
        "C='it''s'",
        'A=1|B=2',
        ';A=1',
        '$$(x)',
      ]),
    ),
  format: (from: Chance) =>
    quoted(
      from.pick([
        '%Y-%m-%d',
        '%H:%M:%S',
        '%j %a %b',
        '%c',
        '%%%d',
        '%U %W %u %w',
        'x',
        '%e|%I%p',
        '%y%C',
      ]),
    ),
  boolean: (from: Chance) => from.pick(['true', 'false', 'TRUE', 'False']),
  constant: (from: Chance) => from.pick(['true', 'false', 'undefined', 'error']),
  abstime: (from: Chance) => absTime(from),
  reltime: (from: Chance) =>
    from.one(3)
      ? `relTime(${from.pick(['5', '-3725', '0.5', '90061', '1e5', '-0.25'])})`
      : `relTime(${quoted(from.pick(SPANS))})`,
  name: (from: Chance) =>
    from.one(4) ? from.pick(SCOPES) + from.pick([...NAMES, ...FIELDS]) : from.pick(NAMES),
} as const;

const quoted = (text: string): string => `"${text}"`;
const two = (value: number): string => String(value).padStart(2, '0');

function absTime(from: Chance): string {
  if (from.one(3))
    return `absTime(${from.pick(['0', '1700000000', '86399', '-1000'])}, ${from.pick(['0', '3600', '-19800', '60'])})`;
  const date = `${String(1970 + from.below(80))}-${two(1 + from.below(12))}-${two(1 + from.below(28))}`;
  const clock = from.one(3)
    ? ''
    : `T${two(from.below(24))}:${two(from.below(60))}:${two(from.below(60))}`;
  return `absTime("${date}${clock}${from.pick(ZONES)}")`;
}

/** The kinds of the plain operands, the frequent ones several times. */
const LEAVES: readonly Kind[] = [
  'integer',
  'real',
  'number',
  'small',
  'text',
  'text',
  'items',
  'constant',
  'boolean',
  'abstime',
  'reltime',
  'name',
  'name',
  'name',
  'version',
];

function ofKind(kind: string, from: Chance, depth: number): string {
  if (from.one(9)) return any(from, depth);
  if (kind === 'any') return any(from, depth);
  if (kind === 'list')
    return from.one(3) ? from.pick(['Slots', 'Tags', 'Jobs', 'Nest']) : list(from, depth);
  return isKind(kind) ? MAKERS[kind](from) : any(from, depth);
}

const isKind = (kind: string): kind is Kind => Object.hasOwn(MAKERS, kind);

const several = (from: Chance, most: number, make: () => string): string =>
  Array.from({ length: from.below(most + 1) }, make).join(', ');

function list(from: Chance, depth: number): string {
  const kind = from.pick(['any', 'number', 'text', 'integer']);
  return `{ ${several(from, 4, () => ofKind(kind, from, depth - 1))} }`;
}

function call(from: Chance, depth: number): string {
  const { name, kinds, least } = from.pick(CALLS);
  // Without arguments some functions ask for the time.
  const count = from.one(25) ? 1 + from.below(3) : least + from.below(kinds.length - least + 1);
  const args = Array.from({ length: count }, (_, at) =>
    ofKind(kinds[at] ?? 'any', from, depth - 1),
  );
  const spelled = from.one(8) && !name.startsWith('version') ? name.toUpperCase() : name;
  return `${spelled}(${args.join(', ')})`;
}

/** An operand that needs no parentheses before `[`, `.` and `?:`. */
function postfix(from: Chance, depth: number): string {
  const base = from.one(2)
    ? MAKERS.name(from)
    : from.one(2)
      ? `(${any(from, depth - 1)})`
      : list(from, depth);
  switch (from.below(4)) {
    case 0:
      return `${base}[${from.one(3) ? any(from, depth - 1) : MAKERS.small(from)}]`;
    case 1:
      return `${base}.${from.pick(FIELDS)}`;
    default:
      return base;
  }
}

function any(from: Chance, depth: number): string {
  if (depth <= 0 || from.one(4)) return MAKERS[from.pick(LEAVES)](from);
  switch (from.below(12)) {
    case 0:
    case 1:
      return `${any(from, depth - 1)} ${from.pick(OPERATORS)} ${any(from, depth - 1)}`;
    case 2:
      return `(${any(from, depth - 1)} ${from.pick(OPERATORS)} ${any(from, depth - 1)})`;
    case 3:
      return `${from.pick(UNARY)}${any(from, depth - 1)}`;
    case 4:
      return postfix(from, depth);
    case 5:
      // In parentheses, because the versions of HTCondor differ in how tightly it binds.
      return `(${postfix(from, depth)} ?: ${postfix(from, depth)})`;
    case 6:
      return `(${any(from, depth - 1)} ? ${any(from, depth - 1)} : ${any(from, depth - 1)})`;
    case 7:
      return from.one(2)
        ? list(from, depth)
        : `[ ${from.pick(FIELDS)} = ${any(from, depth - 1)}; ${from.pick(FIELDS)} = ${any(from, depth - 1)} ]`;
    default:
      return call(from, depth);
  }
}

/** Damages a text at one or two places: a token is added, or some characters are lost. */
function damaged(text: string, from: Chance): string {
  const at = from.below(text.length + 1);
  const rest = from.one(2) ? text.slice(at) : text.slice(at + 1 + from.below(3));
  const once = `${text.slice(0, at)}${from.one(3) ? '' : from.pick(SOUP)}${rest}`;
  return from.one(4) ? damaged(once, from) : once;
}

/**
 * Returns `count` expressions. The same seed gives the same ones. They do not depend on
 * the time, on chance or on the host. About one in ten is damaged text.
 */
export function randomExpressions(seed: number, count: number): RandomExpression[] {
  const from = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const expression = from.one(6) ? call(from, 3) : any(from, 4);
    const isDamaged = from.one(10);
    return {
      ad: from.pick(RANDOM_EXPRESSION_ADS),
      target: from.one(3) ? from.pick(RANDOM_EXPRESSION_ADS) : undefined,
      expression: isDamaged ? damaged(expression, from) : expression,
      damaged: isDamaged,
    };
  });
}
