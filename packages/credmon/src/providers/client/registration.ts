// Turns a client's settings into the registration for a token request: the endpoint, and
// the current secret or key.
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
import { defaultLifetimeOf } from '@credmon/core/profiles';
import type { TokenClient } from '../../settings/clients.ts';
import { secretOf, type ProviderContext, type Provider } from '../common/provider.ts';
import { basisOf } from '../common/outcomes.ts';

/**
 * Options of the providers with configured clients. `secretVersion` changes with a secret
 * file; `defaultLifetime` in seconds.
 */
export interface ClientOptions {
  readonly clients: readonly TokenClient[];
  readonly secretVersion: (path: string) => string;
  readonly random: Random;
  readonly specialNames: boolean;
  readonly allowLoopbackHttp: boolean;
  /** Additional origins that the issuers' metadata may name. */
  readonly endpointOrigins: readonly string[];
  readonly defaultLifetime: number;
}

/** Creates a cache for the metadata of these clients' issuers. */
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
 * Returns the registration of a client at one of its configured issuers; `issuer` is
 * `undefined` only if a token URL is configured. The secret is read each time.
 * @throws CodedError `SECRET_UNREADABLE`, and errors of the metadata look-up
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
    client.tokenUrl ??
    (await metadata.find(context.send, issuer ?? '', context.now, client.policy)).tokenUrl;
  const common = {
    provider: client.name,
    clientId,
    tokenUrl,
    allowLoopbackHttp,
    issuer,
    policy: client.policy,
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
 * Returns the `.use` of a client's token, as JSON or bare as configured.
 * @throws CodedError `ISSUER_ANSWER_INVALID` when no reader could parse it
 */
export function clientUse(
  { name, json, policy }: Pick<TokenClient, 'name' | 'json' | 'policy'>,
  answer: TokenAnswer,
  { now }: ProviderContext,
  { defaultLifetime }: ClientOptions,
): UseFile {
  return useFile(answer, {
    provider: name,
    now,
    defaultLifetime: defaultLifetimeOf(policy, defaultLifetime),
    json,
    idToken: policy.useIdToken,
  });
}

// Common to all providers of configured clients: the client of a token, its fingerprint,
// and its issuer.

/** The shared part of a provider; `clientOf` uses the service in the token's name. */
interface ClientLookup extends Pick<Provider, 'basis' | 'issuerOf'> {
  readonly clientOf: (token: TokenSnapshot) => TokenClient | undefined;
}

/**
 * Creates the look-up for these clients. A change of the client or its secret cancels
 * earlier failures.
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
 * Returns the server that a client asks: all clients of an issuer share its request limit
 * and its circuit breaker.
 */
export function issuerOrigin(client: TokenClient | undefined): string {
  return originOf(client?.tokenUrl ?? client?.issuers[0] ?? '');
}
