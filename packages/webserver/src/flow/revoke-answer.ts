// Revokes the tokens of an answer that is not stored, unless another sign-in needs them.
import {
  accessTokenOf,
  parseTop,
  splitStem,
  type ProviderRequest,
  type TokenAnswer,
} from '@credmon/core/credential';
import { revokeToken } from '@credmon/core/oauth';
import { isCoded, messageOf } from '@credmon/core/base';
import { policyAt } from '@credmon/core/profiles';
import { providerSettings } from '../settings/settings.ts';
import type { PortalContext } from './context.ts';
import type { Flow } from './flow-value.ts';
import { readAnswer, type BrowserSession, type HeldAnswer } from './held-answer.ts';
import type { TokenInStore } from './ports.ts';
import { resolveProvider } from './resolve-provider.ts';

/** An answer that is not stored: its id, its tokens and its request. */
export interface Unused {
  readonly answer: string;
  readonly held: HeldAnswer;
  readonly request: ProviderRequest;
}

/**
 * The result of the revocation. `shared`: not revoked, because another sign-in has the
 * same grant. `left`: not revoked, because the provider has no revocation URL or the
 * request failed.
 */
export type RevocationResult = 'revoked' | 'shared' | 'left';

/** The log text for each result. */
export const REVOCATION_TEXTS: Readonly<Record<RevocationResult, string>> = {
  revoked: 'its tokens were revoked',
  shared: 'its tokens were not revoked, because another sign-in may need them',
  left: 'its tokens were not revoked and are valid until they expire',
};

/** Records in the audit log that the tokens of an unused answer were revoked. */
export function recordRevoked(
  { ports }: PortalContext,
  { localUser: user }: Flow,
  stem: string,
  result: RevocationResult,
  reason: string,
): void {
  if (result !== 'revoked') return;
  const name = splitStem(stem, false) ?? { service: stem, handle: '' };
  const details = { by: 'portal', reason };
  ports.log.record?.({ event: 'revoked', user, ...name, provider: 'oauth', details });
}

/**
 * Asks the issuer to revoke the tokens of an unused answer. An error is only logged,
 * because the tokens are not stored. Some issuers return the same refresh token at each
 * sign-in; a token that another sign-in has is not revoked.
 */
export async function revokeAnswer(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  unused: Unused,
): Promise<RevocationResult> {
  const { held, request } = unused;
  const { settings, ports } = context;
  const { refreshToken, accessToken } = held.answer;
  const hint = refreshToken === undefined ? 'access_token' : 'refresh_token';
  try {
    if (await isShared(context, session, flow, unused)) return 'shared';
    const revocation = {
      token: refreshToken ?? accessToken,
      hint,
      now: ports.clock.now(),
    } as const;
    const { registration, metadata } = await resolveProvider(context, request);
    const { endpoints } = policyAt(
      providerSettings(settings, request.provider).policy,
      request.tokenUrl,
    );
    const revocationUrl = endpoints.revocationUrl ?? metadata?.revocationUrl;
    if (revocationUrl === undefined) return 'left';
    await revokeToken(ports.send, registration, revocationUrl, revocation);
    return 'revoked';
  } catch (error) {
    if (!isCoded(error)) throw error;
    ports.log.warn(
      `failed to revoke a token of ${request.provider} that was not stored: ${messageOf(error)}`,
    );
    return 'left';
  }
}

/**
 * Checks waiting answers before the stored tokens: an answer that is stored meanwhile is
 * then found among the tokens.
 */
async function isShared(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  { answer, held, request }: Unused,
): Promise<boolean> {
  // A login in progress may return the same grant.
  if (flow.logins.some(({ claimedBy }) => claimedBy !== undefined)) return true;
  for (const other of flow.pending) {
    const another =
      other.answer === answer ? undefined : await readAnswer(context, session, other.answer);
    if (another && sameGrant(another.answer, held.answer)) return true;
  }
  return context.ports.files.someToken((token) => mayNeed(token, request, held.answer));
}

function sameGrant(one: TokenAnswer, other: TokenAnswer): boolean {
  return one.refreshToken === undefined
    ? one.accessToken === other.accessToken
    : one.refreshToken === other.refreshToken;
}

/**
 * True if revoking this answer could end a stored token. An issuer may send no refresh
 * token at a second sign-in, and may revoke the first refresh token together with the
 * access token.
 * @see RFC 7009, section 2.1
 */
function mayNeed(
  token: TokenInStore,
  { provider }: ProviderRequest,
  { refreshToken, accessToken }: TokenAnswer,
): boolean {
  const top = parseTop(token.read('top') ?? '');
  const stored = top.ok ? top.value.refresh_token : '';
  if (refreshToken !== undefined) return stored === refreshToken;
  const sameProvider = token.stem === provider || token.stem.startsWith(`${provider}_`);
  if (sameProvider && stored !== '') return true;
  return accessTokenOf(token.read('use') ?? '') === accessToken;
}
