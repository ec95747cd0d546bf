// The device grant: a login on a machine without a browser, completed on another one.
import type { DeviceAuthorizationResponse } from 'openid-client';
import { CodedError, isCoded, type Clock, type HttpResponse, type Send } from '../base/index.ts';
import { bodyText } from '../base/values/json.ts';
import { parseObject } from '../credential/file-contents.ts';
import { LONGEST_LIFETIME, statedSeconds } from '../credential/times.ts';
import { classifyFailure } from './classify.ts';
import {
  configurationOf,
  loadOpenidClient,
  policyOfClient,
  requestToken,
  type ClientRegistration,
} from './client.ts';
import { addAudience } from './grants.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';
import { type TokenAnswer, splitScopes } from '../credential/token-response.ts';

/**
 * A pending login. `deviceCode` is a secret; the rest is for the user. Times in seconds.
 */
export interface DeviceLogin {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUrl: string;
  /** `verificationUrl` with the user code in it, if the issuer offers it. */
  readonly completeUrl: string | undefined;
  readonly expiresIn: number;
  readonly interval: number;
}

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** RFC 8628, in seconds: the default interval, and the increment of `slow_down`. */
const USUAL_INTERVAL = 5;
/**
 * Seconds to wait for a response after the time-out of `send`: the issuer may have spent
 * the device code on it.
 */
const LATE_ANSWER = 120;
/** The maximum interval in seconds between two requests while the issuer is down. */
const LONGEST_INTERVAL = 60;

/**
 * Requests a device login from the issuer. `scope` and `audience` as written by a user;
 * empty ones are left out. Parameters of the provider's sign-in are sent too: they are for
 * the same page of the issuer. `now` in epoch seconds.
 * @throws CodedError as `requestToken`
 * @see RFC 8628, sections 3.1 and 3.2
 */
export async function beginDeviceLogin(
  send: Send,
  registration: ClientRegistration,
  request: { readonly scope: string; readonly audience: string; readonly now: number },
): Promise<DeviceLogin> {
  const openid = await loadOpenidClient();
  const configuration = configurationOf(openid, registration, registration.issuer);
  let seen: HttpResponse | undefined;
  configuration[openid.customFetch] = async (url, { headers, body }) => {
    seen = await send({
      method: 'POST',
      url,
      headers,
      body: body instanceof URLSearchParams ? body.toString() : '',
    });
    return new Response(bodyText(seen.body), { status: seen.status, headers: { ...seen.headers } });
  };
  const scope = splitScopes(request.scope).join(' ');
  const { authorizationParameters, audienceParameter } = policyOfClient(registration);
  const parameters = new URLSearchParams({ ...authorizationParameters });
  if (scope !== '') parameters.set('scope', scope);
  addAudience(parameters, audienceParameter, request.audience);
  try {
    return checkedLogin(
      await openid.initiateDeviceAuthorization(configuration, parameters),
      registration,
    );
  } catch (error) {
    throw reasonOf(error, registration, seen, request.now);
  }
}

function checkedLogin(
  answer: DeviceAuthorizationResponse,
  registration: ClientRegistration,
): DeviceLogin {
  const { provider, allowLoopbackHttp } = registration;
  const {
    verification_uri: page,
    verification_uri_complete: complete,
    user_code: userCode,
  } = answer;
  // These values are printed on a terminal, and users follow them.
  if (!/^[\x20-\x7e]{1,64}$/.test(userCode))
    throw new CodedError(
      'ISSUER_ANSWER_INVALID',
      `invalid user code for ${provider}: not printable ASCII`,
      {
        provider,
      },
    );
  const safe = (url: string): string =>
    secureEndpoint(url, `the login page of ${provider}`, allowLoopbackHttp).href;
  return {
    deviceCode: answer.device_code,
    userCode,
    verificationUrl: safe(page),
    completeUrl: complete === undefined ? undefined : safe(complete),
    expiresIn: plausible(answer.expires_in) ?? 300,
    interval: plausible(answer.interval) ?? USUAL_INTERVAL,
  };
}

/** Returns seconds; `undefined` for a time that nobody waits. */
function plausible(value: unknown): number | undefined {
  const seconds = statedSeconds(value);
  return seconds !== undefined && seconds < LONGEST_LIFETIME ? seconds : undefined;
}

/**
 * The library's errors contain whole responses as their cause: they are never passed on.
 */
function reasonOf(
  error: unknown,
  registration: ClientRegistration,
  seen: HttpResponse | undefined,
  now: number,
): CodedError {
  const { provider, clientSecret = '' } = registration;
  const coded = error instanceof Error && isCoded(error.cause) ? error.cause : error;
  if (isCoded(coded)) return coded;
  const object = seen && parseObject(bodyText(seen.body));
  const json = object?.ok === true ? object.value : undefined;
  // GitHub answers errors with status 200.
  if (seen && (seen.status !== 200 || typeof json?.['error'] === 'string')) {
    return classifyFailure(
      provider,
      {
        status: seen.status,
        secrets: [clientSecret],
        json,
        errors: policyOfClient(registration).errors,
      },
      now,
    );
  }
  return new CodedError(
    'ISSUER_ANSWER_INVALID',
    `invalid device authorization response for ${provider}`,
    {
      provider,
    },
  );
}

/**
 * Waits until the user has signed in. Polls no more often than the issuer allows, and
 * continues while the issuer is down.
 * @throws CodedError `LOGIN_REFUSED` if the user declined, `LOGIN_EXPIRED` on time-out or
 * if `signal` aborted, else as `requestToken`
 * @see RFC 8628, sections 3.4 and 3.5
 */
export async function finishDeviceLogin(
  send: Send,
  registration: ClientRegistration,
  login: DeviceLogin,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<TokenAnswer> {
  const { provider } = registration;
  const begun = clock.steady();
  for (let { interval } = login; ;) {
    await clock.wait(interval, signal);
    if (signal?.aborted || clock.steady() - begun >= login.expiresIn) throw expired(provider);
    try {
      return await askOnce(send, registration, login, clock.now());
    } catch (error) {
      interval = nextInterval(error, interval, provider);
    }
  }
}

function askOnce(
  send: Send,
  registration: ClientRegistration,
  { deviceCode }: DeviceLogin,
  now: number,
): Promise<TokenAnswer> {
  const checks = {
    issuer: registration.issuer,
    secrets: [deviceCode],
    now,
  };
  const patient: Send = (request) =>
    send({ ...request, late: { seconds: LATE_ANSWER, began: () => undefined } });
  return requestToken(patient, registration, checks, (openid, configuration) =>
    openid.genericGrantRequest(configuration, DEVICE_GRANT, {
      ...policyOfClient(registration).tokenParameters,
      device_code: deviceCode,
    }),
  );
}

/** Returns the seconds to the next request, or throws if polling ends. */
function nextInterval(error: unknown, interval: number, provider: string): number {
  if (!isCoded(error)) throw error;
  const issuerError = error.fields['error'];
  if (issuerError === 'authorization_pending') return interval;
  if (issuerError === 'expired_token') throw expired(provider);
  if (issuerError === 'access_denied')
    throw new CodedError('LOGIN_REFUSED', `login for ${provider} declined by the user`, {
      provider,
    });
  if (error.code === 'ISSUER_BUSY') return interval + USUAL_INTERVAL;
  if (error.code === 'ISSUER_UNREACHABLE') return Math.min(LONGEST_INTERVAL, interval * 2);
  throw error;
}

function expired(provider: string): CodedError {
  return new CodedError('LOGIN_EXPIRED', `login for ${provider} timed out; start again`, {
    provider,
  });
}
