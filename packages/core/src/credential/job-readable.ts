// The part of a token response that a job may read: `.use` is copied into the sandbox of
// every job, so it must not contain refresh tokens and ID tokens.
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
  textsOf,
} from './refresh-spelling.ts';
import { CodedError } from '../base/errors/errors.ts';
import { MAX_CREDENTIAL_BYTES } from './file-contents.ts';
import { digestUse } from './digest.ts';

/**
 * `secrets`: texts that were sent or received, above all refresh tokens. `idToken`: true
 * keeps `id_token`.
 */
interface JobReadableOptions {
  readonly secrets: readonly string[];
  readonly idToken: boolean;
}

/** Containers nested deeper are emptied: readers reject a `.use` that nests deeper. */
const DEEPEST = 64;

/**
 * Returns a token response without refresh tokens (and without ID tokens, unless
 * `idToken` is true) at any depth. It removes: members named like one, in any spelling;
 * members and elements that equal or contain one of them or one of `secrets`; objects
 * whose type is a refresh token; texts that name one; and all of these inside JSON texts.
 * The response's own `access_token` is kept.
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
  const known = found.filter((secret) => secret !== answer['access_token']);
  const rules = { isSecretMember, isSecret: secretSearch(known) };
  // A short secret may also be the name of a scope.
  const long = secretSearch(known.filter((secret) => secret.length >= SHORT_SECRET));
  const { access_token: accessToken, scope, ...others } = answer;
  return {
    ...(accessToken === undefined ? {} : { access_token: accessToken }),
    ...membersOf(others, rules, 0),
    ...membersOf(scope === undefined ? {} : { scope }, { ...rules, isSecret: long }, 0),
  };
}

/**
 * The rules of removal: by name and value of a member, and by the text of a name or
 * value.
 */
interface Rules {
  readonly isSecretMember: (name: string, value: unknown) => boolean;
  readonly isSecret: (text: string) => boolean;
}

/**
 * Returns the texts of all secret members, objects and pairs, also inside texts that are
 * JSON or a form.
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

/** Returns the value without its secrets; `undefined` if nothing of it may be kept. */
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
 * Cleans a text that is JSON inside. Removes it if it nests too deep to be serialised.
 */
function textOf(text: string, rules: Rules, depth: number): string | undefined {
  const inner = parsed(text);
  if (inner === undefined)
    return mentionsRefreshToken(text) || rules.isSecret(text) ? undefined : text;
  if (!nestsWithin(inner, DEEPEST)) return undefined;
  const kept = valueOf(inner, rules, depth + 1);
  if (kept === undefined) return undefined;
  const written = JSON.stringify(kept);
  // JSON.parse keeps the last of two members with the same name, but the text contains
  // both.
  const isClean =
    written === JSON.stringify(inner) && !mentionsRefreshToken(text) && !rules.isSecret(text);
  return isClean ? text : written;
}

/**
 * Parses a text that is a JSON object, list or string; returns `undefined` for other
 * texts.
 */
function parsed(text: string): unknown {
  if (!/^\s*["[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: an ordinary text.
    return undefined;
  }
}

// Searches texts for many secrets, in time proportional to the sum of the lengths of
// texts and secrets, not to their product. Pure.

/**
 * The maximum number of compared characters; beyond it, matching the end of a secret is
 * enough.
 */
const MOST_COMPARED = 4 * 1024 * 1024;

/**
 * Returns a function that is true for a text that equals a secret, contains a secret of
 * at least {@link SHORT_SECRET} characters, or has a shorter one as a whole word; also if
 * the text is percent-encoded or has escapes of JSON or HTML.
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
 * Looks up each position of a text in an index of the ends of all secrets. Not the
 * starts: those of JWTs are alike.
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

// Validation of a `.use` before it replaces a valid one: an invalid file would be renewed
// again at every pass.

/**
 * The provider of the response, the time (epoch seconds), and the lifetime in seconds of
 * a token without times.
 */
export interface UseOrigin {
  readonly provider: string;
  readonly now: number;
  readonly defaultLifetime: number;
}

/**
 * Returns the text if a scan will find a token in it.
 * @throws CodedError `ISSUER_ANSWER_INVALID` if it is too large, nested too deep, or not
 * a token
 */
export function readableUse(text: string, { provider, now, defaultLifetime }: UseOrigin): string {
  const bytes = Buffer.byteLength(text);
  const digest = digestUse(text, now, defaultLifetime);
  if (bytes <= MAX_CREDENTIAL_BYTES && digest.ok) return text;
  const why = digest.ok ? `has ${bytes} bytes, more than ${MAX_CREDENTIAL_BYTES}` : digest.reason;
  throw new CodedError(
    'ISSUER_ANSWER_INVALID',
    `invalid token response for ${provider}: the resulting .use file ${why}`,
    { provider },
  );
}
