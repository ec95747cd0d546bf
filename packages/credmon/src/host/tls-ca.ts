// The certificate authorities of this process: the general ones, and those of servers
// with their own knob.
import { AUTH_SSL_KNOBS } from '@credmon/core/config';
import {
  createSend,
  createTrust,
  type NamedTrust,
  type Send,
  type SendLimits,
  type Trust,
} from '@credmon/core/base';
import type { VaultSettings } from '../settings/vault.ts';

/** Connection time-out for one address of a Vault, in seconds. */
const ADDRESS_SECONDS = 2;

/** All authorities of a process; each file is read once, when first needed. */
export interface ProcessTrust {
  readonly general: Trust;
  /** Only the authorities of these knobs. */
  only(named: NamedTrust): Trust;
  /** Reads all files again at the next connection, after SIGHUP. */
  renew(): void;
}

/**
 * Creates the authorities of a process; `named` returns its AUTH_SSL knobs. `warn` gets
 * each skipped file once.
 */
export function createProcessTrust(
  named: () => NamedTrust,
  warn: (text: string) => void = () => undefined,
): ProcessTrust {
  const general = createTrust({ named, trouble: warn });
  const others = new Map<string, Trust>();
  return {
    general,
    only: (authorities) => {
      const key = JSON.stringify(authorities);
      const trust =
        others.get(key) ?? createTrust({ named: () => authorities, only: true, trouble: warn });
      others.set(key, trust);
      return trust;
    },
    renew: () => {
      for (const trust of [general, ...others.values()]) trust.renew();
    },
  };
}

/** Returns the authorities in the settings. */
export function namedTrustOf({
  vault: { caFile, caDirectory },
}: {
  readonly vault: Pick<VaultSettings, 'caFile' | 'caDirectory'>;
}): NamedTrust {
  return { caFile, caDirectory, knobs: AUTH_SSL_KNOBS };
}

/**
 * Creates a {@link Send} for the Vault. It trusts only AUTH_SSL_CLIENT_CAFILE and
 * AUTH_SSL_CLIENT_CADIR if one is set, otherwise the general authorities.
 * @throws CodedError (at a request) `CONFIG_READ` when a configured file cannot be read
 */
export function createVaultSend(
  vault: VaultSettings,
  limits: SendLimits,
  trust: ProcessTrust = createProcessTrust(() => namedTrustOf({ vault })),
): Send {
  const named = namedTrustOf({ vault });
  const alone = named.caFile !== undefined || named.caDirectory !== undefined;
  return createSend({
    ...limits,
    addressSeconds: ADDRESS_SECONDS,
    trust: alone ? trust.only(named) : trust.general,
  }).send;
}

/**
 * Creates a {@link Send} for Pelican's issuers that trusts only PELICAN_CREDMON_CA_FILE;
 * `undefined` without that knob.
 * @throws as {@link createVaultSend}
 */
export function createPelicanSend(
  caFile: string | undefined,
  limits: SendLimits,
  trust: ProcessTrust = createProcessTrust(() => NO_NAMES),
): Send | undefined {
  if (caFile === undefined) return undefined;
  const named = { caFile, caDirectory: undefined, knobs: 'PELICAN_CREDMON_CA_FILE' };
  return createSend({ ...limits, trust: trust.only(named) }).send;
}

const NO_NAMES: NamedTrust = { caFile: undefined, caDirectory: undefined, knobs: AUTH_SSL_KNOBS };
