// Finds what people put into a secret file besides the secret: quotes, a byte order mark, a
// whole JSON export.
import { isRecord } from '../../base/values/json.ts';

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
  if (PAIR.test(line))
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
const PAIR = /^\s*(?:".*"|'.*'|`.*`|\u201c.*\u201d|\u2018.*\u2019)\s*$/;

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
