// Turns a configured login client into the registration for a request: the current secret
// or key, and endpoints from the profile or the issuer's metadata.
import type { Random } from '@credmon/core/base';
import {
  clientAssertion,
  completeRegistration,
  type CompleteRegistration,
  type MetadataCache,
} from '@credmon/core/oauth';
import type { ConfiguredClient } from '../../settings/clients.ts';
import { secretOf, type ProviderContext } from '../common/provider.ts';

/** What a registration needs besides the client. */
export interface RegistrationPorts {
  readonly metadata: MetadataCache;
  readonly random: Random;
  readonly allowLoopbackHttp: boolean;
}

/**
 * Returns the registration of the client of a service. The secret is read each time.
 * @throws CodedError `SECRET_UNREADABLE`, and as `completeRegistration`
 */
export function registrationOfLogin(
  service: string,
  { clientId, tokenUrl, secretFile, policy }: ConfiguredClient,
  { metadata, random, allowLoopbackHttp }: RegistrationPorts,
  context: ProviderContext,
): Promise<CompleteRegistration> {
  const { clientKey, authentication } = policy;
  const key =
    authentication === 'private_key_jwt' && clientKey
      ? { clientId, keyId: clientKey.keyId, pem: secretOf(clientKey.path, 'whole', context) }
      : undefined;
  const hasSecret = key === undefined && authentication !== 'none' && secretFile !== undefined;
  return completeRegistration(
    {
      provider: service,
      policy,
      clientId,
      tokenUrl,
      allowLoopbackHttp,
      clientSecret: hasSecret ? secretOf(secretFile, 'line', context) : '',
      assertion: key && ((audience) => clientAssertion(key, audience, context.now, random)),
    },
    { metadata, send: context.send, now: context.now },
  );
}
