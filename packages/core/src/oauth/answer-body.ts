// The members of a token endpoint's response: JSON by the standard, or a form from some
// issuers. Pure.
import { bodyText } from '../base/values/json.ts';
import { isRecord } from '../base/values/json.ts';

/**
 * A form response has one of these members; other texts that look like a form are
 * ignored.
 */
const NAMES = ['access_token', 'refresh_token', 'error'];

/** Prefixes of JSON that prevent its execution as a script by another site. */
const SCRIPT_GUARD = /^(?:\)\]\}'?,?|while\s*\(1\);|for\s*\(;;\);)\s*/;

/**
 * Returns the members of a response; `undefined` unless it is one JSON object or one
 * form. Ignores a byte order mark. The body decides, because issuers label both kinds
 * wrongly; only HTML is never parsed as a form. A form with a repeated name is rejected
 * as ambiguous.
 * @see RFC 6749, sections 5.1 and 5.2; GitHub sends a form unless JSON is requested
 */
export function membersOfAnswer(
  body: Uint8Array,
  contentType: string | undefined,
): Record<string, unknown> | undefined {
  const text = bodyText(body).trim();
  try {
    const json: unknown = JSON.parse(text);
    return isRecord(json) ? json : undefined;
  } catch {
    // Not JSON: the text may be a form, otherwise the status decides.
    return /\bhtml\b/i.test(contentType ?? '') ? undefined : formIn(text);
  }
}

/**
 * Returns the members of a rejected response that may contain a rotated refresh token;
 * they must not be used for anything else. Accepts JSON like {@link membersOfAnswer},
 * also after a prefix against script execution or as the only item of an array. A form
 * may have unencoded characters and repeat a value. If the response `isCut`, JSON must be
 * complete, and the last member of a form is ignored.
 */
export function membersToSave(
  body: Uint8Array,
  contentType: string | undefined,
  isCut: boolean,
): Record<string, unknown> | undefined {
  const members = isCut ? undefined : membersOfAnswer(body, contentType);
  if (members) return members;
  const text = bodyText(body).trim();
  try {
    const json: unknown = JSON.parse(text.replace(SCRIPT_GUARD, ''));
    const item: unknown = Array.isArray(json) && json.length === 1 ? json[0] : json;
    return isRecord(item) ? item : undefined;
  } catch {
    // Not JSON: a form, or unreadable.
    if (/\bhtml\b/i.test(contentType ?? '')) return undefined;
    return looseFormIn(isCut ? text.slice(0, Math.max(0, text.lastIndexOf('&'))) : text);
  }
}

/**
 * Parses names and values between ampersands, on one line and without markup. The value
 * of the refresh token itself must be encoded properly.
 */
function looseFormIn(text: string): Record<string, string> | undefined {
  if (/[\r\n<>{}]/.test(text) || !text.split('&').every((part) => /^[\w.~%+-]+=/.test(part)))
    return undefined;
  const found = text.split('&').filter((part) => part.startsWith('refresh_token='));
  const [first, ...more] = new Set(found);
  if (first === undefined || more.length > 0 || !/^[\w.~%+*=:;/?@!$'(),-]+$/.test(first))
    return undefined;
  return Object.fromEntries(new URLSearchParams(first));
}

function formIn(text: string): Record<string, string> | undefined {
  // The characters of an encoded form, and blanks, which some issuers do not encode.
  if (!/^[\w.~%+*&=:;/?@!$'(),\- ]+$/.test(text)) return undefined;
  const members = [...new URLSearchParams(text)];
  const names = new Set(members.map(([name]) => name));
  if (names.size !== members.length || !NAMES.some((name) => names.has(name))) return undefined;
  return Object.fromEntries(members);
}
