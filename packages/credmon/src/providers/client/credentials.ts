// Tokens that the Access Point fetches as its own client. The administrator decides the
// scopes of each user.
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
import { bareState, issuedWith, rejectionOf } from '../common/outcomes.ts';
import { audienceNote, joinNotes, checkScopes } from '../common/granted-scopes.ts';

/**
 * The client credentials provider. The contents of `.top` are not used: its presence is
 * the request.
 * @see RFC 6749, section 4.4
 */
export function clientCredentials(options: ClientOptions): Provider {
  const metadata = metadataOf(options);
  const { clientOf, basis, issuerOf } = lookUpClients(options);
  return {
    name: 'client',
    renewable: (token) => renewable(token, clientOf(token)),
    basis,
    issuerOf,
    obtain: async (token, _, context) => {
      try {
        const client = clientOf(token);
        if (!client) return rejectionOf(token, new TypeError('no client'));
        return await obtain(token, client, metadata, options, context);
      } catch (error) {
        return rejectionOf(token, error);
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
  const request = { scope: scopesFor(client.scopes, token.user), audience, resources };
  const { answer, use, noted } = await fetchToken(client, request, metadata, options, context);
  const habits = { durable: false, ...bareState(client.json, answer, use) };
  return { ...issuedWith(use, undefined, habits), ...noted };
}

// Fetches one token by client credentials and checks the granted scopes and the lifetime.

/**
 * A fetched token and its file; `noted`: the issuer granted fewer scopes than requested,
 * or another audience.
 */
interface FetchedToken {
  readonly answer: TokenAnswer;
  readonly use: UseFile;
  readonly noted: { readonly note?: string };
}

/**
 * Requests a token from the client's issuer.
 * @throws CodedError `SCOPE_WIDENED`, and whatever the registration and the grant throw
 * @see RFC 6749, section 4.4
 */
export async function fetchToken(
  client: TokenClient,
  request: Omit<TokenWish, 'now'>,
  metadata: MetadataCache,
  options: ClientOptions,
  context: ProviderContext,
): Promise<FetchedToken> {
  const { send } = context;
  const registration = await registrationOf(client, client.issuers[0], metadata, options, context);
  const answer = await clientCredentialsGrant(send, registration, { ...request, now: context.now });
  const { note } = checkScopes({
    name: client.name,
    scopes: client.policy.scopes,
    asked: request.scope,
    granted: answer.scope,
  });
  const noted = joinNotes(
    note,
    audienceNote([...request.audience, ...request.resources], answer.accessToken),
  );
  return { answer, use: clientUse(client, answer, context, options), noted };
}
