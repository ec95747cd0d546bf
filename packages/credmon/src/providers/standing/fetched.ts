// Standing tokens that are fetched with a client's own credentials: what the issuer may
// answer, and what is remembered of it.
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

/**
 * What is known of a fetched token beside its file: the configuration that it answers,
 * and its lifetime in seconds.
 */
export interface Provenance {
  readonly stands: string;
  readonly lifetime: number;
}

/**
 * Fetches one. Its provenance is written as `.top`, which standing tokens have none of:
 * the store remembers it.
 * @throws CodedError `ISSUER_ANSWER_INVALID` when it is for another subject than
 * configured, and as `fetchToken`
 */
export async function fetchStanding(
  token: FetchedStanding,
  metadata: MetadataCache,
  options: ClientOptions,
  context: ProviderContext,
): Promise<Outcome> {
  const { client, audience, resources, format } = token;
  const wish = { scope: token.scope.join(' '), audience, resources };
  const asClient = { ...client, json: format === 'json' };
  const { answer, use, noted } = await fetchToken(asClient, wish, metadata, options, context);
  checkSubject(token, answer.accessToken);
  const { writes, ...issued } = issuedWith(use, undefined, false);
  return { ...issued, writes: [provenanceWrite(token, use.times), ...writes], ...noted };
}

function checkSubject({ name, subject }: FetchedStanding, accessToken: string): void {
  const sub = jwtClaims(accessToken)?.['sub'];
  if (subject === undefined || sub === undefined || sub === subject) return;
  throw new CodedError(
    'ISSUER_ANSWER_INVALID',
    `the token is for another subject than CREDMON_STANDING_${name}_SUBJECT says (${subject}); nothing was stored`,
    { token: name },
  );
}

/** All that makes a token another one, as one text without a secret. */
export function standsOf({ client, scope, audience, resources, subject }: FetchedStanding): string {
  const { clientId, tokenUrl, issuers } = client;
  return JSON.stringify([clientId, tokenUrl, issuers, scope, audience, resources, subject]);
}

function provenanceWrite(token: FetchedStanding, { issuedAt, expiresAt }: TokenTimes): TokenWrite {
  const provenance: Provenance = { stands: standsOf(token), lifetime: expiresAt - issuedAt };
  return { kind: 'top', text: JSON.stringify(provenance), durable: false };
}

/** Reads what {@link fetchStanding} wrote as `.top`. */
export function provenanceIn(text: string): Provenance | undefined {
  const object = parseObject(text);
  const { stands, lifetime } = object.ok && isRecord(object.value) ? object.value : {};
  return typeof stands === 'string' && typeof lifetime === 'number'
    ? { stands, lifetime }
    : undefined;
}

/**
 * True when a token of unknown provenance says itself that it does not answer this
 * configuration. An issuer may write less than it was asked for, or otherwise, so this is
 * worth a fetch but no verdict; an opaque token says nothing.
 */
export function contradicts(text: string, token: FetchedStanding): boolean {
  const claims = jwtClaims(accessTokenIn(text, token.format) ?? '');
  if (!claims) return false;
  const { client, subject, scope, audience, resources } = token;
  const other = (claim: string, asked: readonly string[]): boolean => {
    const said = wordsOf(claims[claim]) ?? '';
    return said !== '' && asked.length > 0 && !sameWords(said, asked);
  };
  return (
    other('iss', client.issuers) ||
    other('sub', subject === undefined ? [] : [subject]) ||
    other('scope', scope) ||
    other('aud', [...audience, ...resources])
  );
}

function sameWords(said: string, asked: readonly string[]): boolean {
  const words = new Set(splitScopes(said));
  return words.size === new Set(asked).size && asked.every((word) => words.has(word));
}
