// Tokens that the Access Point fetches as a client of its own, for a user whom the
// administrator vouches for in the scopes.
import { type MetadataCache, clientCredentialsGrant, type TokenWish } from '@credmon/core/oauth';
import {
  type Parsed,
  type TokenSnapshot,
  type TokenAnswer,
  type UseFile,
} from '@credmon/core/credential';
import {
  lookUpClients,
  metadataOf,
  clientUse,
  type ClientOptions,
  registrationOf,
} from './registration.ts';
import { type TokenClient, scopesFor } from '../../settings/clients.ts';
import type { Outcome, Provider, ProviderContext } from '../common/provider.ts';
import { issuedWith, refusal } from '../common/outcomes.ts';
import { asPromised, remember } from '../common/expiry-cache.ts';
import { audienceNote, joinNotes, checkScopes } from '../common/granted-scopes.ts';

/**
 * The client credentials provider. What `.top` says is never looked at: it only shows
 * that somebody wants the token.
 * @see RFC 6749, section 4.4
 */
export function clientCredentials(options: ClientOptions): Provider {
  const metadata = metadataOf(options);
  const { clientOf, basis, issuerOf } = lookUpClients(options);
  return {
    name: 'client',
    view: (token) => asPromised(options.promises, token, options.defaultLifetime),
    renewable: (token) => renewable(token, clientOf(token)),
    basis,
    issuerOf,
    obtain: async (token, _, context) => {
      try {
        const client = clientOf(token);
        if (!client) return refusal(token, new TypeError('no client'));
        return await obtain(token, client, metadata, options, context);
      } catch (error) {
        return refusal(token, error);
      }
    },
  };
}

function renewable({ top }: TokenSnapshot, client: TokenClient | undefined): Parsed<true> {
  if (!client) return { ok: false, reason: 'its provider is not configured' };
  if (top.kind === 'valid') return { ok: true, value: true };
  const reason = top.kind === 'missing' ? '.top is missing: not requested' : `.top ${top.reason}`;
  return { ok: false, reason };
}

async function obtain(
  token: TokenSnapshot,
  client: TokenClient,
  metadata: MetadataCache,
  options: ClientOptions,
  context: ProviderContext,
): Promise<Outcome> {
  const { audience, resources } = client;
  const wish = { scope: scopesFor(client.scopes, token.user), audience, resources };
  const { use, noted } = await fetchToken(client, wish, metadata, options, context);
  if (!client.json) remember(options.promises, token, use.times);
  return { ...issuedWith(use, undefined, false), ...noted };
}

// One token by a client's own credentials, judged: what the issuer may grant, and how
// long it lives.

/**
 * A fetched token and its file; `noted` says that the issuer granted less than was asked,
 * or for another audience.
 */
interface FetchedToken {
  readonly answer: TokenAnswer;
  readonly use: UseFile;
  readonly noted: { readonly note?: string };
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
  return { answer, use: clientUse(client, answer, context, options), noted };
}
