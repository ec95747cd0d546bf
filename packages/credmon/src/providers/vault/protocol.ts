// Builds the only request that a user's `.top` may cause: everything in that file is
// untrusted. And reads the Vault's answer: a token, a revoked Vault token, a login that has
// ended in the Vault, or a failure that time or the administrator fixes. Pure.
import texts from './answers.json' with { type: 'json' };
import type { VaultSettings } from '../../settings/vault.ts';
import {
  CodedError,
  type HttpRequest,
  type HttpResponse,
  bodyText,
  isRecord,
  originOf,
} from '@credmon/core/base';
import {
  type Parsed,
  judgeTokenResponse,
  parseObject,
  splitScopes,
  withoutSecrets,
} from '@credmon/core/credential';
import { classifyFailure, harmless } from '@credmon/core/oauth';

/** The contents of a Vault's `.top`. A handle without `vaultToken` uses its parent's. */
export interface VaultTop {
  readonly vaultUrl: string;
  readonly vaultToken: string | undefined;
  readonly scopes: string;
  readonly audience: string;
}

const invalid = (reason: string): { ok: false; reason: string } => ({ ok: false, reason });

/**
 * Parses a Vault's `.top`; the reason of a failure completes the sentence ".top ..." and
 * contains no value.
 */
export function parseVaultTop(text: string): Parsed<VaultTop> {
  const object = parseObject(text);
  if (!object.ok) return object;
  const { vault_url: vaultUrl, vault_token: vaultToken, scopes = '', audience = '' } = object.value;
  if (typeof vaultUrl !== 'string' || vaultUrl === '') return invalid('has no "vault_url" text');
  // The characters allowed in an HTTP header.
  if (
    vaultToken !== undefined &&
    !(typeof vaultToken === 'string' && /^[!-~]{1,8192}$/.test(vaultToken))
  )
    return invalid('has a "vault_token" that is not a token');
  if (typeof scopes !== 'string' || typeof audience !== 'string')
    return invalid('has "scopes" or "audience" that are not text');
  return { ok: true, value: { vaultUrl, vaultToken, scopes, audience } };
}

/**
 * Returns the parent of a handle: the stem up to its last `_`; `undefined` for a stem
 * without one.
 */
export function parentStem(stem: string): string | undefined {
  const cut = stem.lastIndexOf('_');
  return cut > 0 ? stem.slice(0, cut) : undefined;
}

const PLUGIN_PATH = /^\/v1\/(?!sys\/|auth\/)[\w.-]+\/(?:[^/]+\/)*(?:creds|sts)\/./;
const PLUGIN_QUERY: ReadonlySet<string> = new Set([
  'minimum_seconds',
  'scopes',
  'audience',
  'audiences',
]);

/**
 * Returns the URL to read if it is trusted: https, a configured host and port, a path of
 * the OAuth plug-in (`creds` or `sts` of a mount, not /v1/sys/ or /v1/auth/, where a user
 * could choose the answer), no user information, no fragment, only the plug-in's query
 * parameters, no encoded path separators.
 * @throws CodedError `ENDPOINT_REFUSED` with the origin and the reason, not the URL
 */
export function trustedVaultUrl(text: string, settings: VaultSettings): URL {
  if (!URL.canParse(text)) throw urlError(text, 'it is not a URL');
  const url = new URL(text);
  const host = url.hostname.replaceAll(/[[\]]/g, '');
  if (url.protocol !== 'https:') throw urlError(text, 'it must begin with https:');
  if (url.username !== '' || url.password !== '')
    throw urlError(text, 'it contains user information');
  if (url.hash !== '') throw urlError(text, 'it has a fragment');
  if (settings.hosts.length === 0)
    throw urlError(
      text,
      'no Vault is configured; fix: the administrator lists its host in TRUSTED_VAULT_HOSTS',
    );
  if (!settings.hosts.includes(host))
    throw urlError(
      text,
      'its host is not in TRUSTED_VAULT_HOSTS (or SEC_CREDENTIAL_GETTOKEN_OPTS)',
    );
  if (!settings.ports.includes(Number(url.port === '' ? '443' : url.port)))
    throw urlError(text, 'its port is not in CREDMON_VAULT_PORTS');
  if (!url.pathname.startsWith('/v1/') || /%2f|%5c|%2e|\/\//i.test(url.pathname))
    throw urlError(text, 'its path is not a plain path below /v1/');
  if (!PLUGIN_PATH.test(url.pathname))
    throw urlError(text, 'its path is not /v1/<mount>/creds/... or /v1/<mount>/sts/...');
  if ([...url.searchParams.keys()].some((name) => !PLUGIN_QUERY.has(name)))
    throw urlError(text, 'its query has a parameter that is not allowed');
  return url;
}

/**
 * Returns the request for an access token. `vaultToken` is only in a header.
 * @throws CodedError `ENDPOINT_REFUSED`
 */
export function vaultRequest(
  top: VaultTop,
  vaultToken: string,
  settings: VaultSettings,
): HttpRequest {
  const url = trustedVaultUrl(top.vaultUrl, settings);
  const list = (text: string): string => splitScopes(text).join(',');
  url.searchParams.set('minimum_seconds', String(settings.minimumSeconds));
  if (top.scopes !== '') url.searchParams.set('scopes', list(top.scopes));
  // The plug-in names the parameter differently for an exchange and for a read.
  const audience = url.pathname.includes('/creds/') ? 'audience' : 'audiences';
  if (top.audience !== '') url.searchParams.set(audience, list(top.audience));
  return {
    method: 'GET',
    url: url.href,
    headers: {
      accept: 'application/json',
      'x-vault-token': vaultToken,
      ...namespaceHeader(settings),
    },
  };
}

/** Returns the header with the configured namespace, if any. */
export function namespaceHeader({ namespace }: VaultSettings): Readonly<Record<string, string>> {
  return namespace === '' ? {} : { 'x-vault-namespace': namespace };
}

function urlError(url: string, why: string): CodedError {
  const where = originOf(url);
  return new CodedError('ENDPOINT_REFUSED', `invalid vault_url in .top (${where}): ${why}`, {
    where,
  });
}

/**
 * The facts for a judgement: the service's name, the Vault token that was sent, so that no
 * error repeats it, and the time in epoch seconds.
 */
export interface VaultQuestion {
  readonly service: string;
  readonly vaultToken: string;
  readonly now: number;
}

/**
 * The meaning of an answer. `gone`: the Vault token is revoked; `dead`: the Vault's own
 * login at the issuer has ended; `expired`: the Vault has no token that is valid long
 * enough; `failed`: everything else. `unrefreshed` is the Vault's warning that it fails to
 * refresh its token.
 */
export type VaultAnswer =
  | {
      readonly kind: 'token';
      readonly accessToken: string;
      readonly unrefreshed?: string | undefined;
    }
  | { readonly kind: 'gone' | 'dead' | 'expired' | 'failed'; readonly error: CodedError };

const { revoked, expired, refreshFailed, oauthErrors } = texts;
const REVOKED = new RegExp(revoked.text, 'i');
const EXPIRED = new RegExp(expired.text, 'i');
const REFRESH_FAILED = new RegExp(refreshFailed.warning, 'i');
const OAUTH_ERRORS = oauthErrors.map(({ text }) => new RegExp(text));

/**
 * Returns the meaning of an answer to a read of an access token.
 * @throws CodedError `ISSUER_ANSWER_INVALID` for a status of 200 without a valid token
 * @see https://developer.hashicorp.com/vault/api-docs (status codes, errors)
 */
export function judgeVaultAnswer(response: HttpResponse, question: VaultQuestion): VaultAnswer {
  const object = parseObject(bodyText(response.body));
  const json = object.ok ? object.value : {};
  if (response.status !== 200) return failure(response, errorsOf(json, 'errors'), question);
  const { service, vaultToken } = question;
  const { data } = json;
  if (!isRecord(data)) throw badResponse(service, 'no data');
  const { accessToken } = judgeTokenResponse({ access_token: data['access_token'] }, service);
  if (!/^[\w.~+/-]+=*$/.test(accessToken) || isJson(accessToken))
    throw badResponse(service, 'its access token is not a bearer token (RFC 6750, section 2.1)');
  const warnings = errorsOf(json, 'warnings');
  const unrefreshed = REFRESH_FAILED.test(warnings)
    ? harmless(withoutSecrets(warnings, [vaultToken, accessToken]))
    : undefined;
  return { kind: 'token', accessToken, unrefreshed };
}

function failure(
  { status, headers }: HttpResponse,
  errors: string,
  { service, vaultToken, now }: VaultQuestion,
): VaultAnswer {
  const answered = `the Vault of ${service} answered`;
  const fields = { provider: service, status };
  // Checked before secrets are masked: a short Vault token may be a part of the text.
  if (status === revoked.status && REVOKED.test(errors)) {
    const why = "it has revoked the user's Vault token, or the token has expired";
    const message = `${answered} "permission denied": ${why}`;
    return { kind: 'gone', error: new CodedError('GRANT_REVOKED', message, fields) };
  }
  const ended = (what: string): CodedError =>
    new CodedError(
      'GRANT_REVOKED',
      `the login in the Vault has ended: ${answered} HTTP status ${status} (${what})`,
      fields,
    );
  if (status === expired.status && EXPIRED.test(errors))
    return { kind: 'expired', error: ended('token expired') };
  const refused = refusedGrant(errors);
  if (refused !== undefined) return { kind: 'dead', error: ended(refused) };
  if (status >= 300 && status < 400)
    return {
      kind: 'failed',
      error: new CodedError(
        'ISSUER_ANSWER_INVALID',
        `${answered} HTTP status ${status}: ${redirectText(status, headers['location'], vaultToken)}`,
        fields,
      ),
    };
  const retryAfter = headers['retry-after'];
  const plain = classifyFailure(
    service,
    { status, ...(retryAfter === undefined ? {} : { retryAfter }) },
    now,
  );
  // A 401 comes from a proxy in front of the Vault; there is no client to reject.
  const code = plain.code === 'CLIENT_REFUSED' ? 'ISSUER_ANSWER_INVALID' : plain.code;
  const text = harmless(withoutSecrets(errors, [vaultToken]));
  const message = `${answered} HTTP status ${status}${text === '' ? '' : ` (${text})`}`;
  return { kind: 'failed', error: new CodedError(code, message, plain.fields) };
}

/**
 * Returns the issuer's error code in the Vault's text if it means that the refresh token is
 * dead, by the same table as for an issuer's own answer.
 */
function refusedGrant(errors: string): string | undefined {
  const codes = OAUTH_ERRORS.flatMap((pattern) => pattern.exec(errors)?.[1] ?? []);
  return codes.find(
    (error) => classifyFailure('', { status: 400, json: { error } }, 0).code === 'GRANT_REVOKED',
  );
}

/**
 * Only the host is named, whole: the rest of the address may contain anything.
 * @see https://developer.hashicorp.com/vault/docs/concepts/ha#client-redirection (307)
 */
function redirectText(status: number, location: string | undefined, vaultToken: string): string {
  const who = status === 307 ? 'a standby' : 'it';
  const host =
    location !== undefined && URL.canParse(location)
      ? withoutSecrets(new URL(location).host, [vaultToken, vaultToken.toLowerCase()])
      : '';
  if (host === '') return `${who} redirects to another path; redirects are not followed`;
  return (
    `${who} redirects to ${host}; redirects are not followed; ` +
    'fix: name the active address in SEC_CREDENTIAL_GETTOKEN_OPTS and TRUSTED_VAULT_HOSTS'
  );
}

/**
 * Returns the meaning of a second read with the shortest lifetime, after an answer
 * "token expired": the first answer alone does not distinguish a login that has ended from
 * tokens that live shorter than `minimumSeconds` and from an issuer that is down.
 */
export function judgeSecondRead(
  second: VaultAnswer,
  { service }: VaultQuestion,
  minimumSeconds: number,
): Exclude<VaultAnswer, { kind: 'token' }> {
  if (second.kind !== 'token') return second;
  const text =
    second.unrefreshed === undefined
      ? `has no token that is valid for ${minimumSeconds} s, only a shorter one; fix: lower ` +
        "CREDMON_OAUTH_TOKEN_MINIMUM if the issuer's tokens live shorter"
      : `fails to refresh its token: ${second.unrefreshed}`;
  return {
    kind: 'failed',
    error: stillAlive(service, text, { outage: second.unrefreshed !== undefined }),
  };
}

/**
 * Returns the error for a login that may work although the Vault has no token now;
 * `outage`: because the Vault fails to refresh its token.
 */
export function stillAlive(
  service: string,
  text: string,
  { outage }: { readonly outage: boolean },
): CodedError {
  return new CodedError('ISSUER_ANSWER_INVALID', `the Vault of ${service} ${text}`, {
    provider: service,
    outage,
  });
}

function errorsOf(json: Readonly<Record<string, unknown>>, member: 'errors' | 'warnings'): string {
  const list = json[member];
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string').join('; ') : '';
}

/** True for a token such as `123` that a reader of a bare `.use` would take for JSON. */
function isJson(text: string): boolean {
  return /^(true|false|null|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(text);
}

function badResponse(service: string, what: string): CodedError {
  return new CodedError('ISSUER_ANSWER_INVALID', `invalid Vault response for ${service}: ${what}`, {
    provider: service,
  });
}
