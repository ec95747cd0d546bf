// Stores the tokens of a login in the credential directory, and keeps a stored refresh
// token that is still valid. Discards the answers that another sign-in supersedes, and
// revokes their tokens if possible.
import { providerSettings } from '../settings/settings.ts';
import { type PortalContext, recordEvent } from './context.ts';
import type { Flow } from './flow-value.ts';
import { isComplete, withStored } from './flow.ts';
import { type BrowserSession, type HeldAnswer, dropAnswers, readAnswer } from './held-answer.ts';
import type { TokenTexts } from './ports.ts';
import { type TokenRequest, readTokenRequest } from './read-request.ts';
import { REVOCATION_TEXTS, type Unused, recordRevoked, revokeAnswer } from './revoke-answer.ts';
import { CodedError, isCoded, shellWord } from '@credmon/core/base';
import {
  type LoginFiles,
  type ProviderRequest,
  type StoredRefresh,
  type StoredTexts,
  type TokenAnswer,
  filesFromLogin,
  judgeStoredRefresh,
  parseMeta,
  promisedLifetime,
  readableUse,
  subjectOf,
} from '@credmon/core/credential';
import { defaultLifetimeOf } from '@credmon/core/profiles';

/**
 * An answer that another sign-in has superseded. Without `unused`, nothing can be
 * revoked.
 */
export interface Superseded {
  readonly answer: string;
  readonly stem: string;
  readonly unused?: Unused | undefined;
}

/**
 * Finds the answers that a stored sign-in supersedes: older answers for the same token,
 * which are settled in `after` but not in `before`; if the list is complete, all waiting
 * answers, because the key file is used up.
 */
export async function findSuperseded(
  context: PortalContext,
  session: BrowserSession,
  before: Flow,
  after: Flow,
): Promise<readonly Superseded[]> {
  const known = before.settled.map(({ answer }) => answer);
  const older = after.settled.filter(
    ({ answer, outcome }) => outcome === 'superseded' && !known.includes(answer),
  );
  const complete = isComplete(withStored(after, context.ports.files.tokensOf(after.localUser)));
  // An answer that is being stored ends by itself.
  const waiting = complete ? after.pending.filter(({ claim }) => claim === undefined) : [];
  const found: Superseded[] = [];
  for (const { answer, stem } of [...older, ...waiting]) {
    const held = await readAnswer(context, session, answer);
    const request = held && requestOf(context, after, stem, held);
    const unused = held && request ? { answer, held, request } : undefined;
    found.push({ answer, stem, unused });
  }
  return found;
}

function requestOf(
  context: PortalContext,
  flow: Flow,
  stem: string,
  held: HeldAnswer,
): TokenRequest | undefined {
  try {
    return readTokenRequest(context, flow, stem, held.keyDigest);
  } catch (error) {
    if (isCoded(error)) return undefined;
    throw error;
  }
}

/**
 * Records that answers were superseded, removes and revokes them.
 * @param attempt the attempt that has claimed them, if any
 * @returns the new flow
 */
export async function settleSuperseded(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  answers: readonly Superseded[],
  attempt?: string,
): Promise<Flow> {
  const { ports } = context;
  const id = session.flow ?? '';
  let after = flow;
  for (const { answer, stem, unused } of answers) {
    const event = { type: 'superseded', answer, attempt } as const;
    after = await recordEvent(context, id, after, {
      ...event,
      at: ports.clock.now(),
      revoked: false,
    });
    // Another process is storing it or has settled it.
    if (!after.settled.some((one) => one.answer === answer && one.outcome === 'superseded'))
      continue;
    await dropAnswers(context, [{ answer }]);
    const result =
      unused === undefined ? 'left' : await revokeAnswer(context, session, after, unused);
    ports.log.info(
      `login of ${flow.localUser} for ${stem} not stored, because another login is; ${REVOCATION_TEXTS[result]}`,
    );
    recordRevoked(context, flow, stem, result, 'another sign-in is stored');
    if (result === 'left') continue;
    const how = result === 'shared' ? { revoked: false, shared: true } : { revoked: true };
    after = await recordEvent(context, id, after, { ...event, at: ports.clock.now(), ...how });
  }
  return after;
}

/**
 * A token response, the time when it arrived, in epoch seconds, and the token endpoint
 * that sent it.
 */
export interface Issued {
  readonly answer: TokenAnswer;
  readonly issuedAt: number;
  readonly tokenUrl: string;
}

/**
 * Whether the daemon can renew the token, and what happened to the stored refresh token.
 */
export interface Stored {
  readonly renewable: boolean;
  readonly doesNotExpire?: true;
  /**
   * `kept`: the response had no refresh token, and the stored one is used. `replaced`:
   * the response had none, and the stored one cannot be used.
   */
  readonly refresh?: 'kept' | 'replaced';
}

/** How often `.top` may change during one storing before it is an error. */
const ATTEMPTS = 5;

/**
 * Writes the files of a token.
 * @throws CodedError `LOGIN_SUPERSEDED`, `REFRESH_TOKEN_MISSING`, `CRED_DIR_INVALID`,
 * `CRED_FILE_IO`, `ISSUER_ANSWER_INVALID`
 */
export function storeToken(
  context: PortalContext,
  user: string,
  request: ProviderRequest,
  issued: Issued,
): Stored {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return storeOnce(context, user, request, issued);
    } catch (error) {
      if (!isCoded(error, 'CRED_SUPERSEDED')) throw error;
      if (attempt >= ATTEMPTS)
        throw new CodedError('CRED_FILE_IO', error.message, error.fields, error);
    }
  }
}

/**
 * Rejects a response that cannot be stored.
 * @throws CodedError `REFRESH_TOKEN_MISSING`, `CRED_DIR_INVALID`, `ISSUER_ANSWER_INVALID`
 */
export function checkStored(
  context: PortalContext,
  user: string,
  request: ProviderRequest,
  issued: Issued,
): void {
  checkAnswer(context, request, issued);
  checkRefresh(context.ports.files.readToken(user, request.stem), request, issued);
}

/** Every reader must find the token in a `.use` without JSON around it. */
function checkAnswer(
  { settings }: PortalContext,
  { provider }: ProviderRequest,
  { answer, issuedAt }: Issued,
): void {
  if (providerSettings(settings, provider).policy.useJson) return;
  const origin = { provider, now: issuedAt, defaultLifetime: settings.defaultTokenSeconds };
  readableUse(answer.accessToken, origin);
}

function checkRefresh(
  stored: StoredTexts,
  request: ProviderRequest,
  { answer, tokenUrl }: Issued,
): Exclude<StoredRefresh, { kind: 'refuse' }> {
  const { scopes, audience, clientId } = request;
  const before = judgeStoredRefresh(stored, { scopes, audience, clientId, tokenUrl }, answer);
  if (before.kind === 'refuse') throw otherScopes(request);
  return before;
}

function storeOnce(
  context: PortalContext,
  user: string,
  request: ProviderRequest,
  issued: Issued,
): Stored {
  checkAnswer(context, request, issued);
  const { settings, ports } = context;
  const { answer, issuedAt, tokenUrl } = issued;
  const { files } = ports;
  const { stem, scopes, audience, clientId, clientSecret } = request;
  const { policy } = providerSettings(settings, request.provider);
  const stored = files.readToken(user, stem);
  if (isNewer(stored, issuedAt, ports.clock.now()))
    throw new CodedError('LOGIN_SUPERSEDED', `a newer sign-in for ${stem} is stored`, {
      token: stem,
    });
  const before = checkRefresh(stored, request, issued);
  const defaultLifetime = defaultLifetimeOf(policy, settings.defaultTokenSeconds);
  const lifetime = promisedLifetime(answer.answer, defaultLifetime, issuedAt);
  const client = { client_id: clientId, client_secret: clientSecret, token_url: tokenUrl };
  const texts = filesFromLogin({
    answer: before.kind === 'keep' ? { ...answer, refreshToken: before.refreshToken } : answer,
    scopes,
    audience,
    client: { ...client, signed_in_at: issuedAt, subject: subjectOf(answer) },
    issuedAt,
    defaultLifetime,
    idToken: policy.useIdToken,
    json: policy.useJson,
  });
  // Write only if `.top` is unchanged: a newer sign-in must not be overwritten, and the
  // decision above is based on the stored refresh token.
  files.writeToken(user, stem, keeping(texts, before), stored.version);
  return {
    ...outcome(before, answer),
    ...(Number.isFinite(lifetime) ? {} : { doesNotExpire: true }),
  };
}

/**
 * True if the stored token is from a sign-in after `issuedAt`. A time in the future is
 * ignored: the clock was set back.
 */
function isNewer({ top, meta }: StoredTexts, issuedAt: number, now: number): boolean {
  const parsed = top === undefined || meta === undefined ? undefined : parseMeta(meta);
  const at = parsed?.ok === true ? parsed.value.signed_in_at : undefined;
  return at !== undefined && at > issuedAt && at <= now;
}

function keeping({ top, ...others }: LoginFiles, before: StoredRefresh): TokenTexts {
  if (before.kind !== 'keep') return { ...others, top };
  return before.top === undefined ? others : { ...others, top: before.top };
}

function outcome(before: StoredRefresh, { refreshToken }: TokenAnswer): Stored {
  switch (before.kind) {
    case 'keep':
      return { renewable: before.renewable, refresh: 'kept' };
    case 'replace':
      return { renewable: false, refresh: 'replaced' };
    default:
      return { renewable: refreshToken !== undefined };
  }
}

function otherScopes({ provider, handle, stem }: ProviderRequest): CodedError {
  const command =
    'condor_store_cred delete-oauth -s ' +
    `${shellWord(provider)}${handle === '' ? '' : ` -H ${shellWord(handle)}`}`;
  return new CodedError(
    'REFRESH_TOKEN_MISSING',
    `${stem} was not stored: the provider sent no refresh token, and the stored token, ` +
      `which can be renewed, is for other scopes or another audience; ` +
      `fix: to replace it, run "${command}" and sign in again`,
    { provider, token: stem },
  );
}
