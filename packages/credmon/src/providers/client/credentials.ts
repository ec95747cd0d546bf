// Tokens that the Access Point fetches as a client of its own, for a user whom the
// administrator vouches for in the scopes.
import type { MetadataCache } from '@credmon/core/oauth';
import type { Parsed, TokenSnapshot } from '@credmon/core/credential';
import { fetchToken } from './fetch.ts';
import { lookUpClients } from './lookup.ts';
import { metadataOf, useWrite, type ClientOptions } from './registration.ts';
import type { TokenClient } from '../../settings/clients.ts';
import type { Outcome, Provider, ProviderContext } from '../common/provider.ts';
import { refusal } from '../common/rejection.ts';
import { scopesFor } from '../../settings/scope-template.ts';
import { asPromised, remember } from '../common/expiry-cache.ts';

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
  const { answer, ...fetched } = await fetchToken(client, wish, metadata, options, context);
  // It can be fetched again: no fsync.
  const write = { ...useWrite(client, answer, context, options), durable: false };
  if (!client.json) remember(options.promises, token, fetched.times);
  return { kind: 'issued', writes: [write], rotated: false, ...fetched };
}
