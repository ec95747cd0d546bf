// Finishes a login: takes what the issuer sent back, gets the tokens and writes them where CredD looks.
import { exchangeCode, type ProviderRequest, type TokenAnswer } from '@credmon/core';
import { CodedError, isCoded, messageOf, systemCode } from '@credmon/core/base';
import { newSecret, requireFlow, type Desk } from './desk.ts';
import { foldFlow, isComplete, nextFlow, withStored, type Flow, type FlowEvent, type Login } from './flow.ts';
import { checkAnswer, displayName, missingScopes } from './judge-answer.ts';
import { checkName } from './name-refusal.ts';
import { readTokenRequest } from './read-request.ts';
import { registrationOf } from './registration.ts';
import { storeToken, type Stored } from './store-token.ts';

/** A browser that came back: the query of the callback without `?`, its `state`, and its path. */
export interface Callback {
  readonly query: string;
  readonly state: string;
  readonly path: string;
}

/** What came of it: the flow afterwards, and the token that it was about. */
export interface Finished {
  readonly flow: Flow;
  readonly stem: string;
}

/**
 * Finishes the login that `state` belongs to, whichever tab or replica began it.
 * @throws CodedError `LOGIN_EXPIRED`, `LOGIN_REFUSED`, `LOGIN_WRONG_USER`, `SCOPE_WIDENED`, `SESSION_STORE_FULL`, and as the key file's reader and `exchangeCode`
 */
export async function completeLogin(
  desk: Desk,
  id: string | undefined,
  callback: Callback,
): Promise<Finished> {
  const { ports } = desk;
  const flow = await requireFlow(desk, id);
  const login = await claimLogin(desk, id ?? '', flow, callback.state);
  const { state } = callback;
  try {
    const request = readTokenRequest(desk, flow, login.stem);
    checkName(desk.settings, request);
    checkPath(request, callback);
    const answer = await exchange(desk, request, login, callback);
    checkAnswer(desk.settings, flow.localUser, request, answer);
    const stored = storeToken(desk, flow.localUser, request, { answer, issuedAt: ports.clock.now() });
    const name = displayName(answer);
    const after = await note(desk, id ?? '', flow, {
      type: 'completed',
      at: ports.clock.now(),
      state,
      missing: missingScopes(request, answer),
      ...stored,
      ...(name === undefined ? {} : { name }),
    });
    ports.counters.login(request.provider, 'done');
    ports.log.info(`login of ${flow.localUser} for ${login.stem} done; ${describe(stored)}`);
    return { flow: finishFlow(desk, after), stem: login.stem };
  } catch (error) {
    const code = isCoded(error) ? error.code : 'CRED_FILE_IO';
    ports.counters.login(providerOf(flow, login.stem), code);
    await note(desk, id ?? '', flow, { type: 'failed', at: ports.clock.now(), state, code });
    throw error;
  }
}

function providerOf({ tokens }: Flow, stem: string): string {
  return tokens.find((token) => token.stem === stem)?.provider ?? stem;
}

/** Of all returns with one `state`, in all processes, exactly the first in the log goes on. */
async function claimLogin({ settings, ports }: Desk, id: string, flow: Flow, state: string): Promise<Login> {
  const known = flow.logins.find((login) => login.state === state);
  if (flow.over.includes(state) || known?.claimedBy !== undefined) throw finishedAlready();
  if (!known) throw new CodedError('LOGIN_EXPIRED', 'no login of this session has that state');
  const now = ports.clock.now();
  if (now - known.begunAt >= settings.loginSeconds)
    throw new CodedError('LOGIN_EXPIRED', `the login took longer than ${settings.loginSeconds} s`);
  const attempt = newSecret({ settings, ports });
  const events = await ports.flows.append(id, { type: 'returned', at: now, state, attempt });
  const login = foldFlow(events)?.logins.find((one) => one.state === state);
  if (login?.claimedBy !== attempt) throw finishedAlready();
  return login;
}

function finishedAlready(): CodedError {
  return new CodedError('LOGIN_EXPIRED', 'this login was finished already');
}

function checkPath({ returnUrl }: ProviderRequest, { path }: Callback): void {
  if (singleSlashes(new URL(returnUrl).pathname) !== singleSlashes(path))
    throw new CodedError('LOGIN_REFUSED', 'the browser came back by the path of another provider');
}

const singleSlashes = (path: string): string => path.replaceAll(/\/+/g, '/');

function exchange(
  { settings, ports }: Desk,
  request: ProviderRequest,
  login: Login,
  { query, state }: Callback,
): Promise<TokenAnswer> {
  return exchangeCode(ports.send, registrationOf(settings, request), {
    query,
    state,
    redirectUri: request.returnUrl,
    codeVerifier: login.verifier,
    now: ports.clock.now(),
    ...(login.nonce === undefined ? {} : { nonce: login.nonce }),
  });
}

/** Writes down how a login ended. What happened in the credential directory counts even where no note of it can be kept. */
async function note({ ports }: Desk, id: string, flow: Flow, event: FlowEvent): Promise<Flow> {
  let after: Flow | undefined;
  try {
    after = foldFlow(await ports.flows.append(id, event));
  } catch (error) {
    const why = isCoded(error) ? messageOf(error) : (systemCode(error) ?? 'unknown');
    ports.log.warn(`no note could be kept of a login of ${flow.localUser} (${event.type}): ${why}`);
  }
  return after ?? nextFlow(flow, event) ?? flow;
}

/** The key file has served when every token is there; the clean-up of condor_credmon removes what cannot be removed here. */
function finishFlow({ ports }: Desk, noted: Flow): Flow {
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
