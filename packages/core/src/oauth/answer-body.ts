// The members of a token endpoint's answer: JSON as the standard says, or a form as some
// issuers send it. Pure.
import { bodyText } from '../base/http/body-text.ts';
import { isRecord } from '../base/values/json.ts';

/**
 * A form answer has one of these; without them a text that happens to look like a form is
 * none.
 */
const NAMES = ['access_token', 'refresh_token', 'error'];

/** What servers put before JSON so that a page of another site cannot run it. */
const SCRIPT_GUARD = /^(?:\)\]\}'?,?|while\s*\(1\);|for\s*\(;;\);)\s*/;

/**
 * The members of an answer; `undefined` for anything else than one JSON object or one
 * form. A byte order mark is passed over. The body decides, because issuers label both
 * kinds wrongly; only HTML is never a form. A form that repeats a name is refused,
 * because nobody can tell which value counts.
 * @see RFC 6749, sections 5.1 and 5.2; GitHub answers with a form unless it is asked for
 * JSON
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
    // Not JSON is an answer too: it may be a form, or is judged by its status.
    return /\bhtml\b/i.test(contentType ?? '') ? undefined : formIn(text);
  }
}

/**
 * The members of a refused answer that may hold a rotated refresh token; they serve for
 * nothing else. JSON as in {@link membersOfAnswer}, also behind a prefix that keeps it
 * from running as a script, or as the one item of an array; a form may have characters
 * that should be encoded, and repeat a value. Of an answer that `isCut`, JSON must be whole,
 * and the last member of a form does not count.
 */
export function membersToSalvage(
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
    // A form, or nothing that can be read.
    if (/\bhtml\b/i.test(contentType ?? '')) return undefined;
    return looseFormIn(isCut ? text.slice(0, Math.max(0, text.lastIndexOf('&'))) : text);
  }
}

/**
 * Names and values between ampersands, on one line and without markup. The value of the
 * refresh token itself must be encoded properly.
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
  // What a form may hold once it is encoded, and blanks, which some issuers leave as they
  // are.
  if (!/^[\w.~%+*&=:;/?@!$'(),\- ]+$/.test(text)) return undefined;
  const members = [...new URLSearchParams(text)];
  const names = new Set(members.map(([name]) => name));
  if (names.size !== members.length || !NAMES.some((name) => names.has(name))) return undefined;
  return Object.fromEntries(members);
}
