// Rejects tokens whose name matches two providers, so that no secret is sent to the wrong
// issuer.
import {
  noHandles,
  refusedName,
  refusedProvider,
  type ProviderRequest,
} from '@credmon/core/credential';
import { CodedError } from '@credmon/core/base';
import type { Settings } from '../settings/settings.ts';

/**
 * Returns why a sign-in for this token is not possible; `undefined` if it is possible.
 */
export function nameRefusal(
  { names }: Pick<Settings, 'names'>,
  { provider, handle, stem }: Pick<ProviderRequest, 'provider' | 'handle' | 'stem'>,
): string | undefined {
  if (names === undefined) return undefined;
  if (names.specialNames && handle !== '') return noHandles(provider, handle);
  return refusedName(stem, names) ?? refusedProvider(provider, names);
}

/**
 * Rejects a token with an ambiguous name.
 * @throws CodedError `PROVIDER_REFUSED` with the reason of {@link nameRefusal}
 */
export function checkName(settings: Pick<Settings, 'names'>, request: ProviderRequest): void {
  const refusal = nameRefusal(settings, request);
  if (refusal !== undefined)
    throw new CodedError('PROVIDER_REFUSED', refusal, { provider: request.provider });
}
