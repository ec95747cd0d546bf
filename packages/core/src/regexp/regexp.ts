// Matching with PCRE2's meaning by our own matcher: the number of steps is limited for
// any pattern and subject.
import { limitError, type Limits, RefusedPattern, type ByteSet } from './node.ts';
import { compilePattern, type Program } from './compile.ts';
import { Matcher, type Budget } from './match.ts';
import { parsePattern } from './parse.ts';
import { ANY_BYTE, NOT_NEWLINE, include } from './classes-and-escapes.ts';

/** A compiled pattern. */
export interface Regexp {
  readonly program: Program;
  readonly start: StartSet;
}

/**
 * A match: start and end of the whole and of each group, -1 for groups that matched
 * nothing.
 */
type Match = Int32Array;

const REFUSED = { any: 'none', filled: 'empty', next: 'emptyAtStart' } as const;

const CACHE_SIZE = 256;
const cache = new Map<string, Regexp | undefined>();

/**
 * Compiles `pattern` (bytes); undefined if PCRE2 would reject it or it needs an
 * unsupported feature.
 * @param options of `i m s x` and `U`; other letters are ignored
 * @throws CLASSAD_LIMIT when the pattern is too long
 */
export function compile(pattern: string, options: string, limits: Limits): Regexp | undefined {
  if (pattern.length > limits.patternLength) throw limitError('patternLength', limits);
  const flags = ['i', 'm', 's', 'x', 'U'].filter((flag) => options.includes(flag)).join('');
  const key = `${flags}/${pattern}`;
  if (cache.has(key)) return cache.get(key);
  const compiled = construct(pattern, flags);
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(key, compiled);
  return compiled;
}

function construct(pattern: string, flags: string): Regexp | undefined {
  try {
    const program = compilePattern(parsePattern(pattern, flags));
    return { program, start: startSet(program) };
  } catch (error) {
    if (error instanceof RefusedPattern) return undefined;
    throw error;
  }
}

/**
 * Returns the first match at or after `from`.
 * @param wanted `filled`: one that is not empty; `next`: one at `from` that is not empty,
 * or that `\K` has moved
 * @throws CLASSAD_LIMIT
 */
export function search(
  { program, start }: Regexp,
  subject: string,
  from: number,
  budget: Budget,
  wanted: 'any' | 'filled' | 'next' = 'any',
): Match | undefined {
  if (subject.length > budget.limits.subjectLength)
    throw limitError('subjectLength', budget.limits);
  const matcher = new Matcher(program, subject, from, budget);
  const last = wanted === 'next' ? from : subject.length;
  for (let at = from; at <= last; at += 1) {
    if (start.lines && at > from && subject[at - 1] !== '\n') continue;
    if (start.set !== undefined && start.set[subject.charCodeAt(at)] !== 1) continue;
    if (matcher.matchAt(at, REFUSED[wanted]))
      return matcher.slots.slice(0, 2 * (program.groups + 1));
  }
  return undefined;
}

/**
 * Returns whether `subject` contains a match; undefined for a rejected pattern.
 * @param wanted `filled`: only a match that is not empty counts
 * @throws CLASSAD_LIMIT
 */
export function matches(
  pattern: string,
  subject: string,
  options: string,
  budget: Budget,
  wanted: 'any' | 'filled' = 'any',
): boolean | undefined {
  const regexp = compile(pattern, options, budget.limits);
  if (regexp === undefined) return undefined;
  return search(regexp, subject, 0, budget, wanted) !== undefined;
}

/**
 * Replaces `\0` to `\9` in `replacement` by the groups of a match.
 * @param options with `g` every match is replaced, with `f` the text around the matches
 * is kept
 * @returns undefined (an ERROR) for a rejected pattern, a missing group, or an empty
 * match at the end of the text under `g`
 * @throws CLASSAD_LIMIT
 */
export function substitute(
  pattern: string,
  subject: string,
  replacement: string,
  options: string,
  budget: Budget,
): string | undefined {
  const regexp = compile(pattern, options, budget.limits);
  if (regexp === undefined) return undefined;
  const full = options.includes('f');
  const all = options.includes('g');
  let text = '';
  let from = 0;
  let afterEmpty = false;
  for (;;) {
    const match = search(regexp, subject, from, budget, afterEmpty ? 'next' : 'any');
    if (match === undefined && !afterEmpty) break;
    if (match === undefined) {
      if (from >= subject.length) return undefined;
      text += subject[from];
      from += 1;
      afterEmpty = false;
      continue;
    }
    const [start = 0, end = 0] = match;
    const replaced = expand(replacement, subject, match);
    if (replaced === undefined) return undefined;
    text += (full ? subject.slice(from, start) : '') + replaced;
    if (text.length > budget.limits.textLength) throw limitError('textLength', budget.limits);
    // Like in the reference, this remains once there was an empty match.
    afterEmpty ||= end === start;
    from = end;
    if (!all) break;
  }
  return full ? text + subject.slice(from) : text;
}

/**
 * Replaces `\0` to `\9` in `replacement`; returns undefined if one of these groups is
 * missing: the pattern does not have it, or neither it nor a later group took part.
 */
export function expand(replacement: string, subject: string, match: Match): string | undefined {
  const groups = groupCount(match);
  let known = true;
  const text = replacement.replace(/\\(\d)/g, (_, digit: string) => {
    const start = match[2 * Number(digit)] ?? -1;
    known &&= Number(digit) < groups;
    return start < 0 ? '' : subject.slice(start, match[2 * Number(digit) + 1]);
  });
  return known ? text : undefined;
}

/** Returns the number of groups up to the last one that took part, with the whole match. */
export function groupCount(match: Match): number {
  let count = match.length / 2;
  while (count > 1 && (match[2 * count - 1] ?? -1) < 0) count -= 1;
  return count;
}

// The possible starts of a match, so that a search can skip most positions.

/**
 * `set`: the possible first bytes of a match, undefined if it can be empty or they are
 * not known. `lines`: only at the start of a line.
 */
interface StartSet {
  readonly set: ByteSet | undefined;
  readonly lines: boolean;
}

/** Determines the start set from the possible first instructions. */
function startSet(program: Program): StartSet {
  return { set: firstBytes(program), lines: opensWithDots(program) };
}

/**
 * A pattern that starts with `.*` and fails at one position also fails at the later ones
 * of that line.
 */
function opensWithDots({ code }: Program): boolean {
  if (code.some(({ op }) => op === 'reference' || op === 'inner' || op === 'ifUnset')) return false;
  const first = code.find(({ op }) => op !== 'save');
  if (first?.op !== 'run' || first.least > 0 || first.most !== Infinity) return false;
  return first.set === NOT_NEWLINE || first.set === ANY_BYTE;
}

function firstBytes({ code }: Program): ByteSet | undefined {
  const found: ByteSet = new Uint8Array(256);
  const seen = new Set<number>();
  const open = [0];
  for (let pc = open.pop(); pc !== undefined; pc = open.pop()) {
    if (seen.has(pc)) continue;
    seen.add(pc);
    const instruction = code[pc];
    switch (instruction?.op) {
      case 'set':
        include(found, instruction.set);
        break;
      case 'run':
        include(found, instruction.set);
        if (instruction.least === 0) open.push(pc + 1);
        break;
      case 'split':
        open.push(instruction.first, instruction.second);
        break;
      case 'jump':
        open.push(instruction.to);
        break;
      case 'save':
      case 'close':
        open.push(pc + 1);
        break;
      default:
        return undefined;
    }
  }
  return found;
}
