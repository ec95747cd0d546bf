// Which of several configured issuers a token is of, remembered for the queues alone:
// nothing is sent anywhere by it.
import { originOf } from '@credmon/core/base';
import { parseObject } from '@credmon/core/credential';

/**
 * So many tokens are remembered; the issuer of one that is forgotten is learnt again at
 * its next attempt.
 */
const MOST = 50_000;

/** Remembers the issuer of token `id` by its origin. */
export function learnIssuer(issuers: Map<string, string>, id: string, issuer: string): void {
  issuers.delete(id);
  issuers.set(id, originOf(issuer));
  if (issuers.size <= MOST) return;
  const [oldest = id] = issuers.keys();
  issuers.delete(oldest);
}

/**
 * Remembers the issuer that a token claims, unverified, if it is one of `configured`:
 * when its keys cannot be had, it was that one asked.
 */
export function learnClaimed(
  issuers: Map<string, string>,
  id: string,
  jwt: string,
  configured: readonly string[],
): void {
  const claims = parseObject(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
  const issuer = claims.ok ? configured.find((one) => one === claims.value['iss']) : undefined;
  if (issuer !== undefined) learnIssuer(issuers, id, issuer);
}
