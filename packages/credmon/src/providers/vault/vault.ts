// The Vault provider: reads an access token from Vault or OpenBao with the Vault token
// from `.top`.
import {
  CodedError,
  isCoded,
  jwtClaims,
  originOf,
  type Send,
  bodyText,
  isRecord,
  type HttpResponse,
} from '@credmon/core/base';
import {
  scopeText,
  splitStem,
  tokenId,
  type Parsed,
  type TokenSnapshot,
  judgeTokenResponse,
  parseObject,
  useFile,
  withoutSecrets,
} from '@credmon/core/credential';
import type { RenewalPolicy } from '@credmon/core/renewal';
import type { TokenFiles } from '@credmon/core/store';
import { checkScopes } from '../common/granted-scopes.ts';
import type { Outcome, Provider, ProviderContext } from '../common/provider.ts';
import { basisOf, issuedWith } from '../common/outcomes.ts';
import { parentStem, parseVaultTop, vaultRequest, type VaultTop } from './request.ts';
import type { IssuerPolicy } from '@credmon/core/profiles';
import type { VaultSettings } from '../../settings/vault.ts';
import { classifyFailure, harmless } from '@credmon/core/oauth';

/**
 * The provider's options. `send` has the Vault's certificate authorities and time-outs,
 * not the issuers'. `topVersion` changes when a `.top` is stored again.
 */
interface VaultOptions {
  readonly settings: VaultSettings;
  readonly send: Send;
  readonly topVersion: (user: string, stem: string) => string;
  /** What depends on the issuer of a service (case-insensitive). */
  readonly policyOf: (service: string) => IssuerPolicy;
  readonly specialNames: boolean;
  readonly policy: RenewalPolicy;
}

/**
 * The Vault provider: every token is read again after `refreshSeconds`, because the Vault
 * caches it for `minimumSeconds`.
 */
export function vaultReader(options: VaultOptions): Provider {
  const { settings } = options;
  return {
    name: 'vault',
    policy: { ...options.policy, refreshEvery: settings.refreshSeconds },
    view: (token) => withTimesOfFile(token, options),
    renewable,
    basis: (token) => basisOf(token, dependencies(token, options)),
    issuerOf: ({ top }) => originOf((top.kind === 'valid' && top.value.vaultUrl) || ''),
    obtain: (token, files, context) => obtain(token, files, options, context),
  };
}

const notRenewable = (reason: string): Parsed<true> => ({ ok: false, reason });

function renewable({ top }: TokenSnapshot): Parsed<true> {
  if (top.kind === 'missing') return notRenewable('.top is missing: not renewed');
  if (top.kind === 'broken')
    return notRenewable(`.top ${top.reason}: the user must store it again`);
  if (top.value.vaultUrl === undefined)
    return notRenewable('.top has no "vault_url" text: the user must store it again');
  return { ok: true, value: true };
}

/**
 * The Vault may return a token that it made hours ago, and opaque tokens do not show
 * their age: the lifetime counts from the file's time. A token that expired before it was
 * written means that the clocks differ too much.
 */
function withTimesOfFile(token: TokenSnapshot, { settings, policy }: VaultOptions): TokenSnapshot {
  const { use } = token;
  if (use.kind !== 'valid') return token;
  const { mtime } = use.identity;
  const { issuedAt, expiresAt } = use.value;
  const silent = issuedAt === mtime && expiresAt === mtime + policy.defaultLifetime;
  const left = silent ? settings.minimumSeconds : expiresAt - mtime;
  const lifetime = left > 0 ? left : expiresAt - issuedAt;
  return { ...token, use: { ...use, value: { issuedAt: mtime, expiresAt: mtime + lifetime } } };
}

/** The fingerprint input besides `.top`. */
function dependencies({ user, stem }: TokenSnapshot, options: VaultOptions): unknown {
  const parent = parentOf(stem, options);
  const borrowed = parent === undefined ? '' : options.topVersion(user, parent);
  const { hosts, ports, namespace } = options.settings;
  return [borrowed, hosts, ports, namespace];
}

function parentOf(stem: string, { specialNames }: VaultOptions): string | undefined {
  return specialNames ? undefined : parentStem(stem);
}

async function obtain(
  token: TokenSnapshot,
  files: TokenFiles,
  options: VaultOptions,
  context: ProviderContext,
): Promise<Outcome> {
  try {
    const top = topOf(token, files.top);
    const vaultToken = top.vaultToken ?? parentToken(token, options, context);
    if (vaultToken instanceof CodedError) return { kind: 'gone', error: vaultToken };
    const response = await options.send(vaultRequest(top, vaultToken, options.settings));
    const about = { service: token.stem, vaultToken, now: context.now };
    const accessToken = tokenInAnswer(response, about);
    const noted = checkGrant(token, top, accessToken, options);
    const use = useFile(
      { accessToken, answer: { access_token: accessToken } },
      {
        provider: token.stem,
        now: context.now,
        defaultLifetime: options.settings.minimumSeconds,
        json: false,
      },
    );
    return { ...issuedWith(use, undefined, false), ...noted };
  } catch (error) {
    return rejectionOf(token, error);
  }
}

/**
 * Checks the scopes of a token that is a JWT; a Vault's answer itself has none.
 * @throws CodedError `SCOPE_WIDENED`
 */
function checkGrant(
  { stem }: TokenSnapshot,
  { scopes }: VaultTop,
  accessToken: string,
  options: VaultOptions,
): { readonly note?: string } {
  const name = splitStem(stem, options.specialNames)?.service ?? stem;
  const granted = scopeText(jwtClaims(accessToken)?.['scope']);
  return checkScopes({ name, asked: scopes, granted, scopes: options.policyOf(name).scopes });
}

function topOf(token: TokenSnapshot, text: Parsed<string>): VaultTop {
  const top = text.ok ? parseVaultTop(text.value) : text;
  if (top.ok) return top.value;
  throw unusable(`${tokenId(token)}: .top ${top.reason}`, token);
}

/**
 * Returns the parent's Vault token; or, if the parent is gone, the error with which the
 * handle is removed.
 */
function parentToken(
  token: TokenSnapshot,
  options: VaultOptions,
  { readToken }: ProviderContext,
): string | CodedError {
  const stem = parentOf(token.stem, options);
  if (stem === undefined) throw unusable(`${tokenId(token)}: .top has no "vault_token"`, token);
  const { top, topIdentity } = readToken(token.user, stem);
  if (!top.ok && topIdentity === undefined) {
    return new CodedError(
      'GRANT_REVOKED',
      `${tokenId(token)} uses the Vault token of ${stem}, which is missing; submitting a job stores both again`,
      { token: tokenId(token) },
    );
  }
  const { vaultToken } = topOf({ ...token, stem }, top);
  if (vaultToken === undefined)
    throw unusable(
      `${tokenId(token)}: neither its .top nor that of ${stem} has a "vault_token"`,
      token,
    );
  return vaultToken;
}

function unusable(message: string, token: TokenSnapshot): CodedError {
  return new CodedError('CRED_FILE_INVALID', message, { token: tokenId(token) });
}

function rejectionOf(token: TokenSnapshot, error: unknown): Outcome {
  // An error without a code is a bug; its text may contain anything, so only its name is
  // used.
  const coded = isCoded(error)
    ? error
    : new CodedError(
        'ISSUER_ANSWER_INVALID',
        `${tokenId(token)}: unexpected ${error instanceof Error ? error.name : typeof error}`,
      );
  if (coded.code === 'GRANT_REVOKED') return { kind: 'gone', error: coded };
  const final = coded.code === 'ENDPOINT_REFUSED' || coded.code === 'SCOPE_WIDENED';
  return { kind: final ? 'denied' : 'failed', error: coded };
}

// Reads a Vault's answer: an access token, a revoked login, or another failure.

/**
 * Returns the access token in an answer.
 * @param vaultToken the token that was sent, so that no error repeats it
 * @throws CodedError `GRANT_REVOKED` when the Vault says "permission denied";
 * `ISSUER_BUSY`, `ISSUER_UNREACHABLE` or `ISSUER_ANSWER_INVALID` for failures that time
 * may fix
 * @see https://developer.hashicorp.com/vault/api-docs (status codes, errors)
 */
function tokenInAnswer(
  response: HttpResponse,
  { service, vaultToken, now }: { service: string; vaultToken: string; now: number },
): string {
  const object = parseObject(bodyText(response.body));
  const json = object.ok ? object.value : {};
  if (response.status !== 200) throw failure(response, json, { service, vaultToken, now });
  const { data } = json;
  if (!isRecord(data)) throw invalid(service, 'no data');
  const { accessToken } = judgeTokenResponse({ access_token: data['access_token'] }, service);
  if (!/^[\w.~+/-]+=*$/.test(accessToken) || isJson(accessToken))
    throw invalid(service, 'its access token is not a bearer token (RFC 6750, section 2.1)');
  return accessToken;
}

function failure(
  { status, headers }: HttpResponse,
  json: Readonly<Record<string, unknown>>,
  { service, vaultToken, now }: { service: string; vaultToken: string; now: number },
): CodedError {
  // Checked before secrets are masked: a short Vault token may be a part of the text.
  const errors = errorsOf(json);
  const errorText = harmless(withoutSecrets(errors, [vaultToken]));
  if (status === 403 && /permission denied/i.test(errors)) {
    return new CodedError(
      'GRANT_REVOKED',
      `the Vault of ${service} answered "permission denied": it has revoked ` +
        "the user's Vault token, or the token has expired",
      { provider: service, status },
    );
  }
  const retryAfter = headers['retry-after'];
  const plain = classifyFailure(
    service,
    { status, ...(retryAfter === undefined ? {} : { retryAfter }) },
    now,
  );
  // A 401 comes from a proxy in front of the Vault; there is no client to reject.
  const code = plain.code === 'CLIENT_REFUSED' ? 'ISSUER_ANSWER_INVALID' : plain.code;
  const what = errorText === '' ? '' : ` (${errorText})`;
  return new CodedError(
    code,
    `the Vault of ${service} answered HTTP status ${status}${what}`,
    plain.fields,
  );
}

function errorsOf({ errors }: Readonly<Record<string, unknown>>): string {
  const texts = Array.isArray(errors) ? errors.filter((each) => typeof each === 'string') : [];
  return texts.join('; ');
}

/** True for a token such as `123` that a reader of a bare `.use` would take for JSON. */
function isJson(text: string): boolean {
  return /^(true|false|null|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(text);
}

function invalid(service: string, what: string): CodedError {
  return new CodedError('ISSUER_ANSWER_INVALID', `invalid Vault response for ${service}: ${what}`, {
    provider: service,
  });
}
