// The constructs after an opening parenthesis in a pattern.
import { refuse } from './node.ts';

/**
 * The active options, by letter; `xx` in addition to `x` if blanks inside classes are
 * skipped, too.
 */
export type Flags = ReadonlySet<string>;

/**
 * The kind of a parenthesis, the length of its opener, and the options inside (for
 * `flags`: from here on).
 */
export type Opener =
  | {
      readonly kind: 'capture';
      readonly name?: string;
      readonly length: number;
      readonly flags: Flags;
    }
  | {
      readonly kind: 'plain';
      readonly reset: boolean;
      readonly length: number;
      readonly flags: Flags;
    }
  | { readonly kind: 'atomic'; readonly length: number; readonly flags: Flags }
  | { readonly kind: 'flags'; readonly length: number; readonly flags: Flags }
  | {
      readonly kind: 'look';
      readonly behind: boolean;
      readonly negative: boolean;
      readonly length: number;
      readonly flags: Flags;
    }
  | {
      readonly kind: 'condition';
      readonly group: number | string;
      readonly length: number;
      readonly flags: Flags;
    }
  | { readonly kind: 'reference'; readonly name: string; readonly length: number };

const NAME = '[A-Za-z_]\\w{0,31}';
const NAMED = new RegExp(`^\\(\\?(?:P?<(${NAME})>|'(${NAME})')`);
const REFERENCE = new RegExp(`^\\(\\?P=(${NAME})\\)`);
const CONDITION = new RegExp(`^\\(\\?\\((?:(\\d{1,5})|<(${NAME})>|'(${NAME})')\\)`);
const INLINE = /^\(\?(\^?)([imsxnUJ]*)(?:-([imsxnUJ]*))?([:)])/;
const LOOK = /^\(\?(<?)([=!])/;

/**
 * Reads the parenthesis at `at`.
 * @throws RefusedPattern for recursion, verbs and unknown constructs
 */
export function openerAt(pattern: string, at: number, flags: Flags): Opener {
  const text = pattern.slice(at, at + 96);
  if (text.startsWith('(*')) return refuse('a verb');
  if (!text.startsWith('(?')) {
    return flags.has('n')
      ? { kind: 'plain', reset: false, length: 1, flags }
      : { kind: 'capture', length: 1, flags };
  }
  if (text.startsWith('(?>')) return { kind: 'atomic', length: 3, flags };
  if (text.startsWith('(?|')) return { kind: 'plain', reset: true, length: 3, flags };
  return named(text, flags) ?? inline(text, flags) ?? refuse('a kind of group that is not known');
}

function named(text: string, flags: Flags): Opener | undefined {
  const name = NAMED.exec(text);
  if (name !== null)
    return { kind: 'capture', name: name[1] ?? name[2] ?? '', length: name[0].length, flags };
  const reference = REFERENCE.exec(text);
  if (reference !== null)
    return { kind: 'reference', name: reference[1] ?? '', length: reference[0].length };
  const condition = CONDITION.exec(text);
  if (condition !== null) {
    const [{ length }, number, pointed, quoted] = condition;
    const group = number === undefined ? (pointed ?? quoted ?? '') : Number(number);
    return { kind: 'condition', group, length, flags };
  }
  const look = LOOK.exec(text);
  if (look === null) return undefined;
  return {
    kind: 'look',
    behind: look[1] === '<',
    negative: look[2] === '!',
    length: look[0].length,
    flags,
  };
}

function inline(text: string, flags: Flags): Opener | undefined {
  const found = INLINE.exec(text);
  if (found === null) return undefined;
  const [{ length }, reset, on = '', off = '', end] = found;
  if (reset === '^' && found[3] !== undefined) return refuse('a minus after (?^');
  const changed = new Set(flags);
  if (reset === '^') for (const flag of 'imsxn') changed.delete(flag);
  if (reset === '^' || /x/.test(on + off)) changed.delete('xx');
  for (const flag of on) changed.add(flag);
  if (on.includes('xx')) changed.add('xx');
  for (const flag of off) changed.delete(flag);
  return end === ')'
    ? { kind: 'flags', length, flags: changed }
    : { kind: 'plain', reset: false, length, flags: changed };
}
