// Parses one logical line to one statement, without lookups or expansion.
import { isBlank, trim, trimEnd, trimStart } from '../macros/text.ts';

/** One statement. */
export type Statement =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'if' | 'elif'; readonly condition: string }
  | { readonly kind: 'else' | 'endif' }
  | { readonly kind: 'include'; readonly options: string; readonly source: string }
  | { readonly kind: 'use'; readonly category: string; readonly items: string }
  | { readonly kind: 'error' | 'warning'; readonly message: string }
  | {
      readonly kind: 'assign';
      readonly name: string;
      readonly value: string;
      readonly colon: boolean;
    }
  | {
      readonly kind: 'append';
      readonly name: string;
      readonly value: string;
      readonly separator: string;
    }
  | { readonly kind: 'block'; readonly name: string; readonly tag: string }
  | { readonly kind: 'invalid' };

const NOTHING: Statement = { kind: 'nothing' };
const INVALID: Statement = { kind: 'invalid' };

/**
 * Classifies a logical line.
 *
 *     line   := '#' text | blank | '[' text without blank or operator
 *             | ('if' | 'elif') condition | 'else' | 'endif'
 *             | ['@'] 'include' words ':' source | ['@'] 'use' words ':' items
 *             | ['@'] ('error' | 'warning') words ':' message
 *             | name words ('=' | ':') value | name words '+' separators '=' value | name
 * words '@=' tag
 *
 * Keywords are case-insensitive. `insideIf` is true between if and endif, where a colon
 * before the statement is dropped.
 */
export function parseStatement(line: string, insideIf: boolean): Statement {
  if (line.startsWith('#') || trim(line) === '') return NOTHING;
  return (
    parseConditional(line) ??
    parseAssignment(insideIf && line.startsWith(':') ? line.slice(1) : line)
  );
}

/**
 * Returns the conditional statement on this line, if any. Only these are parsed inside a
 * skipped block.
 */
export function parseConditional(line: string): Statement | undefined {
  // Few lines begin with these letters: the regular expression is compiled only for them.
  if (!'iIeE'.includes(line[line.startsWith(':') ? 1 : 0] ?? ' ')) return undefined;
  const match = /^:?(if|elif|else|endif)(?=[ \t\v\f\r\n]|$)/i.exec(line);
  if (!match) return undefined;
  const kind = (match[1] ?? '').toLowerCase();
  if (kind === 'else' || kind === 'endif') return { kind };
  return { kind: kind === 'if' ? 'if' : 'elif', condition: trim(line.slice(match[0].length)) };
}

function parseAssignment(line: string): Statement {
  const nameEnd = endOfWord(line, 0);
  const name = line.slice(0, nameEnd);
  const at = findOperator(line, nameEnd);
  if (at < 0) return line.startsWith('[') && !/[ \t]/.test(line) ? NOTHING : INVALID;
  const words = trim(line.slice(nameEnd, at));
  switch (line[at]) {
    case '=':
      return { kind: 'assign', name, value: trimStart(line.slice(at + 1)), colon: false };
    case ':':
      return colonStatement(name, words, trimStart(line.slice(at + 1)));
    case '@':
      return line[at + 1] === '='
        ? { kind: 'block', name, tag: trim(line.slice(at + 2)) }
        : INVALID;
    default:
      return appendStatement(name, line.slice(at + 1));
  }
}

/** The keywords may follow an `@`. */
function colonStatement(name: string, words: string, rest: string): Statement {
  switch (name.replace(/^@/, '').toLowerCase()) {
    case 'include':
      return { kind: 'include', options: words, source: trimEnd(rest) };
    case 'use':
      return { kind: 'use', category: words, items: rest };
    case 'error':
      return { kind: 'error', message: rest };
    case 'warning':
      return { kind: 'warning', message: rest };
    default:
      return { kind: 'assign', name, value: rest, colon: true };
  }
}

function appendStatement(name: string, rest: string): Statement {
  const match = /^([,;|&*]{0,2})=/.exec(rest);
  if (!match) return INVALID;
  return {
    kind: 'append',
    name,
    separator: match[1] ?? '',
    value: trimStart(rest.slice(match[0].length)),
  };
}

function endOfWord(line: string, from: number): number {
  let at = from;
  while (at < line.length && line[at] !== '=' && line[at] !== ':' && !isBlank(line[at])) at += 1;
  return at;
}

/**
 * Returns the position of the first operator after the name, or -1; words between them
 * are ignored.
 */
function findOperator(line: string, from: number): number {
  let at = from;
  while (at < line.length) {
    if (line[at] === '=' || line[at] === ':') return at;
    if (isBlank(line[at])) {
      at += 1;
      if (line[at] === '+' || line[at] === '@') return at;
    } else at = endOfWord(line, at);
  }
  return -1;
}
