// Builds the only request that a user's `.top` may cause: everything in that file is
// untrusted.
import { CodedError, originOf, type HttpRequest } from '@credmon/core/base';
import { parseObject, splitScopes, type Parsed } from '@credmon/core/credential';
import type { VaultSettings } from '../../settings/vault.ts';

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
