// Fetches one token with the credentials of a client.
import { CodedError, jwtClaims } from '@credmon/core/base';
import { splitScopes } from '@credmon/core/credential';
import { wordsOf } from '../providers/common/granted-scopes.ts';
import { fetchToken } from '../providers/client/credentials.ts';
import { metadataOf, type ClientOptions } from '../providers/client/registration.ts';
import type { ProviderContext } from '../providers/common/provider.ts';
import { scopesFor, type TokenClient } from '../settings/clients.ts';
import { chooseScopes, type IssuedToken, type TokenWish } from './request.ts';
import { jtiOf } from './sign.ts';

/** What a request needs besides the wish. */
export interface FetchContext {
  readonly client: TokenClient;
  /** Scopes that root allows besides those of the client. */
  readonly further: readonly string[];
  readonly options: ClientOptions;
  readonly context: ProviderContext;
}

/**
 * Fetches the token. An audience of its own replaces the audience and the resources of
 * the client, as for a standing token.
 * @throws CodedError `USAGE`, `USER_REFUSED`, `ISSUER_ANSWER_INVALID` for a JWT with
 * another subject, and the errors of `fetchToken`
 */
export async function fetchOne(
  wish: TokenWish,
  { client, further, options, context }: FetchContext,
): Promise<IssuedToken> {
  const { provider, subject } = wish;
  if (wish.lifetime !== undefined)
    throw new CodedError(
      'USAGE',
      `--lifetime cannot be used: the issuer of ${provider} decides the lifetime of its tokens`,
    );
  const isForUser = isTemplate(client.scopes);
  if (isForUser && subject === undefined)
    throw new CodedError(
      'USAGE',
      `name the subject with --subject: the scopes of ${provider} contain {username}`,
    );
  const byRule = splitScopes(scopesFor(client.scopes, subject ?? ''));
  const scopes = chooseScopes(wish.scopes, { provider, subject, byRule, further });
  const own = wish.audience.length > 0;
  const { audience, resources } = own ? { audience: wish.audience, resources: [] } : client;
  const request = { scope: scopes.join(' '), audience, resources };
  const bare = { ...client, json: false };
  const fetched = await fetchToken(bare, request, metadataOf(options), options, context);
  const { accessToken, scope } = fetched.answer;
  const { sub, aud } = jwtClaims(accessToken) ?? {};
  const given = splitScopes(wordsOf(aud) ?? '');
  if (!isForUser && subject !== undefined && sub !== undefined && sub !== subject)
    throw new CodedError(
      'ISSUER_ANSWER_INVALID',
      `subject mismatch: --subject is ${subject}, the token of ${provider} has another one`,
      { provider },
    );
  return {
    token: accessToken,
    source: 'fetched',
    provider,
    subject: typeof sub === 'string' ? harmless(sub) : undefined,
    audience: given.length > 0 ? given.map(harmless) : [...audience, ...resources],
    scopes: scope === undefined ? scopes : splitScopes(scope).map(harmless),
    ...fetched.use.times,
    jti: jtiOf(accessToken),
    note: fetched.noted.note,
  };
}

/** True if scopes are for a user. */
export function isTemplate(scopes: string): boolean {
  return scopes.includes('{username}');
}

/** Returns a text of the issuer for the log: whole, or masked. */
function harmless(text: string): string {
  return /^[!-~]{1,256}$/.test(text) ? text : '[...]';
}
