// From a client's settings to what a token request needs: its endpoint, and its secret or
// key as they are now.
import { smallest, type Random, originOf } from '@credmon/core/base';
import {
  clientAssertion,
  createMetadataCache,
  type ClientRegistration,
  type MetadataCache,
} from '@credmon/core/oauth';
import {
  useFile,
  type UseFile,
  type TokenAnswer,
  splitStem,
  type TokenSnapshot,
} from '@credmon/core/credential';
import type { TokenClient } from '../../settings/clients.ts';
import { secretOf, type ProviderContext, type Provider } from '../common/provider.ts';
import type { SilentLifetimes } from '../common/expiry-cache.ts';
import { basisOf } from '../common/outcomes.ts';

/**
 * What providers of these clients need to know. `secretVersion` changes with a secret
 * file; `defaultLifetime` in seconds.
 */
export interface ClientOptions {
  readonly clients: readonly TokenClient[];
  readonly secretVersion: (path: string) => string;
  readonly random: Random;
  readonly promises: SilentLifetimes;
  readonly specialNames: boolean;
  readonly allowLoopbackHttp: boolean;
  /** Servers beside the issuers' own that their metadata may name. */
  readonly endpointOrigins: readonly string[];
  readonly defaultLifetime: number;
}

/** A cache of the metadata of these clients' issuers. */
export function metadataOf({
  clients,
  allowLoopbackHttp,
  endpointOrigins,
}: ClientOptions): MetadataCache {
  const lifetime = smallest(
    clients.map(({ endpointLifetime }) => endpointLifetime),
    86_400,
  );
  return createMetadataCache({ lifetime, allowLoopbackHttp, origins: endpointOrigins });
}

/**
 * The registration of a client at one of its configured issuers; `issuer` is `undefined`
 * only where a token URL is configured. The secret is read again each time.
 * @throws CodedError `SECRET_UNREADABLE`, and what finding the metadata throws
 */
export async function registrationOf(
  client: TokenClient,
  issuer: string | undefined,
  metadata: MetadataCache,
  { random, allowLoopbackHttp }: ClientOptions,
  context: ProviderContext,
): Promise<ClientRegistration> {
  const { clientId, proof, keyId, secretFile } = client;
  const tokenUrl =
    client.tokenUrl ?? (await metadata.find(context.send, issuer ?? '', context.now)).tokenUrl;
  const common = {
    provider: client.name,
    clientId,
    tokenUrl,
    allowLoopbackHttp,
    ...(issuer === undefined ? {} : { issuer }),
  };
  if (proof === 'private_key_jwt') {
    const key = { clientId, keyId, pem: secretOf(secretFile ?? '', 'whole', context) };
    const assertion = (audience: string): string =>
      clientAssertion(key, audience, context.now, random);
    return { ...common, authentication: 'post', assertion };
  }
  const clientSecret = secretFile === undefined ? '' : secretOf(secretFile, 'line', context);
  return { ...common, authentication: proof, clientSecret };
}

/**
 * The `.use` of a client's token, as JSON or bare as configured.
 * @throws CodedError `ISSUER_ANSWER_INVALID` when no reader could read it
 */
export function clientUse(
  { name, json, useIdToken }: Pick<TokenClient, 'name' | 'json' | 'useIdToken'>,
  answer: TokenAnswer,
  { now }: ProviderContext,
  { defaultLifetime }: ClientOptions,
): UseFile {
  return useFile(answer, { provider: name, now, defaultLifetime, json, idToken: useIdToken });
}

// What all providers of configured clients have in common: whose a token is, what its
// renewal stands on, and whom it asks.

/** A provider's first half: `clientOf` by the service in the token's name. */
interface ClientLookup extends Pick<Provider, 'basis' | 'issuerOf'> {
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
