// Tokens that the Access Point fetches as a client of its own, for a user whom the administrator vouches for in the scopes.
import {
  clientCredentialsGrant,
  compareScopes,
  originOf,
  promisedLifetime,
  splitStem,
  type MetadataCache,
  type Parsed,
  type TokenSnapshot,
} from '@credmon/core';
import { basisOf } from './basis.ts';
import {
  metadataOf,
  narrowed,
  refuseWider,
  registrationOf,
  useWrite,
  type ClientOptions,
} from './client-registration.ts';
import type { TokenClient } from './client-settings.ts';
import type { Outcome, Provider, ProviderContext } from './provider.ts';
import { refusal } from './refusal.ts';
import { scopesFor } from './scope-template.ts';

/**
 * The client credentials provider. What `.top` says is never looked at: it only shows that somebody wants the token.
 * @see RFC 6749, section 4.4
 */
export function clientCredentials(options: ClientOptions): Provider {
  const metadata = metadataOf(options);
  const clients = new Map(options.clients.map((client) => [client.name, client]));
  const clientOf = ({ stem }: TokenSnapshot): TokenClient | undefined =>
    clients.get(splitStem(stem, options.specialNames)?.service ?? '');
  return {
    name: 'client',
    renewable: (token) => renewable(token, clientOf(token)),
    basis: (token) => {
      const client = clientOf(token);
      return basisOf(token, [client, client?.secretFile && options.secretVersion(client.secretFile)]);
    },
    issuerOf: (token) => {
      const client = clientOf(token);
      return originOf(client?.tokenUrl ?? client?.issuers[0] ?? '');
    },
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
  const reason = top.kind === 'missing' ? '.top is missing: nobody asks for it' : `.top ${top.reason}`;
  return { ok: false, reason };
}

async function obtain(
  token: TokenSnapshot,
  client: TokenClient,
  metadata: MetadataCache,
  options: ClientOptions,
  context: ProviderContext,
): Promise<Outcome> {
  const { send, now } = context;
  const scope = scopesFor(client.scopes, token.user);
  const registration = await registrationOf(client, client.issuers[0], metadata, options, context);
  const wish = { scope, audience: client.audience, resources: client.resources, now };
  const answer = await clientCredentialsGrant(send, registration, wish);
  const { wider, narrower } = compareScopes(scope, answer.scope);
  refuseWider(client.name, wider);
  const issuedAt = Math.floor(now);
  const expiresAt = issuedAt + promisedLifetime(answer.answer, options.defaultLifetime, issuedAt);
  return {
    kind: 'issued',
    // It can be fetched again: no fsync.
    writes: [{ ...useWrite(client, answer, context, options), durable: false }],
    times: { issuedAt, expiresAt },
    rotated: false,
    ...narrowed(narrower),
  };
}
