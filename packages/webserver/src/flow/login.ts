// Begins a login: stores state, nonce and verifier, and returns the authorization URL.
// Completes it: checks the redirect of the issuer, exchanges the code for tokens, and
// stores them.
import { returnUrlProblem } from '../settings/addresses.ts';
import { type Settings, providerSettings } from '../settings/settings.ts';
import { asksUser, checkAnswer, checkName } from './check-answer.ts';
import {
  MAX_LIVE_LOGINS,
  MAX_LOGINS,
  foldFlow,
  liveLogins,
  loginCount,
  openAnswers,
} from './flow.ts';
import { type PortalContext, newSecret, requireFlow } from './context.ts';
import { failLogin, finishLogin } from './finish-login.ts';
import type { Flow, Login } from './flow-value.ts';
import { type BrowserSession, dropAnswers, holdAnswer } from './held-answer.ts';
import { type TokenRequest, readTokenRequest } from './read-request.ts';
import { type ResolvedProvider, resolveProvider } from './resolve-provider.ts';
import { type Issued, checkStored } from './store-token.ts';
import { CodedError, isCoded } from '@credmon/core/base';
import { type ProviderRequest, type TokenAnswer, splitScopes } from '@credmon/core/credential';
import { authorizationUrl, exchangeCode, sendsChallenge } from '@credmon/core/oauth';
import { createHash } from 'node:crypto';

/**
 * Begins a login for one token.
 * @returns the issuer's authorization URL
 * @throws CodedError `LOGIN_EXPIRED`, `LOGIN_REFUSED`, `PROVIDER_REFUSED`,
 * `RETURN_URL_REFUSED`, `ENDPOINT_REFUSED`, `SESSION_STORE_FULL`, and the errors of
 * reading the key file
 * @see RFC 7636 (PKCE); RFC 9700, section 4.7 (state)
 */
export async function beginLogin(
  context: PortalContext,
  id: string | undefined,
  stem: string,
): Promise<URL> {
  const { settings, ports } = context;
  const now = ports.clock.now();
  const flow = await requireFlow(context, id);
  const { loginSeconds } = settings;
  const waiting =
    liveLogins(flow, now, loginSeconds).length + openAnswers(flow, now, loginSeconds).length;
  if (waiting >= MAX_LIVE_LOGINS)
    throw new CodedError(
      'LOGIN_REFUSED',
      'too many logins of this session are in progress; finish one of them',
    );
  if (loginCount(flow) >= MAX_LOGINS)
    throw new CodedError(
      'LOGIN_REFUSED',
      'too many logins in this list; open the link from condor_submit again',
    );
  const request = readTokenRequest(context, flow, stem);
  checkName(settings, request);
  checkReturnUrl(settings, request.provider, request.returnUrl);
  const { policy } = providerSettings(settings, request.provider);
  const { registration, metadata } = await resolveProvider(context, request);
  const state = newSecret(context);
  const scope = [request.scopes, ...policy.scopes.extra].join(' ').trim();
  // Without the scope openid the issuer sends no ID token; with a nonce, core would
  // require one.
  const nonce = splitScopes(scope).includes('openid') ? newSecret(context) : undefined;
  const verifier = sendsChallenge(policy, metadata)
    ? newSecret(context) + newSecret(context)
    : undefined;
  const url = authorizationUrl(registration, {
    redirectUri: request.returnUrl,
    scope,
    audience: request.audience,
    state,
    nonce,
    codeChallenge:
      verifier === undefined
        ? undefined
        : createHash('sha256').update(verifier).digest('base64url'),
  });
  await ports.flows.append(id ?? '', {
    type: 'begun',
    at: now,
    state,
    stem,
    verifier,
    nonce,
    sendsIssuer: metadata?.sendsIssuer === true ? true : undefined,
  });
  ports.counters.login(request.provider, 'begun');
  // An issuer that does not know the redirect URI sends the browser no further.
  const { origin, pathname } = new URL(request.returnUrl);
  ports.log.info(
    `login of ${flow.localUser} for ${stem} begun at ${url.origin}, redirect URI ${origin}${pathname}`,
  );
  return url;
}

/**
 * The issuer redirects the browser to the return URL; if it is not a URL of this portal,
 * the login cannot complete.
 */
function checkReturnUrl(settings: Settings, provider: string, returnUrl: string): void {
  const problem = returnUrlProblem(settings, returnUrl);
  if (problem === undefined) return;
  throw new CodedError(
    'RETURN_URL_REFUSED',
    `the return URL of ${provider} ${problem}; fix ${provider}_RETURN_URL_SUFFIX or CREDMON_WEB_PREFIX`,
    { provider },
  );
}

/** The redirect of the issuer: the query without `?`, its `state`, and the path. */
export interface Callback {
  readonly query: string;
  readonly state: string;
  readonly path: string;
}

/**
 * The new flow, and the id of the answer that waits for the decision of the user, if any.
 */
export interface Finished {
  readonly flow: Flow;
  readonly answer?: string;
}

/**
 * Completes the login of `state`, from any tab or replica. Stores its tokens; if only the
 * user can confirm the account, keeps them until the user has decided.
 * @throws CodedError `LOGIN_EXPIRED`, `LOGIN_REFUSED`, `LOGIN_WRONG_USER`,
 * `LOGIN_SUPERSEDED`, `SCOPE_WIDENED`, `SESSION_STORE_FULL`, `REFRESH_TOKEN_MISSING`, and
 * the errors of reading the key file and of `exchangeCode`
 */
export async function completeLogin(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  callback: Callback,
): Promise<Finished> {
  const { ports, settings } = context;
  const id = session.flow ?? '';
  const { state } = callback;
  const answered = flow.pending.find((one) => one.state === state);
  // The user went back to the provider and returned again; the question is still open.
  if (answered) return { flow, answer: answered.answer };
  const login = await claimLogin(context, id, flow, state);
  try {
    const request = readTokenRequest(context, flow, login.stem);
    checkName(context.settings, request);
    checkPath(request, callback);
    const provider = await resolveProvider(context, request);
    const answer = await exchange(context, request, provider, login, callback).catch(
      (error: unknown) => {
        const { localUser } = flow;
        const advice = clientAdvice(error, settings, { localUser, provider: request.provider });
        if (advice !== undefined) ports.log.error(advice);
        throw error;
      },
    );
    const { tokenUrl } = provider.registration;
    const issued = { answer, issuedAt: ports.clock.now(), tokenUrl };
    checkAnswer(settings, flow.localUser, request, answer);
    if (asksUser(settings, request.provider))
      return await ask(context, session, flow, { state, request, issued });
    return { flow: await finishLogin(context, session, flow, { state, request, issued }) };
  } catch (error) {
    await failLogin(context, id, flow, { state, stem: login.stem, error });
    throw error;
  }
}

/**
 * Keeps the answer until the user decides. An answer that could not be stored is rejected
 * at once.
 */
async function ask(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  {
    state,
    request,
    issued,
  }: { readonly state: string; readonly request: TokenRequest; readonly issued: Issued },
): Promise<Finished> {
  const { ports } = context;
  checkStored(context, flow.localUser, request, issued);
  const answer = await holdAnswer(context, session, flow.localUser, {
    ...issued,
    keyDigest: request.keyDigest,
  });
  try {
    const events = await ports.flows.append(session.flow ?? '', {
      type: 'held',
      at: ports.clock.now(),
      state,
      answer,
    });
    const after = foldFlow(events);
    if (!after) throw new CodedError('LOGIN_EXPIRED', 'the session was closed during the sign-in');
    ports.log.info(
      `login of ${flow.localUser} for ${request.stem} waits for the user to confirm the account`,
    );
    return { flow: after, answer };
  } catch (error) {
    await dropAnswers(context, [{ answer }]);
    throw error;
  }
}

/**
 * Claims the login of a `state`: in all processes, only the first return in the log
 * succeeds.
 */
async function claimLogin(
  { settings, ports }: PortalContext,
  id: string,
  flow: Flow,
  state: string,
): Promise<Login> {
  const known = flow.logins.find((login) => login.state === state);
  if (flow.finished.includes(state) || known?.claimedBy !== undefined) throw finishedAlready();
  if (!known) throw new CodedError('LOGIN_EXPIRED', 'this session has no login with that state');
  const now = ports.clock.now();
  if (now - known.begunAt >= settings.loginSeconds)
    throw new CodedError('LOGIN_EXPIRED', `login timed out after ${settings.loginSeconds} s`);
  const attempt = newSecret({ settings, ports });
  const events = await ports.flows.append(id, { type: 'returned', at: now, state, attempt });
  const login = foldFlow(events)?.logins.find((one) => one.state === state);
  if (login?.claimedBy !== attempt) throw finishedAlready();
  return login;
}

function finishedAlready(): CodedError {
  return new CodedError('LOGIN_EXPIRED', 'this login is already finished');
}

/** Errors of a request, not of the client's id and secret. */
const REQUEST_ERRORS: ReadonlySet<unknown> = new Set([
  'access_denied',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unsupported_grant_type',
]);

/**
 * Returns the line for the log that says where the secret of a rejected client is;
 * `undefined` for other errors. The page does not show it: users cannot act.
 */
function clientAdvice(
  error: unknown,
  settings: Settings,
  { localUser, provider }: { readonly localUser: string; readonly provider: string },
): string | undefined {
  if (!isCoded(error, 'CLIENT_REFUSED') || REQUEST_ERRORS.has(error.fields['error']))
    return undefined;
  const { authentication } = providerSettings(settings, provider).policy;
  const where =
    authentication === 'private_key_jwt'
      ? `the key in the file of CREDMON_${provider}_CLIENT_KEY_FILE (read again at each sign-in)`
      : `the secret in the file of ${provider}_CLIENT_SECRET_FILE; the key file of this ` +
        `sign-in keeps the old secret until ${localUser} submits again`;
  return (
    `the client of ${provider} was rejected; fix for the administrator: correct ` +
    `${provider}_CLIENT_ID, or ${where}`
  );
}

function checkPath({ returnUrl }: ProviderRequest, { path }: Callback): void {
  if (singleSlashes(new URL(returnUrl).pathname) !== singleSlashes(path))
    throw new CodedError('LOGIN_REFUSED', 'the redirect path is that of another provider');
}

const singleSlashes = (path: string): string => path.replaceAll(/\/+/g, '/');

function exchange(
  { ports }: PortalContext,
  request: ProviderRequest,
  { registration, metadata, keys, problem }: ResolvedProvider,
  login: Login,
  { query, state }: Callback,
): Promise<TokenAnswer> {
  // The code would be spent on an answer that cannot be verified.
  if (login.nonce !== undefined && registration.issuer !== undefined && !keys && problem)
    return Promise.reject(problem);
  return exchangeCode(ports.send, registration, {
    query,
    state,
    redirectUri: request.returnUrl,
    codeVerifier: login.verifier,
    now: ports.clock.now(),
    nonce: login.nonce,
    scope: request.scopes,
    audience: request.audience,
    sendsIssuer: login.sendsIssuer === true || metadata?.sendsIssuer === true,
    issuerTemplate: metadata?.template,
    keys,
  });
}
