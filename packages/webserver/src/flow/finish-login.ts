// How a login ends: its tokens are stored, or it fails; either way the flow's log says
// so.
import type { ProviderRequest, TokenAnswer } from '@credmon/core/credential';
import { isCoded } from '@credmon/core/base';
import { recordEvent, type PortalContext } from './context.ts';
import { isComplete, withStored, type Flow } from './flow.ts';
import type { BrowserSession } from './held-answer.ts';
import { missingScopes } from './judge-answer.ts';
import { findSuperseded, settleSuperseded } from './settle-superseded.ts';
import { storeToken, type Issued, type Stored } from './store-token.ts';

/**
 * Stores an issuer's answer for the flow's user, notes it, and settles the answers that
 * can or must not be stored any more.
 * @returns the flow afterwards
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
  const name = accountName(issued.answer);
  const after = await recordEvent(context, session.flow ?? '', flow, {
    type: 'completed',
    at: ports.clock.now(),
    state,
    missing: missingScopes(request, issued.answer),
    ...stored,
    ...(name === undefined ? {} : { name }),
  });
  ports.counters.login(request.provider, 'done');
  ports.log.info(`login of ${flow.localUser} for ${request.stem} done; ${describe(stored)}`);
  // Their requests are in the key file, which goes now.
  const superseded = await findSuperseded(context, session, flow, after);
  return settleSuperseded(context, session, finishFlow(context, after), superseded);
}

/** Notes that a login for `stem` failed. */
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
 * The key file has served when every token is there; the clean-up of condor_credmon
 * removes what cannot be removed here.
 */
function finishFlow({ ports }: PortalContext, noted: Flow): Flow {
  const flow = withStored(noted, (stem) => ports.files.hasToken(noted.localUser, stem));
  if (!isComplete(flow)) return flow;
  try {
    ports.files.removeKey(flow.key);
  } catch (error) {
    if (!isCoded(error)) throw error;
    ports.log.warn(`the key file of ${flow.localUser} stays: ${error.message}`);
  }
  return flow;
}

function describe({ renewable, refresh }: Stored): string {
  const old = {
    kept: 'no new refresh token, the stored one was kept; ',
    replaced: 'no new refresh token, and the stored one does not fit; ',
  };
  return `${refresh === undefined ? '' : old[refresh]}${renewable ? 'it will be renewed' : 'the issuer gave no refresh token, so it cannot be renewed'}`;
}

// The account that signed in at a provider, as people know it.

/**
 * Claims that name a person, the most telling first. A person can choose a `name` freely,
 * so it comes after those that are unique.
 */
const NAMES = ['preferred_username', 'email', 'name', 'sub'] as const;

/** The longest text that is shown of one claim, in characters. */
const LONGEST = 80;

/**
 * The account that a verified ID token names: what identifies it, and the person's name
 * in parentheses where the token has both. `undefined` where no ID token was verified, or
 * it names nobody.
 * @see OpenID Connect Core 1.0, section 5.1
 */
export function accountName({ claims }: TokenAnswer): string | undefined {
  const texts = NAMES.map((claim) => readable(claims?.[claim]));
  const first = texts.find((text) => text !== '');
  const name = readable(claims?.['name']);
  return first === undefined || name === '' || name === first ? first : `${first} (${name})`;
}

/**
 * Without control and direction characters, which could make one name look like another.
 */
function readable(value: unknown): string {
  if (typeof value !== 'string') return '';
  const text = value.replaceAll(/\p{C}/gu, ' ').replaceAll(/\s+/g, ' ').trim();
  // By characters, so that none is cut in two.
  return Array.from(text).slice(0, LONGEST).join('');
}
