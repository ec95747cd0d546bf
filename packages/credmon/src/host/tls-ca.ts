// Whom TLS trusts in this process: the general authorities, and those of servers for
// which a knob names the only ones.
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

/** How long one address of a Vault may take to answer a connection, in seconds. */
const ADDRESS_SECONDS = 2;

/** All authorities of a process; each is read once, when it is first needed. */
export interface ProcessTrust {
  readonly general: Trust;
  /** The authorities that these knobs name, and no others. */
  only(named: NamedTrust): Trust;
  /** Looks at all files again, at the next connection: a SIGHUP asks for it. */
  renew(): void;
}

/**
 * The authorities of a process whose AUTH_SSL knobs `named` gives. `trouble` learns once
 * of each file that is skipped.
 */
export function createProcessTrust(
  named: () => NamedTrust,
  trouble: (text: string) => void = () => undefined,
): ProcessTrust {
  const general = createTrust({ named, trouble });
  const others = new Map<string, Trust>();
  return {
    general,
    only: (its) => {
      const key = JSON.stringify(its);
      const trust = others.get(key) ?? createTrust({ named: () => its, only: true, trouble });
      others.set(key, trust);
      return trust;
    },
    renew: () => {
      for (const trust of [general, ...others.values()]) trust.renew();
    },
  };
}

/** What settings say of trust. */
export function namedTrustOf({
  vault: { caFile, caDirectory },
}: {
  readonly vault: Pick<VaultSettings, 'caFile' | 'caDirectory'>;
}): NamedTrust {
  return { caFile, caDirectory, knobs: AUTH_SSL_KNOBS };
}

/**
 * A {@link Send} for the Vault. It trusts AUTH_SSL_CLIENT_CAFILE and
 * AUTH_SSL_CLIENT_CADIR alone where one is set, else the general authorities.
 * @throws CodedError (at a request) `CONFIG_READ` when a named file cannot be read
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
 * A {@link Send} for Pelican's issuers, which trusts PELICAN_CREDMON_CA_FILE alone; none
 * without it.
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
