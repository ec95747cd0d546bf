// Revocation at an OAuth issuer: the refresh token first, because most issuers end its
// access tokens with it.
import { messageOf, originOf, type Clock, type Send } from '@credmon/core/base';
import { revokeToken, type ClientRegistration } from '@credmon/core/oauth';
import type { Parsed } from '@credmon/core/credential';
import { nobodyAsked, type FoundSecrets, type Step, type Steps } from './steps.ts';

/**
 * A client at an issuer, and the endpoint that the administrator or the issuer's metadata
 * names.
 */
export interface RevokingClient {
  readonly registration: ClientRegistration;
  readonly revocationUrl: string;
}

/**
 * The plan for an issuer; a client that cannot be had leaves every secret alive, with the
 * reason.
 * @see RFC 7009
 */
export function stepsAtIssuer(
  client: Parsed<RevokingClient>,
  secrets: FoundSecrets,
  send: Send,
  clock: Clock,
): Steps {
  if (!client.ok) return nobodyAsked(secrets, client.reason, true);
  const { registration, revocationUrl } = client.value;
  const step = (hint: 'refresh_token' | 'access_token', token: string): Step => ({
    what: hint.replace('_', ' '),
    where: originOf(revocationUrl),
    revoke: () => revokeToken(send, registration, revocationUrl, { token, hint, now: clock.now() }),
  });
  const { refreshToken, accessTokens } = secrets;
  return {
    steps: [
      ...(refreshToken === undefined ? [] : [step('refresh_token', refreshToken)]),
      ...accessTokens.map((token) => step('access_token', token)),
    ],
    survivors: [],
  };
}

/** The client that `find` finds, or why there is none. */
export async function clientOrReason(
  find: () => Promise<Parsed<RevokingClient>>,
): Promise<Parsed<RevokingClient>> {
  try {
    return await find();
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}
