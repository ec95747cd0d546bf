// Matching with PCRE2's meaning: compiled once, both pattern and subject bounded in length.
import { limitError } from './limits.ts';
import type { Limits } from './limits.ts';
import { translatePattern } from './regexp-translate.ts';

const CACHE_SIZE = 256;
const cache = new Map<string, RegExp | undefined>();

/**
 * The compiled form of `pattern`, undefined when PCRE2 would refuse it.
 * @param options of `i m s x`; other letters are ignored
 * @throws CLASSAD_LIMIT when the pattern is too long
 */
export function compile(pattern: string, options: string, limits: Limits): RegExp | undefined {
  if (pattern.length > limits.patternLength) throw limitError('patternLength', limits);
  const flags = ['i', 'm', 's', 'x'].filter((flag) => options.includes(flag)).join('');
  const key = `${flags}/${pattern}`;
  if (cache.has(key)) return cache.get(key);
  const compiled = construct(pattern, flags);
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(key, compiled);
  return compiled;
}

function construct(pattern: string, flags: string): RegExp | undefined {
  const source = translatePattern(pattern, flags);
  if (source === undefined) return undefined;
  try {
    return new RegExp(source, 'g');
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether `subject` contains a match; undefined when the pattern is refused. @throws CLASSAD_LIMIT */
export function matches(
  pattern: string,
  subject: string,
  options: string,
  limits: Limits,
): boolean | undefined {
  const regexp = compile(pattern, options, limits);
  if (subject.length > limits.subjectLength) throw limitError('subjectLength', limits);
  if (regexp === undefined) return undefined;
  regexp.lastIndex = 0;
  return regexp.test(subject);
}

/**
 * Replaces `\0` to `\9` in `replacement` by the groups of a match.
 * @param options with `g` every match is replaced, with `f` the text around the matches is kept
 * @returns undefined (an ERROR) for a refused pattern, a group that does not exist, or an empty match under `g`
 * @throws CLASSAD_LIMIT
 */
export function substitute(
  pattern: string,
  subject: string,
  replacement: string,
  options: string,
  limits: Limits,
): string | undefined {
  const regexp = compile(pattern, options, limits);
  if (subject.length > limits.subjectLength) throw limitError('subjectLength', limits);
  if (regexp === undefined) return undefined;
  const full = options.includes('f');
  const all = options.includes('g');
  let text = '';
  let from = 0;
  regexp.lastIndex = 0;
  for (let found = regexp.exec(subject); found !== null; found = regexp.exec(subject)) {
    if (all && found[0] === '') return undefined;
    const replaced = expand(replacement, found);
    if (replaced === undefined) return undefined;
    text += (full ? subject.slice(from, found.index) : '') + replaced;
    if (text.length > limits.textLength) throw limitError('textLength', limits);
    from = found.index + found[0].length;
    if (!all) break;
  }
  return full ? text + subject.slice(from) : text;
}

function expand(replacement: string, found: RegExpExecArray): string | undefined {
  let known = true;
  const text = replacement.replace(/\\(\d)/g, (_, digit: string) => {
    known &&= Number(digit) < found.length;
    return found[Number(digit)] ?? '';
  });
  return known ? text : undefined;
}
