// Turns a configured login client into the registration for a request: the current secret
// or key, and endpoints from the profile or the issuer's metadata.
import type { Random } from '@credmon/core/base';
import {
  clientAssertion,
  completeRegistration,
  type CompleteRegistration,
  type MetadataCache,
  type RegistrationDraft,
} from '@credmon/core/oauth';
import type { ConfiguredClient } from '../../settings/clients.ts';
import { secretOf, type ProviderContext } from '../common/provider.ts';

/** What a draft needs besides the client. */
export interface DraftPorts {
  readonly random: Random;
  readonly allowLoopbackHttp: boolean;
}

/** What a registration needs besides the client. */
export interface RegistrationPorts extends DraftPorts {
  readonly metadata: MetadataCache;
}

/**
 * Returns the registration of the client of a service. The secret is read each time. With
 * `guessesMethod` no metadata is read only for the method of authentication.
 * @throws CodedError `SECRET_UNREADABLE`, and as `completeRegistration`
 */
export function registrationOfLogin(
  service: string,
  client: ConfiguredClient,
  ports: RegistrationPorts,
  context: ProviderContext,
  guessesMethod = false,
): Promise<CompleteRegistration> {
  const { metadata } = ports;
  const { send, now } = context;
  const draft = draftOfLogin(service, client, ports, context);
  return completeRegistration({ ...draft, guessesMethod }, { metadata, send, now });
}

/**
 * Returns what is configured of the client of a service, with its current secret or key.
 * @throws CodedError `SECRET_UNREADABLE`
 */
export function draftOfLogin(
  service: string,
  { clientId, tokenUrl, secretFile, policy }: ConfiguredClient,
  { random, allowLoopbackHttp }: DraftPorts,
  context: Pick<ProviderContext, 'now' | 'readSecret'>,
): RegistrationDraft {
  const { clientKey, authentication } = policy;
  const key =
    authentication === 'private_key_jwt' && clientKey
      ? { clientId, keyId: clientKey.keyId, pem: secretOf(clientKey.path, 'whole', context) }
      : undefined;
  const hasSecret = key === undefined && authentication !== 'none' && secretFile !== undefined;
  return {
    provider: service,
    policy,
    clientId,
    tokenUrl,
    allowLoopbackHttp,
    clientSecret: hasSecret ? secretOf(secretFile, 'line', context) : '',
    assertion: key && ((audience) => clientAssertion(key, audience, context.now, random)),
  };
}
