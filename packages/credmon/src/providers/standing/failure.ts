// The error of a standing token whose renewal failed: the old token stays valid until it
// expires.
import { CodedError } from '@credmon/core/base';
import type { TokenSnapshot } from '@credmon/core/credential';

/**
 * Returns the error with the remaining lifetime of the old token at `now` (epoch seconds)
 * in its message.
 */
export function withRemaining(
  { code, message, fields }: CodedError,
  { use, stem }: TokenSnapshot,
  now: number,
): CodedError {
  const left = use.kind === 'valid' ? Math.floor(use.value.expiresAt - now) : 0;
  const life = Number.isFinite(left) ? `is valid for ${left} s more` : 'does not expire';
  const state = left > 0 ? `the old token ${life}` : 'there is no valid token';
  return new CodedError(code, `${message}; ${state}`, {
    ...fields,
    // Each token is reported on its own, even if several fail for the same reason.
    about: undefined,
    token: stem,
  });
}
