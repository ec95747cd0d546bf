// The device grant: a login on a machine that has no browser, finished on one that has.
import * as openid from 'openid-client';
import { CodedError, isCoded, type Clock, type HttpResponse, type Send } from '../base/index.ts';
import { bodyText } from '../base/http/body-text.ts';
import { parseObject } from '../credential/contents.ts';
import { saneLifetime } from '../credential/times.ts';
import { classifyFailure } from './classify.ts';
import { configurationOf, requestToken, type ClientRegistration } from './client.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';
import { type TokenAnswer, splitScopes } from '../credential/token-response.ts';

/**
 * A login that waits for its user. `deviceCode` is a secret; the rest is for the user.
 * Times in seconds.
 */
export interface DeviceLogin {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUrl: string;
  /** The same with the code in it, where the issuer offers that. */
  readonly completeUrl: string | undefined;
  readonly expiresIn: number;
  readonly interval: number;
}

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/**
 * RFC 8628: the interval where the issuer names none, and what `slow_down` adds to it.
 */
const USUAL_INTERVAL = 5;
/**
 * An answer is waited for this much longer than the limits of `send` say, in seconds: the
 * issuer may have spent the device code on it.
 */
const LATE_ANSWER = 120;
/** Nobody waits longer between two questions because an issuer is down. */
const LONGEST_INTERVAL = 60;

/**
 * Asks the issuer for a device login. `scope` and `resource` as a user writes them; empty
 * ones are left out; `now` in epoch seconds.
 * @throws CodedError as `requestToken`
 * @see RFC 8628, sections 3.1 and 3.2
 */
export async function beginDeviceLogin(
  send: Send,
  registration: ClientRegistration,
  request: { readonly scope: string; readonly resource: string; readonly now: number },
): Promise<DeviceLogin> {
  const configuration = configurationOf(registration, registration.issuer);
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
  const parameters = {
    ...(scope === '' ? {} : { scope }),
    ...(request.resource === '' ? {} : { resource: request.resource }),
  };
  try {
    return judged(
      await openid.initiateDeviceAuthorization(configuration, parameters),
      registration,
    );
  } catch (error) {
    throw reasonOf(error, registration, seen, request.now);
  }
}

function judged(
  answer: openid.DeviceAuthorizationResponse,
  registration: ClientRegistration,
): DeviceLogin {
  const { provider, allowLoopbackHttp } = registration;
  const {
    verification_uri: page,
    verification_uri_complete: complete,
    user_code: userCode,
  } = answer;
  // All of this is printed on a terminal, and people do what it says.
  if (!/^[\x20-\x7e]{1,64}$/.test(userCode))
    throw new CodedError(
      'ISSUER_ANSWER_INVALID',
      `the user code for ${provider} cannot be printed`,
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
    expiresIn: saneLifetime(answer.expires_in) ?? 300,
    interval: saneLifetime(answer.interval) ?? USUAL_INTERVAL,
  };
}

/**
 * The library's own errors carry whole answers as their cause: they are never passed on.
 */
function reasonOf(
  error: unknown,
  { provider, clientSecret = '' }: ClientRegistration,
  seen: HttpResponse | undefined,
  now: number,
): CodedError {
  const coded = error instanceof Error && isCoded(error.cause) ? error.cause : error;
  if (isCoded(coded)) return coded;
  if (seen && seen.status !== 200) {
    const object = parseObject(bodyText(seen.body));
    return classifyFailure(
      provider,
      {
        status: seen.status,
        secrets: [clientSecret],
        ...(object.ok ? { json: object.value } : {}),
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
 * Waits until the user has logged in. Asks no oftener than the issuer allows, and continues
 * asking while it is down.
 * @throws CodedError `LOGIN_REFUSED` when the user declined, `LOGIN_EXPIRED` when the
 * time was up or `signal` aborted, else as `requestToken`
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
  const judgement = {
    issuer: registration.issuer,
    verifyIdToken: false,
    secrets: [deviceCode],
    now,
  };
  const patient: Send = (request) =>
    send({ ...request, late: { seconds: LATE_ANSWER, began: () => undefined } });
  return requestToken(patient, registration, judgement, (configuration) =>
    openid.genericGrantRequest(configuration, DEVICE_GRANT, { device_code: deviceCode }),
  );
}

/** The seconds to the next question, or why there is none. */
function nextInterval(error: unknown, interval: number, provider: string): number {
  if (!isCoded(error)) throw error;
  const said = error.fields['error'];
  if (said === 'authorization_pending') return interval;
  if (said === 'expired_token') throw expired(provider);
  if (said === 'access_denied')
    throw new CodedError('LOGIN_REFUSED', `the login for ${provider} was declined`, { provider });
  if (error.code === 'ISSUER_BUSY') return interval + USUAL_INTERVAL;
  if (error.code === 'ISSUER_UNREACHABLE') return Math.min(LONGEST_INTERVAL, interval * 2);
  throw error;
}

function expired(provider: string): CodedError {
  return new CodedError('LOGIN_EXPIRED', `login for ${provider} timed out; start again`, {
    provider,
  });
}
