// Finds the next macro in a text: its position, function, and the text between its
// parentheses.

import { limitError, LIMITS } from './expansion.ts';

/** A macro `$FUNCTION(body)`; `function` is empty for `$(body)`. */
export interface MacroMatch {
  readonly start: number;
  readonly end: number;
  readonly function: string;
  readonly body: string;
  /**
   * The start of the next search after the replacement: a `$(` before it may have become
   * a macro.
   */
  readonly restart: number;
}

const FUNCTION =
  /(?:ENV|INT|REAL|STRING|EVAL|CHOICE|SUBSTR|BASENAME|DIRNAME|RANDOM_CHOICE|RANDOM_INTEGER|F[pnxdbqafwu]*)?\(/iy;
const EXACT =
  /^(?:ENV|INT|REAL|STRING|EVAL|CHOICE|SUBSTR|BASENAME|DIRNAME|RANDOM_CHOICE|RANDOM_INTEGER|F[pnxdbqafwu]*|)$/;
const FILE_FUNCTION = /^F[pnxdbqafwuPNXDBQAFWU]*$/;
const NAME_CHARACTERS = /[A-Za-z0-9_./]*/y;
const DEFAULT_CHARACTERS = /[A-Za-z0-9_./ ,\\:$]*/y;

/** The account of the search work. */
export interface ScanAccount {
  work: number;
}

const NO_MORE = -2;

/**
 * Returns the first macro at or after `from`, or `undefined`.
 *
 *     macro    := '$' '(' name [':' default] ')' | '$ENV(' name [':' default] ')' | '$'
 * FUNCTION '(' text without ')' ')'
 *     name     := letters, digits, '_' '.' '/'
 *     default  := name characters, blank ',' '\' ':' '$', and '(' text ')'
 *
 * `$$` is skipped: HTCondor expands it later. With other characters in a name or default,
 * the text is not a macro.
 * @throws CodedError `CONFIG_LIMIT` if a hostile text costs too much
 */
export function findMacro(
  text: string,
  from: number,
  account: ScanAccount,
): MacroMatch | undefined {
  let refused = -1;
  for (let at = text.indexOf('$', from); at >= 0; at = text.indexOf('$', at)) {
    if (text[at + 1] === '$') {
      at += 2;
      continue;
    }
    const open = openParenthesis(text, at + 1);
    if (open >= 0) {
      const name = text.slice(at + 1, open);
      const isReference = name === '' || name === 'ENV';
      const close = isReference
        ? closeOfReference(text, open + 1, account)
        : text.indexOf(')', open);
      if (close >= 0) {
        const restart = refused < 0 ? at : refused;
        return {
          start: at,
          end: close + 1,
          function: name,
          body: text.slice(open + 1, close),
          restart,
        };
      }
      if (close === NO_MORE || !isReference) return undefined;
      if (refused < 0) refused = at;
    }
    at += 1;
  }
  return undefined;
}

function openParenthesis(text: string, from: number): number {
  FUNCTION.lastIndex = from;
  const match = FUNCTION.exec(text);
  if (!match) return -1;
  const name = match[0].slice(0, -1);
  return EXACT.test(name) || FILE_FUNCTION.test(name) ? from + name.length : -1;
}

/**
 * Returns the position of the closing parenthesis; -1 if it is not a macro, {@link
 * NO_MORE} if no parenthesis closes after `from`.
 */
function closeOfReference(text: string, from: number, account: ScanAccount): number {
  let at = skip(NAME_CHARACTERS, text, from);
  if (text[at] !== ':') return text[at] === ')' ? at : -1;
  for (;;) {
    at = skip(DEFAULT_CHARACTERS, text, at);
    if (text[at] === ')') return at;
    if (text[at] !== '(') break;
    const inner = text.indexOf(')', at);
    if (inner < 0) return NO_MORE;
    at = inner + 1;
  }
  account.work += at - from;
  if (account.work > LIMITS.work) throw limitError('too many parentheses');
  return -1;
}

function skip(characters: RegExp, text: string, from: number): number {
  characters.lastIndex = from;
  characters.exec(text);
  return characters.lastIndex;
}

/** Splits `name:default` at the first colon. */
export function splitDefault(body: string): {
  readonly name: string;
  readonly fallback: string | undefined;
} {
  const colon = body.indexOf(':');
  return colon < 0
    ? { name: body, fallback: undefined }
    : { name: body.slice(0, colon), fallback: body.slice(colon + 1) };
}
