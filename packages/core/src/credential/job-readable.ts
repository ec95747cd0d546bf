// What a job may read of a token response: `.use` is copied into every job's sandbox, so
// refresh tokens and ID tokens stay out of it.
import { isRecord, nestsWithin } from '../base/values/json.ts';
import { SHORT_SECRET } from './secret-text.ts';
import {
  isRefreshMember,
  isRefreshObject,
  isRefreshPair,
  mentionsRefreshToken,
  plainName,
  tokensBelow,
  tokensInText,
} from './refresh-spelling.ts';
import { textsOf } from './readings.ts';
import { CodedError } from '../base/errors/errors.ts';
import { MAX_CREDENTIAL_BYTES } from './contents.ts';
import { digestUse } from './digest.ts';

/**
 * `secrets`: texts that were sent or received (refresh tokens first of all); `idToken`:
 * true keeps `id_token`.
 */
interface JobReadableOptions {
  readonly secrets: readonly string[];
  readonly idToken: boolean;
}

/**
 * Containers deeper than this are emptied; a `.use` that nests deeper is refused by its
 * readers.
 */
const DEEPEST = 64;

/**
 * Returns a token response without refresh tokens (and without ID tokens, unless they are
 * asked for) at any depth: members whose name says so, in any spelling, members and
 * elements that equal or contain one of them or one of `secrets`, objects whose type is a
 * refresh token, and texts that name one; also in JSON inside of texts. The response's
 * own `access_token` stays.
 * @see RFC 6749, section 1.5 (a refresh token is for the authorization server alone);
 * OpenID Connect Core 1.0, section 2
 */
export function jobReadable(
  answer: Readonly<Record<string, unknown>>,
  { secrets, idToken }: JobReadableOptions,
): Record<string, unknown> {
  const isSecretMember = (name: string, value: unknown): boolean =>
    isRefreshMember(name, value) || (!idToken && /^idtokens?$/.test(plainName(name)));
  const found = [...secrets, ...secretsIn(answer, isSecretMember)];
  const isSecret = secretSearch(found.filter((secret) => secret !== answer['access_token']));
  const rules = { isSecretMember, isSecret };
  const { access_token: accessToken, ...others } = answer;
  const kept = membersOf(others, rules, 0);
  return accessToken === undefined ? kept : { access_token: accessToken, ...kept };
}

/** What is removed: by name and value of a member, and by the text of a name or value. */
interface Rules {
  readonly isSecretMember: (name: string, value: unknown) => boolean;
  readonly isSecret: (text: string) => boolean;
}

/**
 * The texts of all secret members, objects and pairs, also in texts that are JSON or a
 * form.
 */
function secretsIn(
  answer: Readonly<Record<string, unknown>>,
  isSecretMember: Rules['isSecretMember'],
): string[] {
  const texts: string[] = [];
  const take = (value: unknown): void => {
    for (const text of tokensBelow(value, DEEPEST)) texts.push(text);
  };
  const visit = (value: unknown, depth: number): void => {
    if (depth > DEEPEST) return;
    if (typeof value === 'string') {
      for (const token of tokensInText(value)) texts.push(token);
      visit(parsed(value), depth + 1);
    } else if (Array.isArray(value)) {
      for (const each of value)
        if (Array.isArray(each) && isRefreshPair(each)) take(each[1]);
        else visit(each, depth + 1);
    } else if (isRecord(value)) {
      if (depth > 0 && isRefreshObject(value)) take(value);
      else visitMembers(value, depth);
    }
  };
  const visitMembers = (object: Readonly<Record<string, unknown>>, depth: number): void => {
    for (const [name, member] of Object.entries(object))
      if (isSecretMember(name, member)) take(member);
      else visit(member, depth + 1);
  };
  visit(answer, 0);
  return texts;
}

/** The value without what is secret; `undefined` when nothing of it may stay. */
function valueOf(value: unknown, rules: Rules, depth: number): unknown {
  if (typeof value === 'string') return textOf(value, rules, depth);
  if (typeof value === 'number') return rules.isSecret(String(value)) ? undefined : value;
  if (Array.isArray(value)) {
    if (depth > DEEPEST) return [];
    return value
      .map((each) =>
        Array.isArray(each) && isRefreshPair(each) ? undefined : valueOf(each, rules, depth + 1),
      )
      .filter((each) => each !== undefined);
  }
  if (!isRecord(value)) return value;
  return isRefreshObject(value) ? undefined : membersOf(value, rules, depth);
}

function membersOf(
  object: Readonly<Record<string, unknown>>,
  rules: Rules,
  depth: number,
): Record<string, unknown> {
  if (depth > DEEPEST) return {};
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, inner]) => {
      if (
        rules.isSecretMember(name, inner) ||
        (name.length >= SHORT_SECRET && rules.isSecret(name))
      )
        return [];
      const kept = valueOf(inner, rules, depth + 1);
      return kept === undefined ? [] : [[name, kept]];
    }),
  );
}

/**
 * A text that is JSON itself is cleaned inside; it is removed when it nests too deep to
 * be written again.
 */
function textOf(text: string, rules: Rules, depth: number): string | undefined {
  const inner = parsed(text);
  if (inner === undefined)
    return mentionsRefreshToken(text) || rules.isSecret(text) ? undefined : text;
  if (!nestsWithin(inner, DEEPEST)) return undefined;
  const kept = valueOf(inner, rules, depth + 1);
  if (kept === undefined) return undefined;
  const written = JSON.stringify(kept);
  // Of a name that is there twice the parser keeps the last value, and the text holds
  // both.
  const isClean =
    written === JSON.stringify(inner) && !mentionsRefreshToken(text) && !rules.isSecret(text);
  return isClean ? text : written;
}

/**
 * The object, list or text that a text of JSON stands for; `undefined` for every other
 * text.
 */
function parsed(text: string): unknown {
  if (!/^\s*["[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON after all: an ordinary text.
    return undefined;
  }
}

// Says whether a text holds one of many secrets, in time that grows with texts and
// secrets together, not with their product. Pure.

/** So many characters are compared; after them the end of a secret is enough. */
const MOST_COMPARED = 4 * 1024 * 1024;

/**
 * Returns a function that says whether a text equals a secret, contains one of at least
 * {@link SHORT_SECRET} characters, or has a shorter one as a whole word; also where the
 * text is percent-encoded or has escapes of JSON or HTML.
 */
function secretSearch(secrets: readonly string[]): (text: string) => boolean {
  const known = new Set(secrets.filter((secret) => secret !== ''));
  if (known.size === 0) return () => false;
  const words = new Set([...known].filter((secret) => secret.length < SHORT_SECRET));
  const hasPart = partSearch([...known].filter((secret) => secret.length >= SHORT_SECRET));
  const shortest = words.size > 0 ? 1 : SHORT_SECRET;
  return (text) =>
    text.length >= shortest &&
    textsOf(text).some(
      (read) =>
        known.has(read) ||
        hasPart(read) ||
        (words.size > 0 && read.split(/[^\w.~+/-]+/).some((word) => words.has(word))),
    );
}

/**
 * Every place of a text is looked up among the ends of all secrets: heads are alike where
 * secrets are JWTs.
 */
function partSearch(secrets: readonly string[]): (text: string) => boolean {
  const byEnd = new Map<string, string[]>();
  for (const secret of secrets) {
    const end = secret.slice(-SHORT_SECRET);
    const alike = byEnd.get(end);
    if (alike) alike.push(secret);
    else byEnd.set(end, [secret]);
  }
  const lasts = new Set(secrets.map((secret) => secret.charCodeAt(secret.length - 1)));
  let compared = 0;
  const matches = (secret: string, text: string, end: number): boolean => {
    compared += secret.length;
    return compared > MOST_COMPARED || text.startsWith(secret, end - secret.length);
  };
  return (text) => {
    for (let end = SHORT_SECRET; end <= text.length; end += 1) {
      if (!lasts.has(text.charCodeAt(end - 1))) continue;
      const ending = byEnd.get(text.slice(end - SHORT_SECRET, end));
      if (ending?.some((secret) => matches(secret, text, end))) return true;
    }
    return false;
  };
}

// The last look at a `.use` before it takes the place of a good one: what no reader could
// read would be fetched again at every pass.

/**
 * Whose answer a text was made of, when (epoch seconds), and the lifetime of a token that
 * says nothing, in seconds.
 */
export interface UseOrigin {
  readonly provider: string;
  readonly now: number;
  readonly defaultLifetime: number;
}

/**
 * The text itself, when a scan will find a token in it.
 * @throws CodedError `ISSUER_ANSWER_INVALID` when it would be too large, nested too deep,
 * or no token
 */
export function readableUse(text: string, { provider, now, defaultLifetime }: UseOrigin): string {
  const bytes = Buffer.byteLength(text);
  const digest = digestUse(text, now, defaultLifetime);
  if (bytes <= MAX_CREDENTIAL_BYTES && digest.ok) return text;
  const why = digest.ok ? `has ${bytes} bytes, more than ${MAX_CREDENTIAL_BYTES}` : digest.reason;
  throw new CodedError(
    'ISSUER_ANSWER_INVALID',
    `invalid token response for ${provider}: the file made of it ${why}`,
    { provider },
  );
}
