// Standing tokens that are fetched by client credentials: checks of the answer, and what
// is remembered of it.
import { CodedError, isRecord, jwtClaims } from '@credmon/core/base';
import { parseObject, splitScopes, type TokenTimes } from '@credmon/core/credential';
import type { MetadataCache } from '@credmon/core/oauth';
import type { TokenWrite } from '@credmon/core/store';
import { fetchToken } from '../client/credentials.ts';
import type { ClientOptions } from '../client/registration.ts';
import { issuedWith } from '../common/outcomes.ts';
import type { Outcome, ProviderContext } from '../common/provider.ts';
import { accessTokenIn, wordsOf } from '../common/granted-scopes.ts';
import type { FetchedStanding } from '../../settings/standing.ts';

/** A lifetime in seconds; `unlimited` for a token that does not expire. */
export type FetchedLifetime = number | 'unlimited';

/**
 * What is remembered of a fetched token: the configuration that it was requested with
 * (the JSON field `stands`), and its lifetime.
 */
export interface Provenance {
  readonly stands: string;
  readonly lifetime: FetchedLifetime;
}

/**
 * Fetches a standing token. Its provenance is written as `.top`, which standing tokens do
 * not have: the store remembers it.
 * @throws CodedError `ISSUER_ANSWER_INVALID` when the subject differs from the configured
 * one, and the errors of `fetchToken`
 */
export async function fetchStanding(
  token: FetchedStanding,
  metadata: MetadataCache,
  options: ClientOptions,
  context: ProviderContext,
): Promise<Outcome> {
  const { client, audience, resources, format } = token;
  const request = { scope: token.scope.join(' '), audience, resources };
  const asClient = { ...client, json: format === 'json' };
  const { answer, use, noted } = await fetchToken(asClient, request, metadata, options, context);
  checkSubject(token, answer.accessToken);
  const { writes, ...issued } = issuedWith(use, undefined, { durable: false });
  return { ...issued, writes: [provenanceWrite(token, use.times), ...writes], ...noted };
}

function checkSubject({ name, subject }: FetchedStanding, accessToken: string): void {
  const sub = jwtClaims(accessToken)?.['sub'];
  if (subject === undefined || sub === undefined || sub === subject) return;
  throw new CodedError(
    'ISSUER_ANSWER_INVALID',
    `subject mismatch: CREDMON_STANDING_${name}_SUBJECT is ${subject}, the token has another one; nothing was stored`,
    { token: name },
  );
}

/**
 * Returns everything in the configuration that makes it a different token, without a
 * secret.
 */
export function fingerprintInput({
  client,
  scope,
  audience,
  resources,
  subject,
}: FetchedStanding): string {
  const { clientId, tokenUrl, issuers } = client;
  return JSON.stringify([clientId, tokenUrl, issuers, scope, audience, resources, subject]);
}

function provenanceWrite(token: FetchedStanding, { issuedAt, expiresAt }: TokenTimes): TokenWrite {
  const seconds = expiresAt - issuedAt;
  const provenance: Provenance = {
    stands: fingerprintInput(token),
    lifetime: Number.isFinite(seconds) ? seconds : 'unlimited',
  };
  return { kind: 'top', text: JSON.stringify(provenance), durable: false };
}

/** Reads what {@link fetchStanding} wrote as `.top`. */
export function provenanceIn(text: string): Provenance | undefined {
  const object = parseObject(text);
  const { stands, lifetime } = object.ok && isRecord(object.value) ? object.value : {};
  return typeof stands === 'string' && isLifetime(lifetime) ? { stands, lifetime } : undefined;
}

/** True for what {@link Provenance} has as the lifetime. */
export function isLifetime(value: unknown): value is FetchedLifetime {
  return typeof value === 'number' || value === 'unlimited';
}

/**
 * True when the claims of a token of unknown provenance contradict the configuration.
 * Issuers may write less or differently, so this only causes a fetch; an opaque token
 * never contradicts.
 */
export function contradicts(text: string, token: FetchedStanding): boolean {
  const claims = jwtClaims(accessTokenIn(text, token.format) ?? '');
  if (!claims) return false;
  const { client, subject, scope, audience, resources } = token;
  const differs = (claim: string, asked: readonly string[]): boolean => {
    const claimed = wordsOf(claims[claim]) ?? '';
    return claimed !== '' && asked.length > 0 && !sameWords(claimed, asked);
  };
  return (
    differs('iss', client.issuers) ||
    differs('sub', subject === undefined ? [] : [subject]) ||
    differs('scope', scope) ||
    differs('aud', [...audience, ...resources])
  );
}

function sameWords(claimed: string, asked: readonly string[]): boolean {
  const words = new Set(splitScopes(claimed));
  return words.size === new Set(asked).size && asked.every((word) => words.has(word));
}
