// Joins what the key file and the administrator say of a provider into the client that
// core logs in with.
import type { ClientRegistration } from '@credmon/core/oauth';
import type { ProviderRequest } from '@credmon/core/credential';
import { providerSettings, type Settings } from './settings.ts';

/**
 * The client at the provider's issuer. Endpoints and secret are the key file's, which
 * only CredD can write.
 */
export function registrationOf(settings: Settings, request: ProviderRequest): ClientRegistration {
  const { issuer, authentication } = providerSettings(settings, request.provider);
  return {
    provider: request.provider,
    authorizationUrl: request.authorizationUrl,
    tokenUrl: request.tokenUrl,
    clientId: request.clientId,
    clientSecret: request.clientSecret,
    authentication,
    allowLoopbackHttp: settings.allowLoopbackHttp,
    ...(issuer === undefined ? {} : { issuer }),
  };
}
