// The last look at a `.use` before it takes the place of a good one: what no reader could
// read would be fetched again at every pass.
import { CodedError } from '../base/errors/errors.ts';
import { MAX_CREDENTIAL_BYTES } from './contents.ts';
import { digestUse } from './digest.ts';

/**
 * Whose answer a text was made of, when (epoch seconds), and the lifetime of a token that
 * says nothing, in seconds.
 */
export interface UseOrigin {
  readonly provider: string;
  readonly now: number;
  readonly defaultLifetime: number;
}

/**
 * The text itself, when a scan will find a token in it.
 * @throws CodedError `ISSUER_ANSWER_INVALID` when it would be too large, nested too deep,
 * or no token
 */
export function readableUse(text: string, { provider, now, defaultLifetime }: UseOrigin): string {
  const bytes = Buffer.byteLength(text);
  const digest = digestUse(text, now, defaultLifetime);
  if (bytes <= MAX_CREDENTIAL_BYTES && digest.ok) return text;
  const why = digest.ok ? `has ${bytes} bytes, more than ${MAX_CREDENTIAL_BYTES}` : digest.reason;
  throw new CodedError(
    'ISSUER_ANSWER_INVALID',
    `invalid token response for ${provider}: the file made of it ${why}`,
    { provider },
  );
}
