// The protocol of token programs. The request of condor_credmon: for whom, for what, and
// with which mytoken. What a mytoken server's answers mean: who must act, and whether a
// retry can help. Pure.
import {
  CodedError,
  type HttpResponse,
  bodyText,
  isRecord,
  jwtClaims,
  smallest,
} from '@credmon/core/base';
import { parseObject, scopeText, splitScopes, withoutSecrets } from '@credmon/core/credential';
import { classifyFailure, harmless, retryAfterSeconds } from '@credmon/core/oauth';

/** A mytoken, or a transfer code, which is exchanged for one once. */
export interface Login {
  readonly kind: 'mytoken' | 'transfer_code';
  readonly text: string;
}

/** The parsed request. `login` is what the user has stored, if it can be one. */
export interface ProgramRequest {
  readonly user: string;
  readonly service: string;
  readonly handle: string;
  readonly scopes: readonly string[];
  readonly audience: readonly string[];
  readonly login: Login | undefined;
}

/**
 * Parses a request.
 * @throws CodedError `USAGE` for anything but version 1 of the protocol
 * @see docs/exec-provider.md
 */
export function parseProgramRequest(text: string): ProgramRequest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's message would quote a secret.
    throw noRequest('it is not JSON');
  }
  if (!isRecord(json) || json['version'] !== 1) throw noRequest('it has no "version" 1');
  const { top } = json;
  return {
    user: textOf(json, 'user'),
    service: textOf(json, 'service'),
    handle: textOf(json, 'handle'),
    scopes: splitScopes(textOf(json, 'scopes')),
    audience: splitScopes(textOf(json, 'audience')),
    login: isRecord(top)
      ? storedLogin(top)
      : loginOf('mytoken', typeof top === 'string' ? top.trim() : ''),
  };
}

/**
 * Returns what the user has stored: the mytoken that the daemon has stored after a rotation
 * counts first, and a transfer code last, because it works once.
 */
function storedLogin(top: Readonly<Record<string, unknown>>): Login | undefined {
  return (
    loginOf('mytoken', textOf(top, 'refresh_token')) ??
    loginOf('mytoken', textOf(top, 'mytoken')) ??
    loginOf('transfer_code', textOf(top, 'transfer_code'))
  );
}

/** Returns the login in a text; `undefined` for a text that no server gave. */
export function loginOf(kind: Login['kind'], text: string): Login | undefined {
  return /^[!-~]{1,16384}$/.test(text) ? { kind, text } : undefined;
}

function textOf(json: Readonly<Record<string, unknown>>, name: string): string {
  const value = json[name];
  return typeof value === 'string' ? value : '';
}

function noRequest(why: string): CodedError {
  return new CodedError(
    'USAGE',
    `invalid request on standard input: ${why}; condor_credmon runs this program, see docs/mytoken.md`,
  );
}

/** An error of the protocol; `retryAfter` in seconds. */
export interface Refusal {
  readonly kind: 'refused';
  readonly error: 'invalid_grant' | 'invalid_request' | 'invalid_scope' | 'temporarily_unavailable';
  readonly description: string;
  readonly retryAfter?: number | undefined;
}

/** An answer that no mytoken server sends. */
export interface InvalidAnswer {
  readonly kind: 'invalid';
  readonly error: CodedError;
}

/**
 * An answer with an access token, or another one. `rotated` is the mytoken that replaces
 * the one that was sent, whatever else the answer says.
 */
export interface TokenAnswer {
  readonly result:
    | { readonly kind: 'token'; readonly members: Readonly<Record<string, unknown>> }
    | Refusal
    | InvalidAnswer;
  readonly rotated: string | undefined;
}

/** The secret that was sent, and the time in epoch seconds. */
export interface Question {
  readonly sent: string;
  readonly now: number;
}

/**
 * Returns the meaning of an answer of the access token endpoint.
 * @see https://mytoken-docs.data.kit.edu/dev/api/latest/endpoints/at
 */
export function judgeAccessToken(response: HttpResponse, question: Question): TokenAnswer {
  const json = objectIn(response);
  const rotated = json && rotatedIn(json);
  if (response.status !== 200)
    return { result: refusalOf(response, json, question, 'mytoken'), rotated };
  if (typeof json?.['access_token'] !== 'string')
    return { result: invalid('it has no access_token'), rotated };
  const { access_token, token_type, expires_in } = json;
  const scope = scopeText(json['scope']);
  const members = {
    access_token,
    ...(typeof token_type === 'string' ? { token_type } : {}),
    ...(typeof expires_in === 'number' && expires_in > 0 ? { expires_in } : {}),
    ...(scope === undefined || scope === '' ? {} : { scope }),
  };
  return { result: { kind: 'token', members }, rotated };
}

/**
 * Returns the mytoken for a transfer code.
 * @see https://mytoken-docs.data.kit.edu/dev/api/latest/endpoints/mytoken
 */
export function judgeTransferCode(
  response: HttpResponse,
  question: Question,
): { readonly kind: 'mytoken'; readonly mytoken: string } | Refusal | InvalidAnswer {
  const json = objectIn(response);
  if (response.status !== 200) return refusalOf(response, json, question, 'transfer code');
  const mytoken = json && mytokenIn(json);
  return mytoken === undefined ? invalid('it has no mytoken') : { kind: 'mytoken', mytoken };
}

function invalid(why: string): InvalidAnswer {
  const message = `invalid answer of the mytoken server: ${why}`;
  return { kind: 'invalid', error: new CodedError('ISSUER_ANSWER_INVALID', message) };
}

function objectIn({ body }: HttpResponse): Readonly<Record<string, unknown>> | undefined {
  const object = parseObject(bodyText(body));
  return object.ok ? object.value : undefined;
}

/** The documentation calls it `updated_token` up to version 0.12, the server never did. */
function rotatedIn(json: Readonly<Record<string, unknown>>): string | undefined {
  const update = json['token_update'] ?? json['updated_token'];
  return isRecord(update) ? mytokenIn(update) : undefined;
}

function mytokenIn({ mytoken }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof mytoken === 'string' ? loginOf('mytoken', mytoken)?.text : undefined;
}

function refusalOf(
  { status, headers }: HttpResponse,
  json: Readonly<Record<string, unknown>> | undefined,
  { sent, now }: Question,
  what: 'mytoken' | 'transfer code',
): Refusal | InvalidAnswer {
  const retryAfter = retryAfterSeconds(headers['retry-after'], now);
  const text = (name: string): string => {
    const value = json?.[name];
    return typeof value === 'string' ? value : '';
  };
  // Judged before secrets and long words are masked.
  const error = text('error');
  const description = text('error_description');
  const said = harmless(withoutSecrets(description, [sent]));
  const because = said === '' ? '' : `: ${said}`;
  if (error === 'oidc_error') return refusalOfProvider(description, said);
  if (status === 429 || status === 408 || status >= 500)
    return waiting(`the mytoken server answered HTTP status ${status}${because}`, retryAfter);
  switch (error) {
    case 'invalid_token':
    case 'expired_token':
      return dead(`the mytoken server rejects the ${what}${because}`);
    case 'insufficient_capabilities':
      return dead('the mytoken lacks the capability AT');
    case 'usage_restricted':
      return restricted(sent, now);
    case 'invalid_request':
      return /not for (?:the )?specified issuer/i.test(description)
        ? dead('the mytoken is of another OpenID provider than --issuer')
        : { kind: 'refused', error, description: `the mytoken server rejects it${because}` };
    default: {
      const code = /^[\w.-]{1,64}$/.test(error) ? ` (${withoutSecrets(error, [sent])})` : '';
      return invalid(`HTTP status ${status}${code}${because}`);
    }
  }
}

/**
 * The server passes the error of the OpenID provider on as text, `code: description`. The
 * table for issuers' own answers says which code is the end of a login.
 */
function refusalOfProvider(text: string, said: string): Refusal {
  const error = /^[\w.-]+/.exec(text)?.[0] ?? '';
  const description = `the OpenID provider answered ${said === '' ? 'an error' : said}`;
  if (classifyFailure('', { status: 400, json: { error } }, 0).code === 'GRANT_REVOKED')
    return dead(description);
  return error === 'invalid_scope' || error === 'invalid_target'
    ? { kind: 'refused', error: 'invalid_scope', description }
    : waiting(description, undefined);
}

/**
 * Restrictions of time pass by themselves, all others do not. An opaque mytoken does not
 * show its restrictions: it is tried again.
 * @see https://mytoken-docs.data.kit.edu/dev/api/latest/types/restrictions
 */
function restricted(mytoken: string, now: number): Refusal {
  const rules = jwtClaims(mytoken)?.['restrictions'];
  const list = Array.isArray(rules) ? rules.filter(isRecord) : [];
  const starts = list.flatMap(({ nbf }) => (typeof nbf === 'number' && nbf > now ? [nbf] : []));
  const text = 'the restrictions of the mytoken do not allow this';
  if (starts.length > 0)
    return waiting(`${text} yet`, Math.min(86_400, Math.ceil(smallest(starts) - now)));
  if (list.length === 0 || list.some(({ schedule }) => schedule !== undefined))
    return waiting(`${text} now`, undefined);
  return dead(`${text}: scopes, audience, host or number of uses`);
}

function dead(description: string): Refusal {
  return { kind: 'refused', error: 'invalid_grant', description };
}

function waiting(description: string, retryAfter: number | undefined): Refusal {
  return { kind: 'refused', error: 'temporarily_unavailable', description, retryAfter };
}
