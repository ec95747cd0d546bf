// The local issuer as the portal publishes it: the shared one, LOCAL_CREDMON_ISSUER, with
// every key that signs in its name.
import type { Config, KnobReader } from '@credmon/core/config';
import type { Settings } from './settings.ts';

/** Reads it; `prefix` is the issuer where no knob names one. */
export function readLocalIssuer(
  config: Config,
  read: KnobReader,
  prefix: string,
): Settings['localIssuer'] {
  const issuer = read.string('LOCAL_CREDMON_ISSUER') ?? prefix;
  const keyDirectories = readKeyDirectories(config, read, issuer);
  return {
    issuer,
    publicKeyFile: read.path('LOCAL_CREDMON_PUBLIC_KEY') ?? '/etc/condor/scitokens.pem',
    keyId: read.string('LOCAL_CREDMON_KEY_ID') ?? 'local',
    ...(keyDirectories.length === 0 ? {} : { keyDirectories }),
  };
}

/** A provider with an issuer of its own publishes its keys there, not here. */
function readKeyDirectories(config: Config, read: KnobReader, issuer: string): readonly string[] {
  const shared = read.path('CREDMON_LOCAL_KEY_DIRECTORY');
  const own = config.names().flatMap((knob) => {
    const provider = /^CREDMON_(.+)_KEY_DIRECTORY$/i.exec(knob)?.[1];
    if (provider === undefined || provider.toUpperCase() === 'LOCAL') return [];
    const its = 'LOCAL_CREDMON_ISSUER'.replace('_CREDMON_', () => `_CREDMON_${provider}_`);
    if ((read.string(its) ?? issuer) !== issuer) return [];
    return [read.path(`CREDMON_${provider}_KEY_DIRECTORY`)];
  });
  return [...new Set([shared, ...own])].filter((path) => path !== undefined);
}
