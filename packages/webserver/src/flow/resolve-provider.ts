// The client of a request, with everything that a sign-in needs to know about its issuer.
import {
  clientAssertion,
  completeRegistration,
  createKeySetCache,
  createMetadataCache,
  keysFrom,
  type CodeExchange,
  type CompleteRegistration,
  type KeySetCache,
  type MetadataCache,
} from '@credmon/core/oauth';
import type { ProviderRequest } from '@credmon/core/credential';
import { originOf } from '@credmon/core/base';
import { policyAt } from '@credmon/core/profiles';
import { providerSettings, type Settings } from '../settings/settings.ts';
import type { PortalContext } from './context.ts';

/** The caches of all sign-ins: the metadata and the key sets of issuers. */
export interface Issuers {
  readonly metadata: MetadataCache;
  readonly keySets: KeySetCache;
}

/** Seconds for which metadata is used without asking again. */
const METADATA_LIFETIME = 3600;

/** Creates empty caches. */
export function createIssuers({
  allowLoopbackHttp,
  endpointOrigins,
}: Pick<Settings, 'allowLoopbackHttp' | 'endpointOrigins'>): Issuers {
  return {
    metadata: createMetadataCache({
      lifetime: METADATA_LIFETIME,
      allowLoopbackHttp,
      origins: endpointOrigins,
    }),
    keySets: createKeySetCache({ allowLoopbackHttp }),
  };
}

/** The provider of a request: its client, and where the keys of its ID tokens are. */
export interface ResolvedProvider extends CompleteRegistration {
  readonly keys: CodeExchange['keys'];
}

/**
 * Returns the client of a request. Its id and secret are from the key file, which only
 * CredD can write; endpoints that are empty there come from the profile or the issuer's
 * metadata.
 * @throws CodedError `SECRET_UNREADABLE`, and as `completeRegistration`
 */
export async function resolveProvider(
  { settings, ports }: PortalContext,
  request: ProviderRequest,
): Promise<ResolvedProvider> {
  const policy = policyAt(providerSettings(settings, request.provider).policy, request.tokenUrl);
  const { provider, clientId, clientSecret, tokenUrl, authorizationUrl } = request;
  const { clientKey, authentication } = policy;
  const now = ports.clock.now();
  const key =
    authentication === 'private_key_jwt' && clientKey
      ? { clientId, keyId: clientKey.keyId, pem: ports.readClientKey(clientKey.path) }
      : undefined;
  const complete = await completeRegistration(
    {
      provider,
      policy,
      clientId,
      clientSecret,
      tokenUrl,
      authorizationUrl,
      allowLoopbackHttp: settings.allowLoopbackHttp,
      assertion: key && ((audience) => clientAssertion(key, audience, now, ports.random)),
      needs: ['authorizationUrl'],
      login: true,
    },
    { metadata: ports.issuers.metadata, send: ports.send, now },
  );
  if (complete.problem)
    ports.log.warn(
      `the metadata of ${provider} is not available: ${complete.problem.message}; ` +
        'the configured endpoints are used',
    );
  const jwksUrl = policy.endpoints.jwksUrl ?? complete.metadata?.jwksUrl;
  const { keySets } = ports.issuers;
  return { ...complete, keys: keysFrom(keySets, ports.send, jwksUrl, now) };
}

/**
 * Returns the origins to which a sign-in may send the browser: of the authorization
 * endpoint, if it is configured, else all that the metadata may name.
 */
export function signInOrigins(
  settings: Settings,
  { provider, authorizationUrl }: ProviderRequest,
): readonly string[] {
  const { issuer, origins, endpoints } = providerSettings(settings, provider).policy;
  const named = authorizationUrl === '' ? endpoints.authorizationUrl : authorizationUrl;
  if (named !== undefined) return [originOf(named)];
  return [
    ...(issuer === undefined ? [] : [originOf(issuer)]),
    ...origins,
    ...settings.endpointOrigins,
  ];
}

/** Returns the host at which the user signs in, for a page. */
export function signInHost(settings: Settings, request: ProviderRequest): string {
  const [origin] = signInOrigins(settings, request);
  return origin === undefined || !URL.canParse(origin) ? '' : new URL(origin).host;
}
