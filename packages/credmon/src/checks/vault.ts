// The check command's look at Vaults: which are trusted with what, and whether each
// answers.
import { existsSync } from 'node:fs';
import { messageOf, type Send } from '@credmon/core/base';
import { foundWrong, ok, warning, wrong, type Finding } from './finding.ts';
import { worstLife } from '../report/remaining-lifetime.ts';
import { createVaultSend } from '../host/tls-ca.ts';
import type { Settings } from '../settings/read.ts';
import type { CheckContext, Look } from './context.ts';

const WHAT = 'Vault';

/** One look, where a Vault may serve anybody. */
export function looksAtVault(context: CheckContext): Look[] {
  const { vaultEnabled, vault } = context.settings;
  if (!vaultEnabled && vault.hosts.length === 0) return [];
  return [{ what: WHAT, look: () => lookAtVault(context) }];
}

async function lookAtVault(context: CheckContext): Promise<Finding[]> {
  const { settings, limited, config, trust } = context;
  const { vault, limits } = settings;
  const findings = [ok(WHAT, doing(settings)), ...authorities(settings), ...shortLife(settings)];
  if (!settings.vaultEnabled)
    findings.push(
      warning(
        WHAT,
        "a host is trusted, but VAULT_CREDMON_PROVIDER_NAMES and SEC_CREDENTIAL_STORER are not set: no token is a Vault's",
      ),
    );
  else if (config.get('SEC_CREDENTIAL_STORER') === undefined)
    findings.push(warning(WHAT, 'SEC_CREDENTIAL_STORER is not set: condor_submit starts no login'));
  // Without its authorities every host would be one more error about the same.
  if (foundWrong(findings)) return findings;
  if (vault.hosts.length === 0)
    return [
      ...findings,
      wrong(WHAT, 'no host is trusted, so none is asked: set TRUSTED_VAULT_HOSTS'),
    ];
  const send = createVaultSend(vault, limits, trust);
  const misspelt = vault.hosts.flatMap((host) => lookAtName(host) ?? []);
  const asked = vault.hosts
    .filter((host) => lookAtName(host) === undefined)
    .flatMap((host) => vault.ports.map((port) => limited(() => lookAtHost(host, port, send))));
  return [...findings, ...misspelt, ...(await Promise.all(asked))];
}

/** Names are compared exactly, so a URL, or a name with its port, fits no token. */
function lookAtName(host: string): Finding | undefined {
  const [, scheme, name = '', port] = /^(https?:\/\/)?([\w.-]+?)(:\d+)?\/*$/.exec(host) ?? [];
  if (scheme !== undefined || port !== undefined) {
    const besides = port === undefined ? '' : `; the port goes into CREDMON_VAULT_PORTS`;
    return wrong(WHAT, `no token fits ${host} in TRUSTED_VAULT_HOSTS: write ${name}${besides}`);
  }
  if (/^[\w.:-]+$/.test(host)) return undefined;
  return warning(
    WHAT,
    `${host} in TRUSTED_VAULT_HOSTS is not a host name; names must match exactly`,
  );
}

function doing({ lists, vault }: Settings): string {
  const whose =
    lists.vault === '*'
      ? 'every name that no other provider owns'
      : lists.vault.join(', ') || 'no name';
  const handles = lists.specialNames ? '' : '; a handle borrows the Vault token of its service';
  return `reads the tokens of ${whose} every ${vault.refreshSeconds} s, with at least ${vault.minimumSeconds} s left${handles}`;
}

function authorities({ vault }: Settings): Finding[] {
  return [vault.caFile, vault.caDirectory].flatMap((path) =>
    path === undefined || existsSync(path)
      ? []
      : [
          wrong(
            WHAT,
            `the authorities in ${path} are not there; see AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR`,
          ),
        ],
  );
}

/**
 * R18: the least life that the Vault is asked for, less what passes before a job reads
 * it.
 */
function shortLife(settings: Settings): Finding[] {
  const { vault, policy, floor } = settings;
  const { minimumSeconds, refreshSeconds } = vault;
  const left = worstLife(minimumSeconds, { ...policy, refreshEvery: refreshSeconds }, settings);
  if (left >= floor) return [];
  return [
    warning(
      WHAT,
      `a job may read a token with only ${Math.max(0, left)} s left; raise CREDMON_OAUTH_TOKEN_MINIMUM, or lower SEC_CREDENTIAL_REFRESH`,
    ),
  ];
}

/**
 * Health is told to everybody, without a token.
 * @see https://developer.hashicorp.com/vault/api-docs/system/health
 */
async function lookAtHost(host: string, port: number, send: Send): Promise<Finding> {
  const where = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  try {
    const { status } = await send({ method: 'GET', url: `${where}/v1/sys/health` });
    if (status === 503) return warning(WHAT, `${where} is sealed`);
    if (status === 501) return warning(WHAT, `${where} is not initialized`);
    return ok(WHAT, `${where} answers`);
  } catch (error) {
    return wrong(WHAT, messageOf(error));
  }
}
