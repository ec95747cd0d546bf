// Checks Vaults: which are trusted for which tokens, and whether each is reachable.
import { existsSync } from 'node:fs';
import {
  messageWithFix,
  type Send,
  hasErrors,
  ok,
  warning,
  wrong,
  type Finding,
} from '@credmon/core/base';
import type { Config } from '@credmon/core/config';
import { minimumRemaining } from '../report/remaining-lifetime.ts';
import { createVaultSend } from '../host/tls-ca.ts';
import type { Settings } from '../settings/read.ts';
import type { CheckContext, Check } from './context.ts';

const WHAT = 'Vault';

/** Returns one check if a Vault may be used. */
export function vaultChecks(context: CheckContext): Check[] {
  const { vaultEnabled, vault } = context.settings;
  if (!vaultEnabled && vault.hosts.length === 0) return [];
  return [{ what: WHAT, run: () => checkVault(context) }];
}

async function checkVault(context: CheckContext): Promise<Finding[]> {
  const { settings, limited, config, trust } = context;
  const { vault, limits, lists } = settings;
  // All names of the list log in by device: no token is in a Vault.
  if (lists.vault.length === 0 && vault.hosts.length === 0) return withoutStorer(config);
  const findings = [
    ok(WHAT, doing(settings)),
    ...authorities(settings),
    ...quotedOptions(config.get('SEC_CREDENTIAL_GETTOKEN_OPTS') ?? ''),
    ...shortLife(settings),
    ...(settings.vaultEnabled
      ? withoutStorer(config)
      : [
          warning(
            WHAT,
            'a host is trusted, but VAULT_CREDMON_PROVIDER_NAMES and SEC_CREDENTIAL_STORER ' +
              'are not set: no token is read from a Vault',
          ),
        ]),
  ];
  // Without certificate authorities, and for a server name in quotes, every host would
  // report the same error.
  if (hasErrors(findings)) return findings;
  if (vault.hosts.length === 0)
    return [...findings, wrong(WHAT, 'no host is trusted: set TRUSTED_VAULT_HOSTS')];
  const send = createVaultSend(vault, limits, trust);
  const misspelt = vault.hosts.flatMap((host) => checkHostName(host) ?? []);
  const asked = vault.hosts
    .filter((host) => checkHostName(host) === undefined)
    .flatMap((host) => vault.ports.map((port) => limited(() => checkHost(host, port, send))));
  return [...findings, ...misspelt, ...(await Promise.all(asked))];
}

function withoutStorer(config: Config): Finding[] {
  return config.get('SEC_CREDENTIAL_STORER') === undefined
    ? [warning(WHAT, 'SEC_CREDENTIAL_STORER is not set: condor_submit does not start a login')]
    : [];
}

/**
 * Neither HTCondor nor the storer removes quotes: htgettoken would get them as a part of
 * its options.
 */
function quotedOptions(options: string): Finding[] {
  if (!/['"]/.test(options)) return [];
  const unquoted = options.replaceAll(/['"]/g, '').trim();
  return [
    wrong(
      WHAT,
      `quotes in SEC_CREDENTIAL_GETTOKEN_OPTS are not removed; fix: SEC_CREDENTIAL_GETTOKEN_OPTS = ${unquoted}`,
    ),
  ];
}

/** Names are compared exactly, so a URL or a name with a port never matches. */
function checkHostName(host: string): Finding | undefined {
  const [, scheme, name = '', port] = /^(https?:\/\/)?([\w.-]+?)(:\d+)?\/*$/.exec(host) ?? [];
  if (scheme !== undefined || port !== undefined) {
    const besides = port === undefined ? '' : `; ports are set in CREDMON_VAULT_PORTS`;
    return wrong(WHAT, `invalid host ${host} in TRUSTED_VAULT_HOSTS: write ${name}${besides}`);
  }
  if (/^[\w.:-]+$/.test(host)) return undefined;
  return warning(
    WHAT,
    `${host} in TRUSTED_VAULT_HOSTS is not a host name; names must match exactly`,
  );
}

function doing({ lists, vault }: Settings): string {
  const names =
    lists.vault === '*'
      ? 'every name that no other provider owns'
      : lists.vault.join(', ') || 'no name';
  const handles = lists.specialNames ? '' : '; a handle uses the Vault token of its service';
  return (
    `reads the tokens of ${names} every ${vault.refreshSeconds} s, with at ` +
    `least ${vault.minimumSeconds} s left${handles}`
  );
}

function authorities({ vault }: Settings): Finding[] {
  return [vault.caFile, vault.caDirectory].flatMap((path) =>
    path === undefined || existsSync(path)
      ? []
      : [
          wrong(
            WHAT,
            `the certificate authorities ${path} are missing; see AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR`,
          ),
        ],
  );
}

/** R18 with the lifetime that is requested from the Vault. */
function shortLife(settings: Settings): Finding[] {
  const { vault, policy, floor } = settings;
  const { minimumSeconds, refreshSeconds } = vault;
  const left = minimumRemaining(
    minimumSeconds,
    { ...policy, refreshEvery: refreshSeconds },
    settings,
  );
  if (left >= floor) return [];
  return [
    warning(
      WHAT,
      `a job may read a token with only ${Math.max(0, left)} s left; raise ` +
        'CREDMON_OAUTH_TOKEN_MINIMUM, or reduce SEC_CREDENTIAL_REFRESH',
    ),
  ];
}

/**
 * The health endpoint needs no token.
 * @see https://developer.hashicorp.com/vault/api-docs/system/health
 */
async function checkHost(host: string, port: number, send: Send): Promise<Finding> {
  const where = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  try {
    const { status } = await send({ method: 'GET', url: `${where}/v1/sys/health` });
    if (status === 503) return warning(WHAT, `${where} is sealed`);
    if (status === 501) return warning(WHAT, `${where} is not initialized`);
    return ok(WHAT, `${where} is reachable`);
  } catch (error) {
    return wrong(WHAT, messageWithFix(error));
  }
}
