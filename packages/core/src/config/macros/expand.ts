// Expands macros repeatedly until none is left, within limits.
import {
  limitError,
  type ExpandContext,
  type Expansion,
  LIMITS,
  findMacro,
  splitDefault,
  type MacroMatch,
} from './expansion.ts';
import { callFunction } from './functions.ts';

/** Creates the state of one expansion. */
export function startExpansion(context: ExpandContext): Expansion {
  const expansion: Expansion = {
    context,
    nested: (text) => expandNested(text, expansion),
    steps: 0,
    work: 0,
    depth: 0,
    chance: false,
  };
  return expansion;
}

/**
 * Expands every macro in `text`, also macros in expanded values. `$$(X)` is kept.
 * `$(DOLLAR)` becomes `$` at the end (not with `keepDollar`).
 * @throws CodedError `CONFIG_LIMIT` if it does not end, or exceeds the limits
 */
export function expandText(text: string, expansion: Expansion, keepDollar = false): string {
  const expanded = substitute(text, expansion);
  return keepDollar ? expanded : replaceDollars(expanded, expansion);
}

function expandNested(text: string, expansion: Expansion): string {
  expansion.depth += 1;
  if (expansion.depth > LIMITS.depth)
    throw limitError('a macro refers to itself through a function');
  const expanded = expandText(text, expansion);
  expansion.depth -= 1;
  return expanded;
}

function substitute(text: string, expansion: Expansion): string {
  let value = text;
  let from = 0;
  for (
    let match = findMacro(value, from, expansion);
    match;
    match = findMacro(value, from, expansion)
  ) {
    if (isDollar(match)) {
      from = match.end;
      continue;
    }
    const replacement = replacementOf(match, expansion);
    value = value.slice(0, match.start) + replacement + value.slice(match.end);
    from = match.restart;
    account(expansion, value);
  }
  return value;
}

function account(expansion: Expansion, value: string): void {
  expansion.steps += 1;
  expansion.work += value.length;
  if (expansion.steps > LIMITS.steps) {
    throw limitError('circular references between macros, or too many macros');
  }
  if (expansion.work > LIMITS.work || value.length > LIMITS.valueLength) {
    throw limitError('value too long');
  }
}

/** Returns the replacement of one macro. */
export function replacementOf(match: MacroMatch, expansion: Expansion): string {
  if (match.function !== '') return callFunction(match.function, match.body, expansion);
  const { name, fallback } = splitDefault(match.body);
  return expansion.context.lookup(name) || (fallback ?? '');
}

function isDollar(match: MacroMatch): boolean {
  return match.function === '' && match.body.length === 6 && match.body.toLowerCase() === 'dollar';
}

/**
 * Replaces each `$(DOLLAR)`, also one that a replacement completes. One after a dollar is
 * kept, since `$$(` begins a macro of the submission.
 */
function replaceDollars(text: string, expansion: Expansion): string {
  if (!/\$\(dollar\)/i.test(text)) return text;
  let value = text;
  let from = 0;
  for (
    let match = findMacro(value, from, expansion);
    match;
    match = findMacro(value, from, expansion)
  ) {
    from = match.end;
    if (!isDollar(match)) continue;
    value = `${value.slice(0, match.start)}$${value.slice(match.end)}`;
    from = match.restart;
    account(expansion, value);
  }
  return value;
}

/**
 * Expands only references to the knob being set, so that `A = $(A) more` appends to the
 * old value, which is inserted as stored. `isSelf` is true for a name of that knob. The
 * search continues behind a macro of another knob, so a reference inside it is kept.
 */
export function expandSelf(
  text: string,
  isSelf: (name: string) => boolean,
  expansion: Expansion,
): string {
  let value = text;
  let from = 0;
  // Where a replacement may complete a macro.
  let open: number | undefined;
  for (
    let match = findMacro(value, from, expansion);
    match;
    match = findMacro(value, from, expansion)
  ) {
    if (match.restart < match.start) open ??= match.restart;
    if (!isSelfReference(match, isSelf)) {
      from = match.end;
      continue;
    }
    value = value.slice(0, match.start) + replacementOf(match, expansion) + value.slice(match.end);
    from = open ?? match.start;
    open = undefined;
    account(expansion, value);
  }
  return value;
}

/** True for `$(KNOB)`, and file parts of the knob, each also with a default text. */
function isSelfReference(match: MacroMatch, isSelf: (name: string) => boolean): boolean {
  const immediate = match.function === '' || /^F[a-zA-Z]*$/.test(match.function);
  return immediate && isSelf(splitDefault(match.body).name);
}
