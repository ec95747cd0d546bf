// The state and limits of an expansion, and the next macro in a text: its position,
// function, and the text between its parentheses.
import { CodedError } from '../../base/errors/errors.ts';
import type { EvaluateExpression } from './conditions.ts';

/**
 * The environment of an expansion. `random` returns a whole number from 0 to below its
 * argument.
 */
export interface ExpandContext {
  /**
   * Returns the stored text of a knob, in the scope of the reader; `undefined` if it is
   * not set.
   */
  lookup(name: string): string | undefined;
  environment(name: string): string | undefined;
  readonly evaluate: EvaluateExpression;
  readonly random: (below: number) => number;
  /**
   * Called with the error of a function macro; the expansion continues, like HTCondor's.
   */
  problem(message: string): void;
}

/** The state of one expansion, shared by nested expansions. */
export interface Expansion {
  readonly context: ExpandContext;
  /** Expands a value for a function macro; `$(DOLLAR)` is kept. */
  nested(text: string): string;
  steps: number;
  work: number;
  depth: number;
  /** True if the result depends on random numbers, so that it must not be cached. */
  chance: boolean;
}

/** Creates the error for an exceeded limit. */
export function limitError(reason: string): CodedError {
  return new CodedError('CONFIG_LIMIT', `macro expansion aborted: ${reason}`, { reason });
}

// Limits that prevent a configuration from hanging a daemon or filling its memory.

/** Limits of reading and expansion; each one throws `CONFIG_LIMIT` when exceeded. */
export const LIMITS = {
  /** Substitutions in one expansion. */
  steps: 20_000,
  /** Characters that one expansion may copy or search. */
  work: 1_000_000_000,
  /** Characters of one value. */
  valueLength: 4_194_304,
  /** Nested expansions of knobs through function macros. */
  depth: 32,
  /** Nested includes of files and templates. */
  includeDepth: 20,
  /** Nested `if` statements. */
  ifDepth: 63,
  /** Bytes of one source. */
  sourceBytes: 67_108_864,
  /** Sources read in one configuration. */
  sources: 10_000,
} as const;

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
  // Nearly all macros are references: the regular expressions are compiled only for
  // others.
  if (text[from] === '(') return from;
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
