// One token by a client's own credentials, judged: what the issuer may grant, and how
// long it lives.
import { clientCredentialsGrant, type MetadataCache, type TokenWish } from '@credmon/core/oauth';
import { promisedLifetime, type TokenAnswer, type TokenTimes } from '@credmon/core/credential';
import { registrationOf, type ClientOptions } from './registration.ts';
import type { TokenClient } from '../../settings/clients.ts';
import { audienceNote, joinNotes } from '../common/granted-audience.ts';
import { checkScopes } from '../common/granted-scopes.ts';
import type { ProviderContext } from '../common/provider.ts';

/**
 * A fetched token; `note` when the issuer granted less than was asked, or for another
 * audience.
 */
export interface FetchedToken {
  readonly answer: TokenAnswer;
  readonly times: TokenTimes;
  readonly note?: string;
}

/**
 * Asks the client's issuer for a token.
 * @throws CodedError `SCOPE_WIDENED`, and whatever the registration and the grant throw
 * @see RFC 6749, section 4.4
 */
export async function fetchToken(
  client: TokenClient,
  wish: Omit<TokenWish, 'now'>,
  metadata: MetadataCache,
  options: ClientOptions,
  context: ProviderContext,
): Promise<FetchedToken> {
  const { send } = context;
  const registration = await registrationOf(client, client.issuers[0], metadata, options, context);
  const answer = await clientCredentialsGrant(send, registration, { ...wish, now: context.now });
  const { note } = checkScopes({
    ...client,
    extra: client.extraScopes,
    asked: wish.scope,
    granted: answer.scope,
  });
  const noted = joinNotes(
    note,
    audienceNote([...wish.audience, ...wish.resources], answer.accessToken),
  );
  const issuedAt = Math.floor(context.now);
  const expiresAt = issuedAt + promisedLifetime(answer.answer, options.defaultLifetime, issuedAt);
  return { answer, times: { issuedAt, expiresAt }, ...noted };
}
