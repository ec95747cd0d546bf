// Ends a login: stores its tokens or records the failure in the log of the flow.
import type { ProviderRequest, TokenAnswer } from '@credmon/core/credential';
import { isCoded } from '@credmon/core/base';
import { shownScopes } from '@credmon/core/profiles';
import { recordEvent, type PortalContext } from './context.ts';
import type { Flow } from './flow-value.ts';
import { isComplete, withStored } from './flow.ts';
import type { BrowserSession } from './held-answer.ts';
import { missingScopes } from './check-answer.ts';
import {
  findSuperseded,
  settleSuperseded,
  storeToken,
  type Issued,
  type Stored,
} from './store-token.ts';

/**
 * Stores a token response for the user of the flow, records it, and discards the answers
 * that it supersedes.
 * @returns the new flow
 * @throws CodedError as {@link storeToken}
 */
export async function finishLogin(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  {
    state,
    request,
    issued,
  }: { readonly state: string; readonly request: ProviderRequest; readonly issued: Issued },
): Promise<Flow> {
  const { ports } = context;
  const stored = storeToken(context, flow.localUser, request, issued);
  const missing = missingScopes(context.settings, request, issued.answer);
  const after = await recordEvent(context, session.flow ?? '', flow, {
    type: 'completed',
    at: ports.clock.now(),
    state,
    missing,
    ...stored,
    name: accountName(issued.answer),
  });
  ports.counters.login(request.provider, 'done');
  ports.log.info(
    `login of ${flow.localUser} for ${request.stem} done; ${describe(stored)}${notGranted(missing)}`,
  );
  ports.log.record?.({
    event: 'signed-in',
    user: flow.localUser,
    service: request.provider,
    handle: request.handle,
    provider: 'oauth',
    details: {
      account: accountName(issued.answer) ?? null,
      scopes: request.scopes,
      audience: request.audience,
      renewable: stored.renewable,
    },
  });
  // Before finishFlow removes the key file, because their requests are in it.
  const superseded = await findSuperseded(context, session, flow, after);
  return settleSuperseded(context, session, finishFlow(context, after), superseded);
}

/** Records that a login for `stem` failed. */
export async function failLogin(
  context: PortalContext,
  id: string,
  flow: Flow,
  {
    state,
    stem,
    error,
  }: { readonly state: string; readonly stem: string; readonly error: unknown },
): Promise<void> {
  const { ports } = context;
  const code = isCoded(error) ? error.code : 'CRED_FILE_IO';
  ports.counters.login(flow.tokens.find((token) => token.stem === stem)?.provider ?? stem, code);
  await recordEvent(context, id, flow, { type: 'failed', at: ports.clock.now(), state, code });
}

/**
 * Removes the key file if all tokens are stored. If this fails, the cleanup of
 * condor_credmon removes it later.
 */
function finishFlow({ ports }: PortalContext, noted: Flow): Flow {
  const flow = withStored(noted, ports.files.tokensOf(noted.localUser));
  if (!isComplete(flow)) return flow;
  try {
    ports.files.removeKey(flow.key);
  } catch (error) {
    if (!isCoded(error)) throw error;
    ports.log.warn(`failed to remove the key file of ${flow.localUser}: ${error.message}`);
  }
  return flow;
}

function notGranted(missing: readonly string[]): string {
  return missing.length === 0 ? '' : `; the issuer did not grant ${shownScopes(missing)}`;
}

function describe({ renewable, doesNotExpire, refresh }: Stored): string {
  const old = {
    kept: 'no new refresh token, the stored one was kept; ',
    replaced: 'no new refresh token, and the stored one cannot be used; ',
  };
  const renewal = renewable
    ? 'it will be renewed'
    : 'the issuer gave no refresh token, so it cannot be renewed';
  const next = doesNotExpire ? 'it does not expire' : renewal;
  return `${refresh === undefined ? '' : old[refresh]}${next}`;
}

/**
 * Claims that name a person, the most useful first. `name` comes after the unique ones,
 * because a person can choose it freely.
 */
const NAMES = ['preferred_username', 'email', 'name', 'sub'] as const;

/** The longest text shown of one claim, in characters. */
const LONGEST = 80;

/**
 * Returns the account in a verified ID token: its identifier, and the name of the person
 * in parentheses if the token has both. `undefined` if there is no verified ID token, or
 * it contains neither.
 * @see OpenID Connect Core 1.0, section 5.1
 */
export function accountName({ claims }: TokenAnswer): string | undefined {
  const texts = NAMES.map((claim) => readable(claims?.[claim]));
  const first = texts.find((text) => text !== '');
  const name = readable(claims?.['name']);
  return first === undefined || name === '' || name === first ? first : `${first} (${name})`;
}

/**
 * Removes control and direction characters, which can make one name look like another.
 */
function readable(value: unknown): string {
  if (typeof value !== 'string') return '';
  const text = value.replaceAll(/\p{C}/gu, ' ').replaceAll(/\s+/g, ' ').trim();
  // By code points, so that no character is cut.
  return Array.from(text).slice(0, LONGEST).join('');
}
