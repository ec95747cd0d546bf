// Standing tokens that are fetched by client credentials: the request, and checks of the
// answer.
import { CodedError, jwtClaims } from '@credmon/core/base';
import type { MetadataCache } from '@credmon/core/oauth';
import { fetchToken } from '../client/credentials.ts';
import type { ClientOptions } from '../client/registration.ts';
import { issuedWith } from '../common/outcomes.ts';
import type { Outcome, ProviderContext } from '../common/provider.ts';
import type { FetchedStanding } from '../../settings/standing.ts';
import { provenanceWrite, type IssuedStanding } from './provenance.ts';

/**
 * Fetches a standing token. Its provenance is written as `.top`, which fetched tokens do
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

/**
 * Compares the subject of a JWT with the configured one, if there is one.
 * @throws CodedError `ISSUER_ANSWER_INVALID`
 */
export function checkSubject(
  { name, subject }: Pick<IssuedStanding, 'name' | 'subject'>,
  accessToken: string,
): void {
  const sub = jwtClaims(accessToken)?.['sub'];
  if (subject === undefined || sub === undefined || sub === subject) return;
  throw new CodedError(
    'ISSUER_ANSWER_INVALID',
    `subject mismatch: CREDMON_STANDING_${name}_SUBJECT is ${subject}, the token has another one; nothing was stored`,
    { token: name },
  );
}
