// What a standing token says that is in its place: unverified, and good for comparing
// with the configuration only.
import { isRecord } from '@credmon/core/base';
import type { StandingToken } from '../../settings/standing.ts';

/** The access token in a file of this format; `undefined` when there is none. */
export function accessTokenIn(text: string, format: StandingToken['format']): string | undefined {
  if (format === 'jwt') return text.startsWith('{') ? undefined : text.trim();
  const contents = parsed(text);
  const token = isRecord(contents) ? contents['access_token'] : undefined;
  return typeof token === 'string' ? token : undefined;
}

/** The claims of a JWT; `undefined` for any other token. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  const claims = parsed(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  return isRecord(claims) ? claims : undefined;
}

/** The name of the key that signed a JWT, as it says itself. */
export function keyIdOf(token: string): unknown {
  const header = parsed(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8'));
  return isRecord(header) ? header['kid'] : undefined;
}

/**
 * A claim of one text or several as one text; no claim is an empty one, and `undefined`
 * is one of another type.
 */
export function wordsOf(claim: unknown): string | undefined {
  if (claim === undefined || typeof claim === 'string') return claim ?? '';
  return Array.isArray(claim) && claim.every((item) => typeof item === 'string')
    ? claim.join(' ')
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever lies there is replaced; its text is nobody's business.
    return undefined;
  }
}
