// Values that are probably mistakes: quotes around them, which are part of the value, and
// the content of a secret's file.
import { isCoded } from '../../base/errors/errors.ts';
import { isRecord } from '../../base/values/json.ts';
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

/**
 * What is wrong with a secret file: the end of a sentence that begins with its path, and
 * what to do. Neither contains any of the file.
 */
export interface SecretMistake {
  /** `error`: the text cannot be a secret. `warning`: a secret can look like this. */
  readonly state: 'error' | 'warning';
  readonly text: string;
  readonly fix: string;
}

/**
 * Judges the whole text of a file whose first line is a secret; `undefined` if it is as
 * it should be.
 */
export function secretMistake(text: string): SecretMistake | undefined {
  const [line = ''] = text.replace(/^\ufeff/, '').split(/[\r\n]/, 1);
  // UTF-16 is read as UTF-8: every other character is NUL.
  if (/^.{0,3}\0|^\ufffd\ufffd/su.test(text))
    return wrong('is UTF-16 text, of which only the first character is used', 'save it as UTF-8');
  const member = secretMember(text);
  if (member !== undefined)
    return wrong(
      'is a JSON file, not a secret: only its first line is sent',
      `put only the value of ${member} into it`,
    );
  if (text.startsWith('\ufeff'))
    return odd('begins with a byte order mark, which is sent as part of the secret', BOM_FIX);
  if (QUOTED_SECRET.test(line))
    return odd('has quotes around the secret, which are sent as part of it', 'remove the quotes');
  if (/^\s*(?:export\s+)?[\w.-]*secret[\w.-]*\s*[:=]\s*\S/i.test(line))
    return odd(
      'begins with a name before the secret, which is sent as part of it',
      'remove everything but the secret',
    );
  if (line.startsWith('-----BEGIN '))
    return odd('is a PEM file, of which only the first line is sent', 'store the client secret');
  if (line !== line.trim())
    return odd('has blanks around the secret, which are sent as part of it', 'remove the blanks');
  return undefined;
}

const BOM_FIX = 'save it as UTF-8 without a byte order mark';
const QUOTED_SECRET = /^\s*(?:".*"|'.*'|`.*`|\u201c.*\u201d|\u2018.*\u2019)\s*$/;

const wrong = (text: string, fix: string): SecretMistake => ({ state: 'error', text, fix });
const odd = (text: string, fix: string): SecretMistake => ({ state: 'warning', text, fix });

/**
 * Returns the path of the client secret in a JSON object such as an issuer's console
 * exports: `web.client_secret`; `undefined` if the text is no JSON object.
 */
function secretMember(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
  return isRecord(value) ? (memberIn(value) ?? 'its client secret') : undefined;
}

/** Two levels are enough for Google (`web`, `installed`) and Keycloak (`credentials`). */
function memberIn(value: Readonly<Record<string, unknown>>, depth = 0): string | undefined {
  for (const [name, inner] of Object.entries(value)) {
    if (/^(?:client_?)?secret$/i.test(name) && typeof inner === 'string') return name;
    const below = isRecord(inner) && depth === 0 ? memberIn(inner, 1) : undefined;
    if (below !== undefined && /^\w{1,40}$/.test(name)) return `${name}.${below}`;
  }
  return undefined;
}
