// What a job may read of a token response: `.use` is copied into every job's sandbox, so refresh tokens and ID tokens stay out of it.
import { isRecord, nestsWithin } from '../base/values/json.ts';
import { secretSearch } from './secret-search.ts';
import { SHORT_SECRET } from './secret-text.ts';

/** `secrets`: texts that were sent or received (refresh tokens first of all); `idToken`: true keeps `id_token`. */
export interface JobReadableOptions {
  readonly secrets: readonly string[];
  readonly idToken: boolean;
}

/** Containers deeper than this are emptied; a `.use` that nests deeper is refused by its readers. */
const DEEPEST = 64;

/**
 * Returns a token response without refresh tokens (and without ID tokens, unless they are asked for) at any depth: members whose name
 * says so, in any spelling, members and elements that equal or contain one of them or one of `secrets`, and objects whose token type
 * is a refresh token. The response's own `access_token` stays.
 * @see RFC 6749, section 1.5 (a refresh token is for the authorization server alone); OpenID Connect Core 1.0, section 2
 */
export function jobReadable(
  answer: Readonly<Record<string, unknown>>,
  { secrets, idToken }: JobReadableOptions,
): Record<string, unknown> {
  const isSecretName = (name: string): boolean =>
    isRefreshName(name) || (!idToken && /^idtokens?$/.test(plain(name)));
  const found = [...secrets, ...textsUnder(answer, isSecretName, 0)];
  const rules = {
    isSecretName,
    isSecret: secretSearch(found.filter((secret) => secret !== answer['access_token'])),
  };
  const { access_token: accessToken, ...others } = answer;
  const kept = membersOf(others, rules, 0);
  return accessToken === undefined ? kept : { access_token: accessToken, ...kept };
}

/** What is removed: by the name of a member, and by the text of a name or value. */
interface Rules {
  readonly isSecretName: (name: string) => boolean;
  readonly isSecret: (text: string) => boolean;
}

/** A name without case and separators: `refreshToken`, `Refresh-Token` and `refresh_token` are one. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

function isRefreshName(name: string): boolean {
  return /refreshtokens?$/.test(plain(name));
}

/** The texts of all members with a secret name, also in a list. */
function textsUnder(value: unknown, isSecretName: Rules['isSecretName'], depth: number): string[] {
  const texts: string[] = [];
  const visit = (inner: unknown, level: number): void => {
    if (typeof inner !== 'object' || inner === null || level > DEEPEST) return;
    if (Array.isArray(inner)) return inner.forEach((each) => visit(each, level + 1));
    for (const [name, member] of Object.entries(inner)) {
      if (isSecretName(name)) texts.push(...[member].flat().filter((text) => typeof text === 'string'));
      else visit(member, level + 1);
    }
  };
  visit(value, depth);
  return texts;
}

/** The value without what is secret; `undefined` when nothing of it may stay. */
function valueOf(value: unknown, rules: Rules, depth: number): unknown {
  if (typeof value === 'string') return textOf(value, rules, depth);
  if (typeof value === 'number') return rules.isSecret(String(value)) ? undefined : value;
  if (Array.isArray(value)) {
    if (depth > DEEPEST) return [];
    return value.map((each) => valueOf(each, rules, depth + 1)).filter((each) => each !== undefined);
  }
  if (!isRecord(value)) return value;
  return isRefreshToken(value) ? undefined : membersOf(value, rules, depth);
}

function membersOf(
  object: Readonly<Record<string, unknown>>,
  rules: Rules,
  depth: number,
): Record<string, unknown> {
  if (depth > DEEPEST) return {};
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, inner]) => {
      if (rules.isSecretName(name) || (name.length >= SHORT_SECRET && rules.isSecret(name))) return [];
      const kept = valueOf(inner, rules, depth + 1);
      return kept === undefined ? [] : [[name, kept]];
    }),
  );
}

/** An object that calls its own token a refresh token, whatever the member with the token is called. */
function isRefreshToken(object: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(object).some(
    ([name, value]) =>
      plain(name).endsWith('tokentype') && typeof value === 'string' && plain(value).endsWith('refreshtoken'),
  );
}

/** A text that is JSON itself is cleaned inside; it is removed when it nests too deep to be written again. */
function textOf(text: string, rules: Rules, depth: number): string | undefined {
  if (/^\s*[[{]/.test(text)) {
    const inner = parsed(text);
    if (!nestsWithin(inner, DEEPEST)) return undefined;
    const kept = inner === undefined ? undefined : valueOf(inner, rules, depth + 1);
    if (inner !== undefined && JSON.stringify(kept) !== JSON.stringify(inner))
      return kept === undefined ? undefined : JSON.stringify(kept);
  }
  return rules.isSecret(text) ? undefined : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON after all: an ordinary text.
    return undefined;
  }
}
