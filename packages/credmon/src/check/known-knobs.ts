// Which knobs there can be in a configuration: the table of knobs with the configured names filled in.
import { KNOBS } from '@credmon/core';
import suffixes from './daemon-suffixes.json' with { type: 'json' };

/** The names that the configuration speaks of, by what they name. */
export interface ConfiguredNames {
  readonly local: readonly string[];
  readonly client: readonly string[];
  readonly exchange: readonly string[];
  readonly pelican: readonly string[];
  readonly exec: readonly string[];
  /** Providers whose users log in, with a browser or a device. */
  readonly logins: readonly string[];
  readonly standing: readonly string[];
  readonly maps: readonly string[];
  readonly subsystem: string;
}

/** A knob for one provider or standing token: the text around the name, the configured names, and what would make a name one of them. */
export interface NamedKnob {
  readonly before: string;
  readonly after: string;
  readonly names: readonly string[];
  readonly lacking: (name: string) => string;
}

/** What all knobs of the table come to with these names. */
export interface KnownKnobs {
  readonly plain: readonly string[];
  readonly named: readonly NamedKnob[];
}

/** Knobs of local providers that all of them share. */
const SHARED = new Set([
  'LOCAL_CREDMON_PROVIDER_NAMES',
  'LOCAL_CREDMON_PROVIDER_NAME',
  'LOCAL_CREDMON_PUBLIC_KEY',
]);

/** Fills the names into the table. Daemons' own knobs, such as CREDMON_OAUTH_ARGS, are known too. */
export function knownKnobs(configured: ConfiguredNames): KnownKnobs {
  const plain: string[] = [];
  const named: NamedKnob[] = [];
  for (const pattern of KNOBS.flatMap(({ name }) => withOwn(name)).flatMap(withKinds)) {
    const [before, place, after = ''] = pattern.split(/<([A-Z]+)>/);
    if (before === undefined || place === undefined) plain.push(pattern);
    else if (place === 'SUBSYS')
      for (const name of subsystems(configured)) plain.push(`${before}${name}${after}`);
    else named.push({ before, after, ...namesFor(pattern, place, configured) });
  }
  for (const daemon of subsystems(configured))
    for (const end of ['', ...suffixes.map((suffix) => `_${suffix}`)]) plain.push(`${daemon}${end}`);
  return { plain, named };
}

function subsystems({ subsystem }: ConfiguredNames): readonly string[] {
  return [...new Set([subsystem, 'CREDMON_OAUTH', 'CREDMON_WEB', 'CREDMON_KRB'])];
}

/** Most knobs of local issuers and standing tokens exist for each one, too; the table says so once. */
function withOwn(name: string): string[] {
  if (name.includes('<') || SHARED.has(name)) return [name];
  if (name.startsWith('LOCAL_CREDMON_'))
    return [name, name.replace('LOCAL_CREDMON_', 'LOCAL_CREDMON_<PROVIDER>_')];
  if (name.startsWith('CREDMON_STANDING_') && name !== 'CREDMON_STANDING_TOKENS')
    return [name, name.replace('CREDMON_STANDING_', 'CREDMON_STANDING_<TOKEN>_')];
  return [name];
}

function withKinds(name: string): string[] {
  if (!name.includes('<KIND>')) return [name];
  return ['CLIENT', 'EXCHANGE', 'PELICAN'].map((kind) => name.replace('<KIND>', kind));
}

function namesFor(
  pattern: string,
  place: string,
  configured: ConfiguredNames,
): Pick<NamedKnob, 'names' | 'lacking'> {
  const inList = (knob: string) => (name: string) => `${knob} does not name ${name}`;
  if (place === 'TOKEN') return { names: configured.standing, lacking: inList('CREDMON_STANDING_TOKENS') };
  if (place === 'MAP') return { names: configured.maps, lacking: inList('CLASSAD_USER_MAP_NAMES') };
  const kind = /^(LOCAL|CLIENT|EXCHANGE|PELICAN|EXEC)_CREDMON_/.exec(pattern)?.[1] ?? otherKind(pattern);
  if (kind === undefined)
    return { names: configured.logins, lacking: (name) => `there is no ${name}_CLIENT_ID` };
  const names = configured[kind.toLowerCase() as 'local' | 'client' | 'exchange' | 'pelican' | 'exec'];
  return { names, lacking: inList(`${kind}_CREDMON_PROVIDER_NAMES`) };
}

function otherKind(pattern: string): string | undefined {
  if (pattern.endsWith('_KEY_DIRECTORY')) return 'LOCAL';
  return pattern.startsWith('<PROVIDER>_PELICAN_') ? 'PELICAN' : undefined;
}
