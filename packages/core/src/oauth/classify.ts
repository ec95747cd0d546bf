// Token responses: their members (JSON by the standard, or a form from some issuers), and
// what a failure means: retry, slow down, or a person must act. Pure.
import { CodedError, type ErrorCode } from '../base/index.ts';
import { bodyText, isRecord } from '../base/values/json.ts';
import { MASK, withoutSecrets } from '../credential/secret-text.ts';
import { saneLifetime } from '../credential/times.ts';
import { scopeText } from '../credential/token-response.ts';
import type { ClientAuthentication, ErrorMeaning } from '../profiles/profile.ts';

/**
 * A failed response of a token endpoint: status, `Retry-After` header if any, and the
 * JSON object of the body if it is one. `secrets` are the secrets that were sent: they do
 * not affect the decision and are masked in the error.
 */
export interface FailedAnswer {
  readonly status: number;
  readonly retryAfter?: string | undefined;
  readonly json?: Readonly<Record<string, unknown>> | undefined;
  /** True if the body is empty. */
  readonly isEmpty?: boolean;
  readonly secrets?: readonly string[];
  /** What the issuer's own codes and texts mean; they win over the standard's. */
  readonly errors?: readonly ErrorMeaning[] | undefined;
  /** `refresh` if the request contained a refresh token. */
  readonly grant?: 'refresh' | undefined;
  /** How the client authenticated, if the issuer also offers another method. */
  readonly methods?: AuthenticationChoice | undefined;
}

/** The method that is used because no knob chooses one, and the other that is offered. */
export interface AuthenticationChoice {
  readonly used: ClientAuthentication;
  readonly other: ClientAuthentication;
}

/** An issuer cannot delay a retry by more than a day, in seconds. */
const LONGEST_RETRY_AFTER = 86_400;

/**
 * Returns the seconds of a `Retry-After` header, which contains seconds or an HTTP date.
 * @see RFC 9110, section 10.2.3
 */
export function retryAfterSeconds(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const seconds = /^\d+$/.test(text) ? Number(text) : httpDate(text) - now;
  return Number.isFinite(seconds)
    ? Math.min(Math.max(0, Math.ceil(seconds)), LONGEST_RETRY_AFTER)
    : undefined;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Returns the epoch seconds of an IMF-fixdate, `NaN` for other texts. */
function httpDate(text: string): number {
  const parts = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/.exec(text);
  if (!parts) return Number.NaN;
  const [year, day, hour, minute, second] = [parts[3], parts[1], parts[4], parts[5], parts[6]].map(
    Number,
  );
  const month = MONTHS.indexOf(parts[2] ?? '');
  if (month < 0) return Number.NaN;
  const days = daysSinceEpoch(year ?? 0, month + 1, day ?? 0);
  return ((days * 24 + (hour ?? 0)) * 60 + (minute ?? 0)) * 60 + (second ?? 0);
}

/**
 * Returns the days from 1970-01-01 to a Gregorian date. Years start in March, so that a
 * leap day is the last day.
 */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const fromMarch = month > 2 ? year : year - 1;
  const monthIndex = (month + 9) % 12;
  const leapDays =
    Math.floor(fromMarch / 4) - Math.floor(fromMarch / 100) + Math.floor(fromMarch / 400);
  return fromMarch * 365 + leapDays + Math.floor((monthIndex * 153 + 2) / 5) + day - 719_469;
}

/** Maximum length of a description that is searched, in characters. */
const LONGEST_DESCRIPTION = 2000;

/** Error codes of RFC 6749, section 5.2, and others, and their meaning for the daemon. */
const MEANING: Readonly<Record<string, ErrorCode>> = {
  invalid_grant: 'GRANT_REVOKED',
  // GitHub's codes, with status 200.
  bad_refresh_token: 'GRANT_REVOKED',
  bad_verification_code: 'GRANT_REVOKED',
  interaction_required: 'GRANT_REVOKED',
  login_required: 'GRANT_REVOKED',
  consent_required: 'GRANT_REVOKED',
  invalid_client: 'CLIENT_REFUSED',
  unauthorized_client: 'CLIENT_REFUSED',
  unsupported_grant_type: 'CLIENT_REFUSED',
  invalid_request: 'CLIENT_REFUSED',
  invalid_scope: 'CLIENT_REFUSED',
  invalid_target: 'CLIENT_REFUSED',
  access_denied: 'CLIENT_REFUSED',
  slow_down: 'ISSUER_BUSY',
  temporarily_unavailable: 'ISSUER_BUSY',
  server_error: 'ISSUER_UNREACHABLE',
};

/**
 * Other standard codes; a device login uses some of them.
 * @see RFC 8628, section 3.5; RFC 6750, section 3.1
 */
const STANDARD: ReadonlySet<string> = new Set([
  ...Object.keys(MEANING),
  'authorization_pending',
  'expired_token',
  'invalid_token',
  'insufficient_scope',
  'unsupported_response_type',
  'unsupported_token_type',
  'use_dpop_nonce',
  'invalid_dpop_proof',
]);

/**
 * Converts a failed response into the error for the daemon and the web server. `now` in
 * epoch seconds.
 */
export function classifyFailure(provider: string, answer: FailedAnswer, now: number): CodedError {
  // The meaning is decided before masking: a short secret may be part of the code.
  const { error: code, description } = partsOf(answer.json);
  const said = errorOf(code, description, answer.secrets ?? []);
  const retryAfter = retryAfterSeconds(answer.retryAfter, now);
  const own = ownMeaning(answer, code, description);
  const meaning = own?.means ?? codeOf(answer.status, code, retryAfter);
  const text =
    (said
      ? `${said.error}${said.description === '' ? '' : ` (${said.description})`}`
      : `HTTP status ${answer.status}`) +
    (own?.silent === true ? UNCLEAR : '') +
    (meaning === 'CLIENT_REFUSED' ? methodHint(answer, provider, code) : '');
  return new CodedError(meaning, `the issuer of ${provider} answered ${text}`, {
    provider,
    status: answer.status,
    error: said?.error,
    retryAfter: isPatient(meaning) ? retryAfter : undefined,
  });
}

/** A new sign-in shows which of them is the reason, because it uses the same client. */
const UNCLEAR =
  ' without a reason: the refresh token is dead, or the client id or the client secret is wrong';

/** Errors of a client that may be registered for another method of authentication. */
const METHOD_ERRORS = new Set(['invalid_client', 'unauthorized_client']);

function methodHint({ methods }: FailedAnswer, provider: string, code = ''): string {
  if (!methods || !METHOD_ERRORS.has(code)) return '';
  const { used, other } = methods;
  return (
    '; the client id or the client secret is wrong, or the client may not authenticate by ' +
    `${used}: if it is registered for client_secret_${other}, set CREDMON_${provider}_CLIENT_AUTH = ${other}`
  );
}

/** The delay matters only if a retry can help. */
function isPatient(code: ErrorCode): boolean {
  return code === 'ISSUER_BUSY' || code === 'ISSUER_UNREACHABLE';
}

/**
 * Returns the error code and the description. Dropbox writes both into the code:
 * `invalid_client: Invalid client_id or client_secret`.
 */
function partsOf(json: FailedAnswer['json']): {
  readonly error: string | undefined;
  readonly description: string | undefined;
} {
  if (!isRecord(json)) return { error: undefined, description: undefined };
  const { error, error_description: description } = json;
  if (typeof error !== 'string') return { error: undefined, description: undefined };
  const [, code, text] = /^([a-z_]{3,64}): *(.*)$/s.exec(error) ?? [];
  return {
    error: code ?? error,
    description: typeof description === 'string' ? description : text,
  };
}

/** Returns the row for the issuer's own code or text; an outage is never interpreted. */
function ownMeaning(
  { status, isEmpty = false, errors = [], grant }: FailedAnswer,
  code: string | undefined,
  description = '',
): ErrorMeaning | undefined {
  if (status >= 500 || status === 429 || status === 408) return undefined;
  const text = description.slice(0, LONGEST_DESCRIPTION);
  const isSilent = isEmpty && status === 400;
  return errors.find(
    (row) =>
      (row.grant === undefined || row.grant === grant) &&
      (row.silent !== true || (row.error === undefined ? isSilent : text === '')) &&
      (row.error === undefined || row.error === code) &&
      (row.text === undefined || new RegExp(row.text, 'is').test(text)),
  );
}

function codeOf(
  status: number,
  error: string | undefined,
  retryAfter: number | undefined,
): ErrorCode {
  if (status === 429 || (status === 503 && retryAfter !== undefined)) return 'ISSUER_BUSY';
  if (status >= 500 || status === 408) return 'ISSUER_UNREACHABLE';
  if (error !== undefined && Object.hasOwn(MEANING, error))
    return MEANING[error] ?? 'ISSUER_ANSWER_INVALID';
  return status === 401 ? 'CLIENT_REFUSED' : 'ISSUER_ANSWER_INVALID';
}

function errorOf(
  code: string | undefined,
  description: string | undefined,
  secrets: readonly string[],
): { error: string; description: string } | undefined {
  if (code === undefined || !/^[\w.-]{1,64}$/.test(code)) return undefined;
  // Standard codes are never masked, even if a secret is part of one.
  const error = STANDARD.has(code) ? code : withoutSecrets(code, secrets);
  if (error === MASK) return undefined;
  return {
    error,
    description: description === undefined ? '' : harmless(withoutSecrets(description, secrets)),
  };
}

/**
 * Redacts a text of an issuer: masks long unbroken runs, which could be tokens, and
 * removes control characters and the rest after 160 characters.
 */
export function harmless(text: string): string {
  return text
    .replaceAll(/[^ -~]+/g, ' ')
    .replaceAll(/[^ ]{20,}/g, MASK)
    .trim()
    .slice(0, 160);
}

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
 * Normalises members on which openid-client is stricter than issuers: an invalid lifetime
 * (the token's own `exp` or a default is used), a missing token type, null or an empty
 * text for a missing value, and scopes as a list. The ID token is left out: this project
 * verifies it, with the names that a profile allows.
 */
export function normalised(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const soft: Record<string, unknown> = { ...json };
  for (const [name, value] of Object.entries(soft))
    if (value === null || value === '') delete soft[name];
  if (saneLifetime(soft['expires_in']) === undefined) delete soft['expires_in'];
  if (soft['access_token'] !== undefined && soft['token_type'] === undefined)
    soft['token_type'] = 'bearer';
  const scope = scopeText(soft['scope']);
  if (scope !== undefined) soft['scope'] = scope;
  delete soft['id_token'];
  return soft;
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
