// From a user's `.top` to the one request that may be sent for it: everything in that
// file is a stranger's text.
import { CodedError, originOf, type HttpRequest } from '@credmon/core/base';
import { parseObject, splitScopes, type Parsed } from '@credmon/core/credential';
import type { VaultSettings } from '../../settings/vault.ts';

/**
 * What a `.top` of a Vault holds. `vaultToken` is missing where a handle borrows its
 * parent's.
 */
export interface VaultTop {
  readonly vaultUrl: string;
  readonly vaultToken: string | undefined;
  readonly scopes: string;
  readonly audience: string;
}

const refuse = (reason: string): { ok: false; reason: string } => ({ ok: false, reason });

/**
 * Reads a Vault's `.top`; what is wrong completes the sentence ".top ...", never with a
 * value in it.
 */
export function parseVaultTop(text: string): Parsed<VaultTop> {
  const object = parseObject(text);
  if (!object.ok) return object;
  const { vault_url: vaultUrl, vault_token: vaultToken, scopes = '', audience = '' } = object.value;
  if (typeof vaultUrl !== 'string' || vaultUrl === '') return refuse('has no "vault_url" text');
  // Exactly what may stand in an HTTP header.
  if (
    vaultToken !== undefined &&
    !(typeof vaultToken === 'string' && /^[!-~]{1,8192}$/.test(vaultToken))
  )
    return refuse('has a "vault_token" that is not a token');
  if (typeof scopes !== 'string' || typeof audience !== 'string')
    return refuse('has "scopes" or "audience" that are not text');
  return { ok: true, value: { vaultUrl, vaultToken, scopes, audience } };
}

/**
 * The parent of a handle: the stem cut at its last `_`; `undefined` for a stem without
 * one.
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
 * The URL to read, when the administrator trusts its server: https, a known host and
 * port, a path of the OAuth plug-in (`creds` or `sts` of a mount, not the server's own
 * /v1/sys/ or /v1/auth/, where a user could choose the answer), no user information, no
 * fragment, no query but the plug-in's own, nothing encoded that a server could take for
 * a path separator.
 * @throws CodedError `ENDPOINT_REFUSED` that names origin and reason, no more of the URL
 */
export function trustedVaultUrl(text: string, settings: VaultSettings): URL {
  if (!URL.canParse(text)) throw refused(text, 'it is not a URL');
  const url = new URL(text);
  const host = url.hostname.replaceAll(/[[\]]/g, '');
  if (url.protocol !== 'https:') throw refused(text, 'it must begin with https:');
  if (url.username !== '' || url.password !== '') throw refused(text, 'it holds user information');
  if (url.hash !== '') throw refused(text, 'it has a fragment');
  if (settings.hosts.length === 0)
    throw refused(
      text,
      'no Vault is configured; the administrator must name its host in TRUSTED_VAULT_HOSTS',
    );
  if (!settings.hosts.includes(host))
    throw refused(text, 'its host is not in TRUSTED_VAULT_HOSTS (or SEC_CREDENTIAL_GETTOKEN_OPTS)');
  if (!settings.ports.includes(Number(url.port === '' ? '443' : url.port)))
    throw refused(text, 'its port is not in CREDMON_VAULT_PORTS');
  if (!url.pathname.startsWith('/v1/') || /%2f|%5c|%2e|\/\//i.test(url.pathname))
    throw refused(text, 'its path does not lie plainly below /v1/');
  if (!PLUGIN_PATH.test(url.pathname))
    throw refused(text, 'its path is not /v1/<mount>/creds/... or /v1/<mount>/sts/...');
  if ([...url.searchParams.keys()].some((name) => !PLUGIN_QUERY.has(name)))
    throw refused(text, 'its query has a parameter that reading a token does not need');
  return url;
}

/**
 * The request for an access token. `vaultToken` goes into a header only.
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
  // The plug-in calls it otherwise where it exchanges a token than where it reads one.
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

/** The header that names the configured namespace, if there is one. */
export function namespaceHeader({ namespace }: VaultSettings): Readonly<Record<string, string>> {
  return namespace === '' ? {} : { 'x-vault-namespace': namespace };
}

function refused(url: string, why: string): CodedError {
  const where = originOf(url);
  return new CodedError('ENDPOINT_REFUSED', `the vault_url in .top (${where}) is refused: ${why}`, {
    where,
  });
}
