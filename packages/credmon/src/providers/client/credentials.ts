// Tokens that the Access Point fetches as its own client: the registration from its
// settings, and the request. The administrator decides the scopes of each user.
import { type TokenClient, scopesFor } from '../../settings/clients.ts';
import { audienceNote, checkScopes, joinNotes } from '../common/granted-scopes.ts';
import { bareState, basisOf, issuedWith, rejectionOf } from '../common/outcomes.ts';
import { type Outcome, type Provider, type ProviderContext, secretOf } from '../common/provider.ts';
import { type Random, originOf, smallest } from '@credmon/core/base';
import {
  isPresent,
  type Parsed,
  type TokenAnswer,
  type TokenSnapshot,
  type UseFile,
  splitStem,
  useFile,
} from '@credmon/core/credential';
import {
  type ClientRegistration,
  type MetadataCache,
  type TokenWish,
  clientAssertion,
  clientCredentialsGrant,
  createMetadataCache,
} from '@credmon/core/oauth';
import { defaultLifetimeOf } from '@credmon/core/profiles';

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
  if (isPresent(top)) return { ok: true, value: true };
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
