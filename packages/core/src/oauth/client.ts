// The wrapper of openid-client: the registration of a client at an issuer, and a token
// request that keeps the whole response.
import type * as openid from 'openid-client';
import { CodedError, isCoded, type HttpResponse, type Send } from '../base/index.ts';
import { GENERIC_POLICY, type IssuerPolicy } from '../profiles/policy.ts';
import type { ClientAuthentication } from '../profiles/profile.ts';
import { nestsWithin } from '../base/values/json.ts';
import { membersOfAnswer, membersToSave, classifyFailure, normalised } from './classify.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';
import {
  judgeTokenResponse,
  refreshTokenToSave,
  tokenOfServer,
  type TokenAnswer,
} from '../credential/token-response.ts';

/**
 * A client at an issuer. `provider` is the name for users; `issuer` is the exact issuer
 * identifier, if configured.
 */
export interface ClientRegistration {
  readonly provider: string;
  readonly issuer?: string | undefined;
  readonly authorizationUrl?: string;
  /** The device authorization endpoint. */
  readonly deviceUrl?: string | undefined;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly authentication: ClientAuthentication;
  /** Another method that the issuer offers, if no knob chose `authentication`. */
  readonly otherAuthentication?: ClientAuthentication | undefined;
  /** Creates the assertion of private_key_jwt for an audience; replaces the secret. */
  readonly assertion?: ((audience: string) => string) | undefined;
  readonly allowLoopbackHttp: boolean;
  /** What depends on the issuer; by default that of the profile `generic`. */
  readonly policy?: IssuerPolicy | undefined;
}

/** The policy of a client's provider. */
export function policyOfClient({ policy }: ClientRegistration): IssuerPolicy {
  return policy ?? GENERIC_POLICY;
}

/**
 * The last exchange of openid-client's fetch, for validation of the whole response and
 * for classification of a failure by status.
 */
interface Exchange {
  readonly secrets: readonly string[];
  response?: HttpResponse;
  json?: Record<string, unknown> | undefined;
}

/** The library, loaded with the first request: commands that send none start faster. */
export type OpenidClient = typeof openid;

let loadedLibrary: OpenidClient | undefined;

/** Loads the library once: each import in the bundle copies what the library exports. */
export async function loadOpenidClient(): Promise<OpenidClient> {
  return (loadedLibrary ??= await import('openid-client'));
}

/**
 * Returns the configuration of openid-client for a registration. Checks all endpoints, so
 * that no caller can forget it.
 * @throws CodedError `ENDPOINT_REFUSED`
 */
export function configurationOf(
  library: OpenidClient,
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
  const configuration = new library.Configuration(
    {
      issuer: issuer ?? token.origin,
      token_endpoint: token.href,
      ...(login ? { authorization_endpoint: login.href } : {}),
      ...(revocation ? { revocation_endpoint: revocation.href } : {}),
      ...(device ? { device_authorization_endpoint: device.href } : {}),
    },
    registration.clientId,
    {},
    authenticationOf(library, registration),
  );
  // The limits of `send` are the only ones.
  configuration.timeout = undefined;
  if (allowLoopbackHttp) library.allowInsecureRequests(configuration);
  return configuration;
}

function authenticationOf(
  library: OpenidClient,
  { issuer, clientSecret, authentication, assertion }: ClientRegistration,
): openid.ClientAuth {
  if (assertion) {
    return (server, client, body) => {
      body.set('client_id', client.client_id);
      body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      // Not the name in a callback, which may be an alias.
      body.set('client_assertion', assertion(issuer ?? server.issuer));
    };
  }
  if (clientSecret === undefined || clientSecret === '' || authentication === 'none')
    return library.None();
  if (authentication === 'post') return library.ClientSecretPost(clientSecret);
  const encode = authentication === 'basic_plain' ? (text: string): string => text : formEncoded;
  return (_, client, __, headers) => {
    const pair = `${encode(client.client_id)}:${encode(clientSecret)}`;
    headers.set('authorization', `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`);
  };
}

/**
 * Encodes a text as the value of a form: letters, digits and `- . _ *` stay as they are,
 * so that most ids and secrets are also right for an issuer that does not decode.
 * @see RFC 6749, section 2.3.1 and appendix B
 */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

/**
 * Bytes of a response that are searched for a rotated refresh token although the response
 * is over the limit (4 MiB).
 */
const MAX_SAVED_BYTES = 4 * 1024 * 1024;

/** The most levels of a response: recursive functions must not overflow the stack. */
const MOST_LEVELS = 1000;

/** One grant at the token endpoint, with openid-client's checks. */
export type Grant = (
  library: OpenidClient,
  configuration: openid.Configuration,
) => Promise<openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers>;

/**
 * How a response is checked. `issuer` is the required issuer identifier of a callback.
 * `secrets` are the secrets that were sent, which errors must not quote. `grant` is
 * `refresh` if the error may be about a refresh token. `now` in epoch seconds.
 */
export interface ResponseChecks {
  readonly issuer: string | undefined;
  readonly grant?: 'refresh';
  readonly secrets: readonly string[];
  readonly redirectUri?: string;
  readonly now: number;
  /**
   * Called with a new refresh token in a rejected response. The old one may be spent, so
   * the new one must not be lost.
   */
  readonly salvage?: ((refreshToken: string) => void) | undefined;
}

/**
 * Sends one token request and validates the response. `redirectUri` is sent byte for byte
 * as in the authorization request.
 * @throws CodedError one of `ISSUER_UNREACHABLE`, `ISSUER_BUSY`, `ISSUER_ANSWER_INVALID`,
 * `ISSUER_MISMATCH`, `GRANT_REVOKED`, `CLIENT_REFUSED`, `ENDPOINT_REFUSED`
 */
export async function requestToken(
  send: Send,
  registration: ClientRegistration,
  options: ResponseChecks,
  grant: Grant,
): Promise<TokenAnswer> {
  const library = await loadOpenidClient();
  const configuration = configurationOf(library, registration, options.issuer);
  const seen: Exchange = { secrets: [...options.secrets, registration.clientSecret ?? ''] };
  // A response over the limit is read if it may contain a refresh token.
  const readRefused = options.salvage ? MAX_SAVED_BYTES : undefined;
  configuration[library.customFetch] = recordingFetch(send, seen, { ...options, readRefused });
  try {
    await grant(library, configuration);
    const { resourceServer } = policyOfClient(registration);
    const { provider } = registration;
    return judgeTokenResponse(seen.json ?? {}, provider, seen.secrets, resourceServer);
  } catch (error) {
    const refreshToken = rotatedIn(seen, policyOfClient(registration).resourceServer);
    if (refreshToken !== undefined) options.salvage?.(refreshToken);
    throw reasonOf(error, registration, seen, options);
  }
}

/**
 * Returns a plausible refresh token of a rejected response. A success response contains
 * one, and the response of an issuer that failed after the rotation may. A 4xx response
 * must not change the stored token.
 */
function rotatedIn({ response }: Exchange, resourceServer: string | undefined): string | undefined {
  if (!response || !((response.status >= 200 && response.status < 300) || response.status >= 500))
    return undefined;
  const { body, headers, isCut = false } = response;
  const members = membersToSave(body, headers['content-type'], isCut);
  return refreshTokenToSave(members && tokenOfServer(members, resourceServer));
}

/**
 * Revokes a token at `revocationUrl`. The response has no content.
 * @throws CodedError as {@link requestToken}
 */
export async function revokeAtIssuer(
  send: Send,
  registration: ClientRegistration,
  revocationUrl: string,
  { token, now }: { readonly token: string; readonly now: number },
  revoke: (library: OpenidClient, configuration: openid.Configuration) => Promise<void>,
): Promise<void> {
  const library = await loadOpenidClient();
  const configuration = configurationOf(library, registration, registration.issuer, revocationUrl);
  const seen: Exchange = { secrets: [token, registration.clientSecret ?? ''] };
  configuration[library.customFetch] = recordingFetch(send, seen, {});
  try {
    await revoke(library, configuration);
  } catch (error) {
    throw reasonOf(error, registration, seen, { now });
  }
}

function recordingFetch(
  send: Send,
  seen: Exchange,
  {
    redirectUri,
    readRefused,
  }: Pick<ResponseChecks, 'redirectUri'> & { readonly readRefused?: number | undefined },
): openid.CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const response = await send({
      method: method === 'POST' ? 'POST' : 'GET',
      url,
      headers,
      body: body instanceof URLSearchParams ? formText(body, redirectUri) : bodyText(body),
      signal,
      readRefused,
    });
    seen.response = response;
    seen.json = membersOfAnswer(response.body, response.headers['content-type']);
    if (response.refused) throw response.refused;
    if (response.status === 200 && seen.json !== undefined)
      return parsedResponse(normalised(seen.json));
    const forLibrary =
      seen.json === undefined ? Buffer.from(response.body) : JSON.stringify(normalised(seen.json));
    // A Response with status 204, 205 or 304 must not have a body, not even an empty one.
    return new Response([204, 205, 304].includes(response.status) ? null : forLibrary, {
      status: response.status,
      headers: {
        ...response.headers,
        ...(seen.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
    });
  };
}

/** The library takes any object of this kind, and reads no more of a successful response. */
const PARSED = { status: 200, bodyUsed: false, [Symbol.toStringTag]: 'Response' } as const;

/** Returns a successful response that is parsed already. */
function parsedResponse(members: Record<string, unknown>): Response {
  if (!nestsWithin(members, MOST_LEVELS)) throw new Error('it nests too deeply');
  return Object.assign(Object.create(PARSED) as Response, { json: async () => members });
}

/**
 * The library normalises the redirect URI, but issuers compare it byte for byte with that
 * of the authorization request.
 */
function formText(body: URLSearchParams, redirectUri: string | undefined): string {
  const form = new URLSearchParams(body);
  if (redirectUri !== undefined && form.has('redirect_uri')) form.set('redirect_uri', redirectUri);
  return form.toString();
}

/** openid-client sends forms and texts; other types are unexpected. */
function bodyText(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return body;
  throw new TypeError('unexpected body type of a token request');
}

/**
 * The library's errors contain whole responses as their cause: they are classified here
 * and never passed on.
 */
function reasonOf(
  error: unknown,
  registration: ClientRegistration,
  seen: Exchange,
  { now, grant }: Pick<ResponseChecks, 'now' | 'grant'>,
): CodedError {
  const { provider, authentication: used, otherAuthentication: other } = registration;
  const coded = error instanceof Error && isCoded(error.cause) ? error.cause : error;
  if (isCoded(coded)) return coded;
  const { response, json } = seen;
  if (response && (response.status !== 200 || saysError(json))) {
    const failed = {
      status: response.status,
      retryAfter: response.headers['retry-after'],
      json,
      isEmpty: response.body.length === 0,
      secrets: seen.secrets,
      errors: policyOfClient(registration).errors,
      grant,
      methods: other && { used, other },
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

/** Some issuers return an error with status 200. */
function saysError(json: Exchange['json']): boolean {
  return typeof json?.['error'] === 'string' && json['access_token'] === undefined;
}
