// openid-client behind one door: the registration of a client at an issuer, and a token
// request whose answer is kept whole.
import * as openid from 'openid-client';
import { CodedError, isCoded, type HttpResponse, type Send } from '../base/index.ts';
import { saneLifetime } from '../credential/times.ts';
import { membersOfAnswer, membersToSalvage } from './answer-body.ts';
import { classifyFailure } from './classify.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';
import {
  judgeTokenResponse,
  refreshTokenToSave,
  scopeText,
  type IdentityClaims,
  type TokenAnswer,
} from '../credential/token-response.ts';

/** How a client proves itself at the token endpoint. @see RFC 6749, section 2.3.1 */
export type ClientAuthentication = 'post' | 'basic';

/**
 * A client at an issuer. `provider` is the name that people know; `issuer` the exact
 * issuer identifier, when the administrator gave it.
 */
export interface ClientRegistration {
  readonly provider: string;
  readonly issuer?: string;
  readonly authorizationUrl?: string;
  /** Where a device login begins. */
  readonly deviceUrl?: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly authentication: ClientAuthentication;
  /**
   * Makes the assertion of private_key_jwt for an audience; with it there is no secret.
   */
  readonly assertion?: (audience: string) => string;
  readonly allowLoopbackHttp: boolean;
}

/** Signature algorithms that an ID token may have: no `none`, nothing symmetric. */
const ID_TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/**
 * What openid-client's fetch saw last, so that an answer can be judged whole and a
 * failure by its status.
 */
interface Seen {
  readonly secrets: readonly string[];
  response?: HttpResponse;
  json?: Record<string, unknown> | undefined;
}

/**
 * The configuration of openid-client for a registration. Endpoints are checked here, so
 * that no caller can forget.
 * @throws CodedError `ENDPOINT_REFUSED`
 */
export function configurationOf(
  registration: ClientRegistration,
  issuer: string | undefined,
  revocationUrl?: string,
): openid.Configuration {
  const { provider, allowLoopbackHttp, authorizationUrl } = registration;
  const token = secureEndpoint(
    registration.tokenUrl,
    `the token URL of ${provider}`,
    allowLoopbackHttp,
  );
  const login =
    authorizationUrl === undefined
      ? undefined
      : secureEndpoint(authorizationUrl, `the authorization URL of ${provider}`, allowLoopbackHttp);
  const revocation =
    revocationUrl === undefined
      ? undefined
      : secureEndpoint(revocationUrl, `the revocation URL of ${provider}`, allowLoopbackHttp);
  const device =
    registration.deviceUrl === undefined
      ? undefined
      : secureEndpoint(registration.deviceUrl, `the device URL of ${provider}`, allowLoopbackHttp);
  const configuration = new openid.Configuration(
    {
      issuer: issuer ?? token.origin,
      token_endpoint: token.href,
      ...(login ? { authorization_endpoint: login.href } : {}),
      ...(revocation ? { revocation_endpoint: revocation.href } : {}),
      ...(device ? { device_authorization_endpoint: device.href } : {}),
      id_token_signing_alg_values_supported: ID_TOKEN_ALGORITHMS,
    },
    registration.clientId,
    {},
    authenticationOf(registration),
  );
  // The limits of `send` are the only ones.
  configuration.timeout = undefined;
  if (allowLoopbackHttp) openid.allowInsecureRequests(configuration);
  return configuration;
}

function authenticationOf({
  clientSecret,
  authentication,
  assertion,
}: ClientRegistration): openid.ClientAuth {
  if (assertion) {
    return (server, client, body) => {
      body.set('client_id', client.client_id);
      body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      body.set('client_assertion', assertion(server.issuer));
    };
  }
  if (clientSecret === undefined || clientSecret === '') return openid.None();
  return authentication === 'basic'
    ? openid.ClientSecretBasic(clientSecret)
    : openid.ClientSecretPost(clientSecret);
}

/**
 * So many bytes of an answer are searched for a rotated refresh token although the answer
 * is refused for its size (4 MiB).
 */
const MOST_SALVAGED_BYTES = 4 * 1024 * 1024;

/** One grant at the token endpoint, with openid-client's checks. */
export type Grant = (
  configuration: openid.Configuration,
) => Promise<openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers>;

/**
 * How an answer is judged: `issuer` is the identifier that it must come from; an ID token
 * is looked at only with `verifyIdToken`; `secrets` are the texts sent that no error may
 * quote; `now` in epoch seconds.
 */
export interface Judgement {
  readonly issuer: string | undefined;
  readonly verifyIdToken: boolean;
  readonly secrets: readonly string[];
  readonly redirectUri?: string;
  readonly now: number;
  /**
   * Learns of a refresh token that came in an answer which is refused: the one that was
   * sent may be spent, so that it must not be lost.
   */
  readonly salvage?: (refreshToken: string) => void;
}

/**
 * Makes one token request and judges the answer. `redirectUri` is sent exactly as it
 * stands, as in the authorization request.
 * @throws CodedError one of `ISSUER_UNREACHABLE`, `ISSUER_BUSY`, `ISSUER_ANSWER_INVALID`,
 * `ISSUER_MISMATCH`, `GRANT_REVOKED`, `CLIENT_REFUSED`, `ENDPOINT_REFUSED`
 */
export async function requestToken(
  send: Send,
  registration: ClientRegistration,
  options: Judgement,
  grant: Grant,
): Promise<TokenAnswer> {
  const configuration = configurationOf(registration, options.issuer);
  const seen: Seen = { secrets: [...options.secrets, registration.clientSecret ?? ''] };
  // What may be lost with a refused answer is read although the answer is too large.
  const readRefused = options.salvage ? MOST_SALVAGED_BYTES : undefined;
  configuration[openid.customFetch] = recordingFetch(send, seen, { ...options, readRefused });
  try {
    const claims: IdentityClaims | undefined = (await grant(configuration)).claims();
    const answer = judgeTokenResponse(seen.json ?? {}, registration.provider, seen.secrets);
    return claims && options.verifyIdToken ? { ...answer, claims } : answer;
  } catch (error) {
    const refreshToken = rotatedIn(seen);
    if (refreshToken !== undefined) options.salvage?.(refreshToken);
    throw reasonOf(error, registration.provider, seen, options.now);
  }
}

/**
 * The refresh token of a refused answer, if it is one by its looks. An answer that says
 * success has one, and one of an issuer that failed after it had rotated the token may;
 * an answer that says the request was wrong (4xx) must not change what is stored.
 */
function rotatedIn({ response }: Seen): string | undefined {
  if (!response || !((response.status >= 200 && response.status < 300) || response.status >= 500))
    return undefined;
  const { body, headers, isCut = false } = response;
  return refreshTokenToSave(membersToSalvage(body, headers['content-type'], isCut));
}

/**
 * Revokes a token at `revocationUrl`; the answer says nothing but that it is done.
 * @throws CodedError as {@link requestToken}
 */
export async function revokeAtIssuer(
  send: Send,
  registration: ClientRegistration,
  revocationUrl: string,
  { token, now }: { readonly token: string; readonly now: number },
  revoke: (configuration: openid.Configuration) => Promise<void>,
): Promise<void> {
  const configuration = configurationOf(registration, registration.issuer, revocationUrl);
  const seen: Seen = { secrets: [token, registration.clientSecret ?? ''] };
  configuration[openid.customFetch] = recordingFetch(send, seen, { verifyIdToken: false });
  try {
    await revoke(configuration);
  } catch (error) {
    throw reasonOf(error, registration.provider, seen, now);
  }
}

function recordingFetch(
  send: Send,
  seen: Seen,
  {
    verifyIdToken,
    redirectUri,
    readRefused,
  }: Pick<Judgement, 'verifyIdToken' | 'redirectUri'> & {
    readonly readRefused?: number | undefined;
  },
): openid.CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const response = await send({
      method: method === 'POST' ? 'POST' : 'GET',
      url,
      headers,
      ...(body === undefined || body === null
        ? {}
        : { body: body instanceof URLSearchParams ? formText(body, redirectUri) : bodyText(body) }),
      ...(signal ? { signal } : {}),
      ...(readRefused === undefined ? {} : { readRefused }),
    });
    seen.response = response;
    seen.json = membersOfAnswer(response.body, response.headers['content-type']);
    if (response.refused) throw response.refused;
    const forLibrary =
      seen.json === undefined
        ? Buffer.from(response.body)
        : JSON.stringify(softened(seen.json, verifyIdToken));
    // A Response of status 204 or 304 may not have a body, not even an empty one.
    return new Response([204, 205, 304].includes(response.status) ? null : forLibrary, {
      status: response.status,
      headers: {
        ...response.headers,
        ...(seen.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
    });
  };
}

/**
 * The library sends a normalized redirect URI; issuers compare it with the authorization
 * request's to the byte.
 */
function formText(body: URLSearchParams, redirectUri: string | undefined): string {
  const form = new URLSearchParams(body);
  if (redirectUri !== undefined && form.has('redirect_uri')) form.set('redirect_uri', redirectUri);
  return form.toString();
}

/**
 * openid-client sends forms and texts; anything else would be a new kind of request that
 * nobody has looked at.
 */
function bodyText(body: unknown): string {
  if (typeof body === 'string') return body;
  throw new TypeError('a token request has a body of an unknown kind');
}

/**
 * What openid-client is stricter about than issuers are: a lifetime that makes no sense
 * (the token's own `exp` or a default serves then), a missing token type, null or an
 * empty text for nothing, scopes as a list; and an ID token that nobody verifies.
 */
function softened(
  json: Readonly<Record<string, unknown>>,
  verifyIdToken: boolean,
): Record<string, unknown> {
  const soft: Record<string, unknown> = { ...json };
  for (const [name, value] of Object.entries(soft))
    if (value === null || value === '') delete soft[name];
  if (saneLifetime(soft['expires_in']) === undefined) delete soft['expires_in'];
  if (soft['access_token'] !== undefined && soft['token_type'] === undefined)
    soft['token_type'] = 'bearer';
  const scope = scopeText(soft['scope']);
  if (scope !== undefined) soft['scope'] = scope;
  if (!verifyIdToken) delete soft['id_token'];
  return soft;
}

/**
 * The library's own errors carry whole answers as their cause: they are read here and
 * never passed on.
 */
function reasonOf(error: unknown, provider: string, seen: Seen, now: number): CodedError {
  const coded = error instanceof Error && isCoded(error.cause) ? error.cause : error;
  if (isCoded(coded)) return coded;
  const { response, json } = seen;
  if (response && (response.status !== 200 || saysError(json))) {
    const retryAfter = response.headers['retry-after'];
    const failed = {
      status: response.status,
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(json ? { json } : {}),
      secrets: seen.secrets,
    };
    return classifyFailure(provider, failed, now);
  }
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const what = inner instanceof Error ? inner.message : 'unknown';
  if (!response) {
    const code = /"iss"/.test(what) ? 'ISSUER_MISMATCH' : 'LOGIN_REFUSED';
    return new CodedError(code, `invalid authorization response for ${provider}: ${what}`, {
      provider,
    });
  }
  return new CodedError(
    /"iss"/.test(what) ? 'ISSUER_MISMATCH' : 'ISSUER_ANSWER_INVALID',
    `invalid token response for ${provider}: ${what}`,
    { provider, status: response.status },
  );
}

/** Some issuers say with status 200 that they refuse. */
function saysError(json: Seen['json']): boolean {
  return typeof json?.['error'] === 'string' && json['access_token'] === undefined;
}
