// What all providers of configured clients have in common: whose a token is, what its
// renewal stands on, and whom it asks.
import { originOf } from '@credmon/core/base';
import { splitStem, type TokenSnapshot } from '@credmon/core/credential';
import { basisOf } from '../common/fingerprint.ts';
import type { ClientOptions } from './registration.ts';
import type { TokenClient } from '../../settings/clients.ts';
import type { Provider } from '../common/provider.ts';

/** A provider's first half: `clientOf` by the service in the token's name. */
export interface ClientLookup extends Pick<Provider, 'basis' | 'issuerOf'> {
  readonly clientOf: (token: TokenSnapshot) => TokenClient | undefined;
}

/**
 * The look-up among these clients. A failure counts no longer once the client or its
 * secret has changed.
 */
export function lookUpClients({
  clients,
  specialNames,
  secretVersion,
}: ClientOptions): ClientLookup {
  const byName = new Map(clients.map((client) => [client.name, client]));
  const clientOf = ({ stem }: TokenSnapshot): TokenClient | undefined =>
    byName.get(splitStem(stem, specialNames)?.service ?? '');
  return {
    clientOf,
    basis: (token) => {
      const client = clientOf(token);
      return basisOf(token, [client, client?.secretFile && secretVersion(client.secretFile)]);
    },
    issuerOf: (token) => issuerOrigin(clientOf(token)),
  };
}

/**
 * The server that a client asks: its clients share the caps and the bad days of one
 * issuer.
 */
export function issuerOrigin(client: TokenClient | undefined): string {
  return originOf(client?.tokenUrl ?? client?.issuers[0] ?? '');
}
