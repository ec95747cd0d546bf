// Reads the knobs of single providers: CREDMON_<PROVIDER>_*.
import { knob, ownKnob, type Config, type KnobReader } from '@credmon/core/config';
import { policyOf, readIssuerPolicies, type IssuerPolicy } from '@credmon/core/profiles';
import type { ProviderSettings, Settings } from './settings.ts';

/**
 * Reads the settings of every provider that has a knob, by upper-case provider name.
 */
export function readProviders(
  config: Config,
  read: KnobReader,
  allowLoopbackHttp: boolean,
): ReadonlyMap<string, ProviderSettings> {
  const policies = readIssuerPolicies(config, read, allowLoopbackHttp);
  const claimed = config.names().flatMap((name) => {
    const provider = /^CREDMON_(.+)_USER_CLAIM$/i.exec(name)?.[1];
    return provider === undefined ? [] : [provider.toUpperCase()];
  });
  return new Map(
    [...new Set([...policies.keys(), ...claimed])].map((provider) => {
      const policy = policyOf(policies, provider);
      return [provider, { policy, userClaim: readUserClaim(read, provider, policy) }];
    }),
  );
}

function readUserClaim(
  read: KnobReader,
  provider: string,
  { issuer }: IssuerPolicy,
): string | undefined {
  const userClaim = read.string(knob('CREDMON_<PROVIDER>_USER_CLAIM', provider));
  if (userClaim !== undefined && issuer === undefined)
    read.mistake(
      `CREDMON_${provider}_USER_CLAIM`,
      `needs CREDMON_${provider}_ISSUER: without it no ID token can be verified`,
    );
  return userClaim;
}

// The local issuer: LOCAL_CREDMON_ISSUER, with all keys that sign for it.

/** Reads the local issuer; the default is `prefix`. */
export function readLocalIssuer(
  config: Config,
  read: KnobReader,
  prefix: string,
): Settings['localIssuer'] {
  const issuer = read.isSet('LOCAL_CREDMON_ISSUER') ? read.string('LOCAL_CREDMON_ISSUER') : prefix;
  const keyDirectories = readKeyDirectories(config, read, issuer);
  return {
    issuer,
    publicKeyFile: read.path('LOCAL_CREDMON_PUBLIC_KEY'),
    keyId: read.string('LOCAL_CREDMON_KEY_ID'),
    keyDirectories: keyDirectories.length === 0 ? undefined : keyDirectories,
  };
}

/** A provider with its own issuer publishes its keys there. */
function readKeyDirectories(config: Config, read: KnobReader, issuer: string): readonly string[] {
  const shared = read.path('CREDMON_LOCAL_KEY_DIRECTORY');
  const own = config.names().flatMap((name) => {
    const provider = /^CREDMON_(.+)_KEY_DIRECTORY$/i.exec(name)?.[1];
    if (provider === undefined || provider.toUpperCase() === 'LOCAL') return [];
    if ((read.string(ownKnob('LOCAL_CREDMON_ISSUER', provider)) ?? issuer) !== issuer) return [];
    return [read.path(ownKnob('CREDMON_LOCAL_KEY_DIRECTORY', provider))];
  });
  return [...new Set([shared, ...own])].filter((path) => path !== undefined);
}
