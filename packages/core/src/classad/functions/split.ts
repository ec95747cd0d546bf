// split, splitUserName, splitSlotName, and cutting a text into items at delimiters.
import { trimBlanks } from '../language/bytes.ts';
import type { ClassAdFunction, FunctionTable } from '../operate/context.ts';
import { ERROR, listOf, stringValue } from '../language/value.ts';
import { optionalString, taking } from './args.ts';

const BLANK = ' \t\n\v\f\r';

/**
 * Cuts at any of the `delimiters`; blanks around an item are removed, an empty item
 * between two delimiters stays.
 */
export function splitText(text: string, delimiters: string): string[] {
  const items: string[] = [];
  for (let at = 0; ;) {
    while (at < text.length && BLANK.includes(text[at] ?? '')) at += 1;
    if (at >= text.length) return items;
    let end = at;
    while (end < text.length && !delimiters.includes(text[end] ?? '')) end += 1;
    items.push(trimBlanks(text.slice(at, end)));
    at = end + 1;
  }
}

/** {@link splitText} without empty items, as the stringList functions see a list. */
export const itemsOf = (text: string, delimiters = ' ,'): string[] =>
  splitText(text, delimiters).filter((item) => item !== '');

const split = taking(1, 2, ([text = ERROR, delimiters]) => {
  const separators = optionalString(delimiters, ', \t');
  if (text.type !== 'string' || separators === undefined) return ERROR;
  return listOf(splitText(text.value, separators).map(stringValue));
});

/**
 * Cuts at the first `@`; without one the whole text is the first (user) or the second
 * (slot) part.
 */
const splitName = (whole: 'first' | 'second'): ClassAdFunction =>
  taking(1, 1, ([text = ERROR]) => {
    if (text.type !== 'string') return ERROR;
    const name = text.value;
    const at = name.indexOf('@');
    const parts =
      at >= 0
        ? [name.slice(0, at), name.slice(at + 1)]
        : whole === 'first'
          ? [name, '']
          : ['', name];
    return listOf(parts.map(stringValue));
  });

export const SPLIT_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['split', split],
  ['splitusername', splitName('first')],
  ['splitslotname', splitName('second')],
]);
