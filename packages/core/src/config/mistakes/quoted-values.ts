// Finds quotes around values: in HTCondor's configuration they are part of the value.
import { isCoded } from '../../base/errors/errors.ts';
import type { Config } from '../table/config.ts';
import type { KnobDeclaration } from '../typed/declarations.ts';
import { declarationFor, setKnobs } from './set-knobs.ts';

/** A knob with quotes around its value, and whether that cannot be meant. */
export interface QuotedKnob {
  readonly name: string;
  readonly place: string;
  readonly state: 'error' | 'warning';
  /** A sentence without the value, which may be private. */
  readonly text: string;
}

/**
 * Returns the knobs of our programs with quotes around their value, or around an item of
 * it. Other knobs are not looked at: the submit language and ClassAds need quotes.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/introduction-to-configuration.html
 * @throws CodedError `CONFIG_LIMIT` on endless expansion
 */
export function quotedKnobs(config: Config): QuotedKnob[] {
  return setKnobs(config).flatMap(({ written, name, place }) => {
    const found = quotesAround(name, config.get(written));
    if (found === undefined) return [];
    const text =
      `${place}: the quotes around ${found.where} of ${name} are part of the value: ` +
      `HTCondor's configuration needs none; ${REMOVE_QUOTES}`;
    return [{ name, place, state: found.state, text }];
  });
}

/**
 * Returns the texts of {@link quotedKnobs} for a log: only quotes that cannot be meant.
 * Returns none if a value cannot be expanded, which is an error of its own where it is read.
 */
export function quoteWarnings(config: Config): string[] {
  try {
    return quotedKnobs(config).flatMap(({ state, text }) => (state === 'error' ? [text] : []));
  } catch (error) {
    if (isCoded(error, 'CONFIG_LIMIT')) return [];
    throw error;
  }
}

/** What to do about quotes around a value. */
export const REMOVE_QUOTES = 'fix: remove the quotes';

/**
 * Returns what of a knob's value is in quotes that cannot be meant (`error`), or may be
 * (`warning`).
 */
export function quotesAround(
  name: string,
  text: string | undefined,
): { readonly where: string; readonly state: 'error' | 'warning' } | undefined {
  const declaration = declarationFor(name);
  if (!declaration || declaration.quotes === 'meant') return undefined;
  const value = text?.trim() ?? '';
  const mayBeMeant = declaration.quotes === 'possible';
  const where = mayBeMeant ? wholly(value) : quotesIn(value, declaration);
  return where === undefined ? undefined : { where, state: mayBeMeant ? 'warning' : 'error' };
}

/**
 * Drops what only follows from quotes, such as `file, line N: KNOB is not a URL`: the
 * quotes are reported.
 */
export function withoutQuoted<Item extends { readonly text: string }>(
  items: readonly Item[],
  quoted: readonly QuotedKnob[],
): Item[] {
  return items.filter(
    ({ text }) => !quoted.some(({ place, name }) => text.startsWith(`${place}: ${name} `)),
  );
}

/** Straight quotes, the typographic ones of web pages, and backticks. */
const OPENING = /^["`\u201c\u201e\u201d\u00ab\u2018]/;
const CLOSING = /["`\u201c\u201d\u00bb\u2019]$/;
const PAIR =
  /^(?:"[^"]*"|'[^']*'|`[^`]*`|\u201c.*\u201d|\u201e.*\u201c|\u00ab.*\u00bb|\u2018.*\u2019)$/s;

function wholly(value: string): string | undefined {
  return value.length > 1 && PAIR.test(value) ? 'the value' : undefined;
}

/** A value that cannot contain quotes: one at either end is a mistake. */
function quotesIn(value: string, { type }: KnobDeclaration): string | undefined {
  const isQuoted = (text: string): boolean =>
    OPENING.test(text) || CLOSING.test(text) || PAIR.test(text);
  const items = type === 'list' || type === 'string' ? value.split(/[\s,]+/) : [value];
  if (OPENING.test(value) || (items.length === 1 && isQuoted(value))) return 'the value';
  return items.some(isQuoted) ? 'an item' : undefined;
}
