// Tokens whose names could be those of two providers: nobody signs in for them, so that
// no secret reaches another provider's issuer.
import {
  noHandles,
  refusedName,
  refusedProvider,
  type ProviderRequest,
} from '@credmon/core/credential';
import { CodedError } from '@credmon/core/base';
import type { Settings } from '../settings/settings.ts';

/** Why nobody can sign in for this token; `undefined` when there is no such reason. */
export function nameRefusal(
  { names }: Pick<Settings, 'names'>,
  { provider, handle, stem }: Pick<ProviderRequest, 'provider' | 'handle' | 'stem'>,
): string | undefined {
  if (names === undefined) return undefined;
  if (names.specialNames && handle !== '') return noHandles(provider, handle);
  return refusedName(stem, names) ?? refusedProvider(provider, names);
}

/** @throws CodedError `PROVIDER_REFUSED` for the reason that {@link nameRefusal} gives */
export function checkName(settings: Pick<Settings, 'names'>, request: ProviderRequest): void {
  const refusal = nameRefusal(settings, request);
  if (refusal !== undefined)
    throw new CodedError('PROVIDER_REFUSED', refusal, { provider: request.provider });
}
